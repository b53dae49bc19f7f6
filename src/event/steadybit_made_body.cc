#include "event/steadybit_made_body.h"

#include "base/base64.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "event/media_type.h"
#include "event/steadybit_body.h"

#include <algorithm>
#include <array>
#include <string>

namespace belfry {

namespace {

// All that a version of the API or its documents ever had, beside what begins with kExecution.
constexpr std::array<std::string_view, 7> kNames{
    "user.invited",
    "killswitch.engaged",
    "killswitch.disengaged",
    "experiment.started",
    "experiment.ended",
    "experiment.step.started",
    "com.steadybit.experiment.started",
};
// New ones appear with every version; all of them are of executions.
constexpr std::string_view kExecution = "experiment.execution.";

void append_text(std::string& out, std::string_view name, std::string_view text) {
    append_json_name(out, name);
    append_json_string(out, text);
}

// Always as UTC: not every reader takes each form that RFC 3339 allows.
WallTime time_of(const StoredEvent& event) {
    return parse_rfc3339(event.event.time).value_or(event.recorded);
}

std::string id_of(const StoredEvent& event) {
    if (parse_uuid(event.event.id)) {
        return std::string(event.event.id);
    }
    const UuidText text = uuid_text(event.uuid());
    return {text.data(), text.size()};
}

void append_properties(std::string& out, const Event& event) {
    if (!event.data) {
        return;
    }
    const std::string_view type = event.datacontenttype;
    if ((type.empty() || is_json_media_type(type)) && is_json(*event.data)) {
        out += ",\"properties\":";
        out += *event.data;
        return;
    }
    out += ",\"data_base64\":\"";
    append_base64(out, *event.data);
    out += '"';
}

std::string made_body(const StoredEvent& stored) {
    const Event& event = stored.event;
    std::string out = "{";
    out.reserve(320 + event.data.value_or("").size() * 4 / 3);
    append_text(out, "id", id_of(stored));
    out += ',';
    append_text(out, "eventName", event.type);
    out += ',';
    append_text(out, "eventTime", rfc3339(time_of(stored)));
    out += R"(,"tenant":{)";
    append_text(out, "key", event.tenant);
    out += ',';
    append_text(out, "name", event.tenant);
    out += R"(},"principal":{"principalType":"batch_job","username":"belfry"},"event":{)";
    append_text(out, "source", event.source);
    if (!event.subject.empty()) {
        out += ',';
        append_text(out, "subject", event.subject);
    }
    append_properties(out, event);
    out += "}}";
    return out;
}

bool is_body_of(const Event& event) {
    // Its name stands in such a body, as it is unless there are escapes.
    if (!event.data || (event.data->find(event.type) == std::string_view::npos &&
                        event.data->find('\\') == std::string_view::npos)) {
        return false;
    }
    const Result<SteadybitBody> body = parse_steadybit_body(*event.data);
    return body && body->event_name == event.type;
}

}  // namespace

bool is_steadybit_event_name(std::string_view type) {
    return type.starts_with(kExecution) || std::ranges::find(kNames, type) != kNames.end();
}

std::optional<SteadybitCallBody> steadybit_call_body(const StoredEvent& event) {
    if (is_body_of(event.event)) {
        return SteadybitCallBody{.bytes = *event.event.data, .owner = event.owner};
    }
    if (is_steadybit_event_name(event.event.type)) {
        return std::nullopt;
    }
    auto made = std::make_shared<const std::string>(made_body(event));
    const std::string_view bytes = *made;
    return SteadybitCallBody{.bytes = bytes, .owner = std::move(made)};
}

}  // namespace belfry
