// The body of one event call of Steadybit's Event API as C++ values: what every version of the API
// has sent, in the shape of the newest one. A std::optional is set exactly if the member was there
// and not null, so absent and empty are told apart, but for the trees of version 1.2: there an
// absent list, map or text is an empty one. Plain values; the functions are pure and may be called
// from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace belfry::eventkit {

// Digits past microseconds are cut; the text as it came stands in Event::json.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

enum class State : std::uint8_t {
    created,
    prepared,
    running,
    failed,
    completed,
    canceled,
    skipped,  // of executions only up to version 1.4
    errored,
};
enum class TokenType : std::uint8_t { admin, team };
enum class StepType : std::uint8_t { wait, action };
enum class ActionKind : std::uint8_t { attack, check, load_test, other };

// As the API writes them: lower case.
[[nodiscard]] std::string_view state_name(State state);
[[nodiscard]] std::string_view token_type_name(TokenType type);
[[nodiscard]] std::string_view step_type_name(StepType type);
[[nodiscard]] std::string_view action_kind_name(ActionKind kind);

// Who caused the event.
struct UserPrincipal {
    std::string username;
    std::string name;
    std::optional<std::string> email;
    bool operator==(const UserPrincipal&) const = default;
};
struct AccessTokenPrincipal {
    std::string id;
    std::string name;
    TokenType token_type = TokenType::admin;
    bool operator==(const AccessTokenPrincipal&) const = default;
};
struct BatchPrincipal {
    std::string username;
    bool operator==(const BatchPrincipal&) const = default;
};
// A kind this version does not know, or one without `principalType` (type is empty then).
struct UnknownPrincipal {
    std::string type;
    std::string json;  // the whole object, byte for byte
    bool operator==(const UnknownPrincipal&) const = default;
};
using Principal =
    std::variant<UserPrincipal, AccessTokenPrincipal, BatchPrincipal, UnknownPrincipal>;

struct Tenant {
    std::string key;
    std::string name;
    bool operator==(const Tenant&) const = default;
};
struct Team {
    std::optional<std::string> id;
    std::string key;
    std::string name;
    bool operator==(const Team&) const = default;
};
struct Environment {
    std::string id;
    std::string name;
    bool operator==(const Environment&) const = default;
};

// What a step did to one target.
struct TargetExecution {
    std::string experiment_key;
    std::int64_t execution_id = 0;
    std::string step_execution_id;  // a UUID
    std::string id;                 // a UUID
    State state = State::created;
    std::string agent_hostname;
    std::string target_name;
    std::string target_type;
    std::map<std::string, std::vector<std::string>> target_attributes;
    std::optional<Time> started_time;
    std::optional<Time> ended_time;
    std::optional<std::string> reason;
    std::optional<std::string> reason_details;
    bool operator==(const TargetExecution&) const = default;
};

struct StepExecution {
    std::string experiment_key;
    std::int64_t execution_id = 0;
    std::string id;  // a UUID
    StepType type = StepType::wait;
    State state = State::created;
    std::optional<std::string> action_id;
    std::optional<std::string> action_name;
    std::optional<ActionKind> action_kind;
    std::optional<std::string> custom_label;
    std::optional<Time> started_time;
    std::optional<Time> ended_time;
    std::vector<TargetExecution> targets;  // version 1.2 only
    bool operator==(const StepExecution&) const = default;
};

struct ExperimentExecution {
    std::string experiment_key;
    std::int64_t execution_id = 0;  // exact
    std::string name;
    State state = State::created;
    std::optional<std::string> hypothesis;
    std::optional<Time> prepared_time;
    std::optional<Time> started_time;
    std::optional<Time> ended_time;
    std::optional<std::string> reason;  // up to version 1.2.3 `failureReason`
    std::optional<std::string> reason_details;
    std::optional<std::vector<std::string>> tags;
    std::optional<std::map<std::string, std::string>> variables;
    std::optional<std::string> properties;  // a JSON object, byte for byte
    // Version 1.2 only. What its steps and targets lack (key and number of the execution, the step
    // of a target) is filled in.
    std::vector<StepExecution> steps;
    bool operator==(const ExperimentExecution&) const = default;
};

struct Event {
    std::string id;    // a UUID, spelt as it came; the same on every attempt
    std::string name;  // such as "experiment.execution.completed"; new names may appear
    Time time{};
    Principal principal;
    Tenant tenant;
    std::optional<Team> team;
    std::optional<Environment> environment;
    std::optional<ExperimentExecution> experiment;
    // Of an event of a step. In version 1.2 the step of `experiment` that `stepExecutionId` names.
    std::optional<StepExecution> step;
    std::optional<TargetExecution> target;
    std::optional<std::string> step_execution_id;  // version 1.2 only
    std::string json;  // the body as it came, with all that is not read above; to_json() ignores it
    bool operator==(const Event&) const = default;
};

// Why a body was refused.
struct EventError {
    std::string field;   // a path such as "experimentExecution.state"; empty: not a JSON object
    std::string detail;  // a sentence that says what would be right
};

// Strict where the schema is: a member that it requires, but that no version or documented example
// lacks, must be there; a member that is read must have its type and stand once. States and other
// fixed words are read in either case, `null` as absent. Members that are not read may hold
// anything.
[[nodiscard]] std::expected<Event, EventError> parse_event(std::string_view json);

// The body that parse_event() reads as the same event. Texts must be UTF-8; `json` of an unknown
// principal and `properties` must be JSON objects.
[[nodiscard]] std::string to_json(const Event& event);

// The same for a step alone, as it stands under `experimentStepExecution`.
[[nodiscard]] std::expected<StepExecution, EventError> parse_step_execution(std::string_view json);
[[nodiscard]] std::string to_json(const StepExecution& step);

// "2026-03-01T12:00:00.000000Z": UTC, microseconds.
[[nodiscard]] std::string time_text(Time time);

}  // namespace belfry::eventkit
