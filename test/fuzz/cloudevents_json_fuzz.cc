// The JSON event format. What is accepted must come back the same from what is written for it, and
// the two readers of JSON must agree on what JSON is.
#include "base/assert.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "event/cloudevents_json.h"
#include "event/media_type.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using namespace belfry;

const Limits kLimits;

// JSON data is written on one line and without the white space around it.
std::string comparable(const Event& event) {
    std::string data(event.data.value_or(""));
    if (event.datacontenttype.empty() || is_json_media_type(event.datacontenttype)) {
        std::ranges::replace(data, '\n', ' ');
        std::ranges::replace(data, '\r', ' ');
        data.erase(0, data.find_first_not_of(" \t"));
        data.erase(data.find_last_not_of(" \t") + 1);
    }
    return data;
}

void check_round_trip(const CloudEventsJsonParser& parser, const Event& event) {
    StoredEvent stored;
    stored.event = event;
    std::string json;
    append_event_json(stored, LogMembers::leave_out, json);
    ASSERT(is_json(json));
    ASSERT(json.find('\n') == std::string::npos);
    const auto again = parser.parse_one(json);
    ASSERT(again.has_value() && again->events.size() == 1);
    const Event& back = again->events.front();
    ASSERT(event.id.empty() || back.id == event.id);
    ASSERT(back.source == event.source && back.type == event.type);
    ASSERT(back.subject == event.subject && back.time == event.time);
    ASSERT(back.datacontenttype == event.datacontenttype && back.dataschema == event.dataschema);
    ASSERT(back.extensions == event.extensions);
    ASSERT(back.data.has_value() == event.data.has_value());
    // White space alone is no JSON: such data travels as Base64, untouched.
    ASSERT(comparable(back) == comparable(event));

    json.clear();
    append_event_json(stored, LogMembers::add, json);
    ASSERT(parse_json(json, kLimits).has_value() || event.data.has_value());
}

void check_agreement(std::string_view text) {
    const auto value = parse_json(text, kLimits);
    const bool json = is_json(text);
    ASSERT(!value || json);
    // What only the scan accepts are limits, values and halves of surrogate pairs, never other
    // syntax.
    const bool syntax = !value && (value.error().detail.ends_with(": syntax error") ||
                                   value.error().detail.ends_with(": incomplete JSON"));
    ASSERT(!json || !syntax || text.find("\\u") != std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const CloudEventsJsonParser parser(kLimits);
    for (const auto& parsed :
         {parser.parse_one(text), parser.parse_batch(text), parser.parse_lines(text)}) {
        if (parsed) {
            for (const Event& event : parsed->events) {
                check_round_trip(parser, event);
            }
        }
    }
    check_agreement(text);
    return 0;
}
