#include "catalog/subscription.h"

#include "base/json.h"
#include "base/json_text.h"
#include "catalog/delivery_document.h"
#include "catalog/document_form.h"
#include "catalog/name.h"
#include "catalog/webhook_document.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace belfry {

namespace {

namespace json = boost::json;

struct StateName {
    SubscriptionState state;
    std::string_view name;
};
constexpr std::array kStates{
    StateName{SubscriptionState::active, "active"},
    StateName{SubscriptionState::paused, "paused"},
    StateName{SubscriptionState::disabled, "disabled"},
};

// A stored document was checked when it came; limits that shrank since must not lose it.
Limits stored_limits() {
    Limits limits;
    limits.filter_bytes = limits.filter_value_bytes = std::numeric_limits<std::uint64_t>::max();
    limits.json_depth = limits.json_keys = limits.filter_depth = 100'000;
    return limits;
}

Result<Filter> read_filter(const json::value& value, const Limits& limits) {
    Result<Filter> filter = parse_filter(json::serialize(value), limits);
    if (!filter) {
        Error& error = filter.error();
        error.field = error.field.empty() ? "filter" : "filter." + error.field;
    }
    return filter;
}

CommandSink read_command(JsonObjectReader& reader) {
    CommandSink sink{.command = reader.required_text("command")};
    if (reader.ok() && !check_name(sink.command)) {
        reader.refuse("command", Errc::bad_request, "the name of a command of the configuration");
    }
    return sink;
}

Result<SinkConfig> read_sink(const json::value& value, DocumentForm form) {
    JsonObjectReader reader(value, "sink");
    std::string kind = reader.required_text("kind");
    SinkConfig sink;
    if (kind == "webhook") {
        sink = read_webhook(reader, form);
    } else if (kind == "command") {
        sink = read_command(reader);
    } else if (kind == "steadybit" && form == DocumentForm::stored) {
        sink = SteadybitSink{.extension = reader.required_text("extension")};
    } else if (reader.ok()) {
        reader.refuse(
            "kind",
            Errc::bad_request,
            kind == "steadybit" ? "extensions of Steadybit are registered at /api/v1/extensions, "
                                  "which makes their subscription"
                                : "the kinds of sinks are: webhook, command"
        );
        return std::unexpected(reader.finish().error());
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return sink;
}

// Stores the value, or notes the error.
template <typename T>
void take(JsonObjectReader& reader, Result<T> result, T& target) {
    if (result) {
        target = std::move(*result);
    } else {
        reader.check(std::unexpected(std::move(result.error())));
    }
}

void read_stored_members(JsonObjectReader& reader, Subscription& subscription) {
    subscription.tenant = reader.required_text("tenant");
    subscription.reason = reader.text("reason").value_or("");
    std::string name = reader.required_text("state");
    const auto* found = std::ranges::find(kStates, name, &StateName::name);
    if (found == kStates.end()) {
        reader.refuse("state", Errc::bad_request, "unknown state");
    } else {
        subscription.state = found->state;
    }
}

Result<Subscription> read_subscription(
    std::string_view text, DocumentForm form, const Limits& limits
) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    JsonObjectReader reader(*document);
    Subscription subscription;
    subscription.name = reader.required_text("name");
    if (reader.ok() && form == DocumentForm::request) {
        reader.check(check_name(subscription.name));  // those of extensions have a slash
    }
    if (const json::value* filter = reader.optional("filter")) {
        take(reader, read_filter(*filter, limits), subscription.filter);
    }
    if (const json::value* sink = reader.required("sink")) {
        take(reader, read_sink(*sink, form), subscription.sink);
    }
    if (const json::value* start = reader.optional("start")) {
        take(reader, read_start(*start, "start"), subscription.start);
    }
    if (const json::value* delivery = reader.optional("delivery")) {
        take(reader, read_delivery(*delivery, "delivery"), subscription.delivery);
    }
    if (form == DocumentForm::stored) {
        read_stored_members(reader, subscription);
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return subscription;
}

void append_sink(std::string& out, const SinkConfig& sink, DocumentForm form) {
    if (const auto* command = std::get_if<CommandSink>(&sink)) {
        out += R"({"kind":"command","command":)";
        append_json_string(out, command->command);
        out += '}';
    } else if (const auto* steadybit = std::get_if<SteadybitSink>(&sink)) {
        out += R"({"kind":"steadybit","extension":)";
        append_json_string(out, steadybit->extension);
        out += '}';
    } else {
        append_webhook(out, std::get<WebhookSink>(sink), form);
    }
}

std::string write_subscription(const Subscription& subscription, DocumentForm form) {
    std::string out = "{\"name\":";
    append_json_string(out, subscription.name);
    if (form == DocumentForm::stored) {
        out += ",\"tenant\":";
        append_json_string(out, subscription.tenant);
    }
    out += ",\"filter\":" + filter_json(subscription.filter) + ",\"sink\":";
    append_sink(out, subscription.sink, form);
    out += ",\"start\":";
    append_start(out, subscription.start);
    out += ",\"delivery\":";
    append_delivery(out, subscription.delivery);
    out += ",\"state\":";
    append_json_string(
        out, std::ranges::find(kStates, subscription.state, &StateName::state)->name
    );
    if (!subscription.reason.empty()) {
        out += ",\"reason\":";
        append_json_string(out, subscription.reason);
    }
    if (form == DocumentForm::shown) {
        out += ",\"revision\":";
        append_json_number(out, subscription.revision.value);
    }
    return out + "}";
}

}  // namespace

Result<Subscription> parse_subscription(std::string_view json, const Limits& limits) {
    return read_subscription(json, DocumentForm::request, limits);
}

void end_overlap(Subscription& subscription, WallTime now) {
    auto* sink = std::get_if<WebhookSink>(&subscription.sink);
    if (sink != nullptr && sink->secrets.size() > 1 && sink->previous_until.value_or(now) <= now) {
        sink->secrets.resize(1);
        sink->previous_until.reset();
    }
}

std::string public_subscription_json(const Subscription& subscription) {
    return write_subscription(subscription, DocumentForm::shown);
}

std::string stored_subscription_json(const Subscription& subscription) {
    return write_subscription(subscription, DocumentForm::stored);
}

Result<Subscription> parse_stored_subscription(std::string_view json) {
    return read_subscription(json, DocumentForm::stored, stored_limits());
}

}  // namespace belfry
