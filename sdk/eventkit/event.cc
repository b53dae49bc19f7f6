#include "base/utf8.h"
#include "eventkit/member_table.h"

#include <belfry/eventkit/event.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace belfry::eventkit {

// The tables are the schema.

struct PrincipalKind {
    std::optional<std::string> type;
};
template <>
struct Schema<PrincipalKind> {
    static constexpr std::array kMembers{
        member<&PrincipalKind::type>("principalType", Need::never),
    };
};
namespace {

// Of a principal whose kind is known.
template <typename T>
constexpr Member<T> known_kind() {
    return {
        "principalType",
        Need::never,
        [](BodyReader& reader, T& /*to*/) {
            std::string_view skipped;
            return reader.value(skipped);
        },
        nullptr
    };
}

}  // namespace

template <>
struct Schema<UserPrincipal> {
    static constexpr std::array kMembers{
        known_kind<UserPrincipal>(),
        member<&UserPrincipal::username>("username", Need::always),
        member<&UserPrincipal::name>("name", Need::always),
        member<&UserPrincipal::email>("email", Need::never),
    };
};
template <>
struct Schema<AccessTokenPrincipal> {
    static constexpr std::array kMembers{
        known_kind<AccessTokenPrincipal>(),
        member<&AccessTokenPrincipal::id>("id", Need::always),
        member<&AccessTokenPrincipal::name>("name", Need::always),
        member<&AccessTokenPrincipal::token_type>("tokenType", Need::always),
    };
};
template <>
struct Schema<BatchPrincipal> {
    static constexpr std::array kMembers{
        known_kind<BatchPrincipal>(),
        member<&BatchPrincipal::username>("username", Need::always),
    };
};
template <>
struct Schema<Tenant> {
    static constexpr std::array kMembers{
        member<&Tenant::key>("key", Need::always),
        member<&Tenant::name>("name", Need::always),
    };
};
template <>
struct Schema<Team> {
    static constexpr std::array kMembers{
        member<&Team::id>("id", Need::never),  // the example of the API's document has none
        member<&Team::key>("key", Need::always),
        member<&Team::name>("name", Need::always),
    };
};
template <>
struct Schema<Environment> {
    static constexpr std::array kMembers{
        member<&Environment::id>("id", Need::always),
        member<&Environment::name>("name", Need::always),
    };
};
template <>
struct Schema<TargetExecution> {
    static constexpr std::array kMembers{
        member<&TargetExecution::experiment_key>("experimentKey", Need::current),
        member<&TargetExecution::execution_id>("executionId", Need::current),
        uuid<&TargetExecution::step_execution_id>("stepExecutionId", Need::current),
        uuid<&TargetExecution::id>("id", Need::current),
        member<&TargetExecution::state>("state", Need::always),
        member<&TargetExecution::agent_hostname>("agentHostname", Need::current),
        member<&TargetExecution::target_name>("targetName", Need::current),
        member<&TargetExecution::target_type>("targetType", Need::current),
        member<&TargetExecution::target_attributes>("targetAttributes", Need::current),
        member<&TargetExecution::started_time>("startedTime", Need::never),
        member<&TargetExecution::ended_time>("endedTime", Need::never),
        member<&TargetExecution::reason>("reason", Need::never),
        member<&TargetExecution::reason_details>("reasonDetails", Need::never),
        renamed<&TargetExecution::reason>("failureReason"),
        renamed<&TargetExecution::reason_details>("failureReasonDetails"),
    };
};
template <>
struct Schema<StepExecution> {
    static constexpr std::array kMembers{
        member<&StepExecution::experiment_key>("experimentKey", Need::current),
        member<&StepExecution::execution_id>("executionId", Need::current),
        uuid<&StepExecution::id>("id", Need::always),
        member<&StepExecution::type>("type", Need::always),
        member<&StepExecution::state>("state", Need::always),
        member<&StepExecution::action_id>("actionId", Need::never),
        member<&StepExecution::action_name>("actionName", Need::never),
        member<&StepExecution::action_kind>("actionKind", Need::never),
        member<&StepExecution::custom_label>("customLabel", Need::never),
        member<&StepExecution::started_time>("startedTime", Need::never),
        member<&StepExecution::ended_time>("endedTime", Need::never),
        tree<&StepExecution::targets>("targetExecutions"),
    };
};
template <>
struct Schema<ExperimentExecution> {
    static constexpr std::array kMembers{
        member<&ExperimentExecution::experiment_key>("experimentKey", Need::always),
        member<&ExperimentExecution::execution_id>("executionId", Need::always),
        member<&ExperimentExecution::name>("name", Need::always),
        member<&ExperimentExecution::state>("state", Need::always),
        // The example of the API's document has none, and an execution may not have begun.
        member<&ExperimentExecution::hypothesis>("hypothesis", Need::never),
        member<&ExperimentExecution::prepared_time>("preparedTime", Need::never),
        member<&ExperimentExecution::started_time>("startedTime", Need::never),
        member<&ExperimentExecution::ended_time>("endedTime", Need::never),
        member<&ExperimentExecution::reason>("reason", Need::never),
        member<&ExperimentExecution::reason_details>("reasonDetails", Need::never),
        renamed<&ExperimentExecution::reason>("failureReason"),
        renamed<&ExperimentExecution::reason_details>("failureReasonDetails"),
        member<&ExperimentExecution::tags>("tags", Need::never),
        member<&ExperimentExecution::variables>("variables", Need::never),
        Member<ExperimentExecution>{
            "properties",
            Need::never,
            [](BodyReader& reader, ExperimentExecution& to) {
                return read_object_text(reader, to.properties);
            },
            [](std::string& out, std::string_view name, const ExperimentExecution& from) {
                write_object_text(out, name, from.properties);
            }
        },
        tree<&ExperimentExecution::steps>("steps"),
    };
};
template <>
struct Schema<Event> {
    static constexpr std::array kMembers{
        uuid<&Event::id>("id", Need::always),
        member<&Event::name>("eventName", Need::always),
        member<&Event::time>("eventTime", Need::always),
        member<&Event::principal>("principal", Need::always),
        member<&Event::tenant>("tenant", Need::always),
        member<&Event::team>("team", Need::never),
        member<&Event::environment>("environment", Need::never),
        member<&Event::experiment>("experimentExecution", Need::never),
        member<&Event::step>("experimentStepExecution", Need::never),
        member<&Event::target>("experimentStepTargetExecution", Need::never),
        uuid<&Event::step_execution_id>("stepExecutionId", Need::never),
    };
};

namespace {

constexpr std::string_view kUser = "user";
constexpr std::string_view kAccessToken = "access_token";
constexpr std::string_view kBatchJob = "batch_job";

bool read_unknown(BodyReader& reader, UnknownPrincipal& to) {
    PrincipalKind kind;
    BodyReader first = reader;
    std::string_view json;
    if (!read_value(first, kind)) {
        reader = first;
        return false;
    }
    if (!reader.object_text(json)) {
        return false;
    }
    to = {.type = std::move(kind.type).value_or(""), .json = std::string(json)};
    return true;
}

}  // namespace

// The kind first, wherever it stands, then the members of that kind.
bool read_value(BodyReader& reader, Principal& to) {
    BodyReader first = reader;
    std::string unescaped;
    std::string_view kind;
    bool found = false;
    const bool good = first.object([&](std::string_view name) {
        std::string_view skipped;
        if (name == "principalType" && !first.take_null()) {
            const BodyReader::Place place(first, name);
            found = first.text(kind, unescaped);
            return false;  // far enough, or a fault
        }
        return name == "principalType" || first.value(skipped);
    });
    if (!good && !found) {
        reader = first;  // with its error
        return false;
    }
    if (kind == kUser) {
        return read_value(reader, to.emplace<UserPrincipal>());
    }
    if (kind == kAccessToken) {
        return read_value(reader, to.emplace<AccessTokenPrincipal>());
    }
    if (kind == kBatchJob) {
        return read_value(reader, to.emplace<BatchPrincipal>());
    }
    return read_unknown(reader, to.emplace<UnknownPrincipal>());
}

void write_value(std::string& out, const Principal& principal) {
    if (const auto* unknown = std::get_if<UnknownPrincipal>(&principal);
        unknown != nullptr && !unknown->json.empty()) {
        out += unknown->json;
        return;
    }
    out += R"({"principalType":)";
    if (const auto* user = std::get_if<UserPrincipal>(&principal)) {
        append_json_string(out, kUser);
        write_members(out, *user);
    } else if (const auto* token = std::get_if<AccessTokenPrincipal>(&principal)) {
        append_json_string(out, kAccessToken);
        write_members(out, *token);
    } else if (const auto* batch = std::get_if<BatchPrincipal>(&principal)) {
        append_json_string(out, kBatchJob);
        write_members(out, *batch);
    } else {
        append_json_string(out, std::get<UnknownPrincipal>(principal).type);
    }
    out += '}';
}

namespace {

// Each entry of a tree has the key of its execution, so a long one would be multiplied by them.
constexpr std::size_t kTreeKeyBytes = 255;

std::optional<EventError> too_long(std::string field) {
    std::string detail =
        fmt::format("{} must have at most {} bytes in a tree of steps", field, kTreeKeyBytes);
    return EventError{.field = std::move(field), .detail = std::move(detail)};
}

std::optional<EventError> check_tree(const ExperimentExecution& experiment) {
    if (!experiment.steps.empty() && experiment.experiment_key.size() > kTreeKeyBytes) {
        return too_long("experimentExecution.experimentKey");
    }
    for (std::size_t i = 0; i < experiment.steps.size(); ++i) {
        if (experiment.steps[i].experiment_key.size() > kTreeKeyBytes) {
            return too_long(fmt::format("experimentExecution.steps[{}].experimentKey", i));
        }
    }
    return std::nullopt;
}

// What a tree of version 1.2 leaves to be seen from where it stands.
void complete_tree(ExperimentExecution& experiment) {
    for (StepExecution& step : experiment.steps) {
        if (step.experiment_key.empty()) {
            step.experiment_key = experiment.experiment_key;
            step.execution_id = experiment.execution_id;
        }
        for (TargetExecution& target : step.targets) {
            if (target.experiment_key.empty()) {
                target.experiment_key = step.experiment_key;
                target.execution_id = step.execution_id;
            }
            if (target.step_execution_id.empty()) {
                target.step_execution_id = step.id;
            }
        }
    }
}

std::optional<EventError> complete(Event& event) {
    if (!event.experiment) {
        return std::nullopt;
    }
    if (auto error = check_tree(*event.experiment)) {
        return error;
    }
    complete_tree(*event.experiment);
    if (event.step_execution_id && !event.step) {
        const auto& steps = event.experiment->steps;
        const auto id = parse_steadybit_uuid(*event.step_execution_id);
        const auto step = std::ranges::find_if(steps, [&id](const StepExecution& one) {
            return parse_steadybit_uuid(one.id) == id;  // however each is spelt
        });
        if (step != steps.end()) {
            event.step = *step;
        }
    }
    return std::nullopt;
}

template <HasSchema T>
std::expected<T, EventError> parse(std::string_view json) {
    // Filled where it is, because events are large to move.
    std::expected<T, EventError> result;
    if (!is_utf8(json)) {
        result = std::unexpected(
            EventError{.field = {}, .detail = "malformed JSON: the text is not UTF-8"}
        );
        return result;
    }
    BodyReader reader(json);
    if (!read_value(reader, *result) || !reader.finish()) {
        result = std::unexpected(reader.take_error());
    }
    return result;
}

}  // namespace

std::string_view state_name(State state) {
    return word_of(state);
}
std::string_view token_type_name(TokenType type) {
    return word_of(type);
}
std::string_view step_type_name(StepType type) {
    return word_of(type);
}
std::string_view action_kind_name(ActionKind kind) {
    return word_of(kind);
}

std::expected<Event, EventError> parse_event(std::string_view json) {
    std::expected<Event, EventError> event = parse<Event>(json);
    if (!event) {
        return event;
    }
    if (auto error = complete(*event)) {
        event = std::unexpected(*std::move(error));
    } else {
        event->json = json;
    }
    return event;
}

std::string to_json(const Event& event) {
    std::string out;
    write_value(out, event);
    return out;
}

std::expected<StepExecution, EventError> parse_step_execution(std::string_view json) {
    return parse<StepExecution>(json);
}

std::string to_json(const StepExecution& step) {
    std::string out;
    write_value(out, step);
    return out;
}

std::string time_text(Time time) {
    return rfc3339(time);
}

}  // namespace belfry::eventkit
