// The binary binding. The input is header lines, an empty line and the body; what is accepted must
// come back the same from the headers written for it.
#include "base/assert.h"
#include "event/cloudevents_http.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace belfry;

// "name: value" lines up to an empty one, which ends the headers; the rest of `text` stays.
std::vector<HeaderField> take_headers(std::string_view& text, std::string_view line_end) {
    std::vector<HeaderField> headers;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find(line_end));
        text.remove_prefix(std::min(line.size() + line_end.size(), text.size()));
        if (line.empty()) {
            break;
        }
        const std::size_t colon = std::min(line.find(": "), line.size());
        headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 2, line.size()))});
    }
    return headers;
}

void check_round_trip(const Event& event, std::string_view body) {
    StoredEvent stored;
    stored.event = event;
    std::string out;
    append_binary_headers(stored, out);
    std::string_view rest = out;
    const std::vector<HeaderField> headers = take_headers(rest, "\r\n");
    ASSERT(rest.empty());
    ASSERT(cloudevents_mode(headers) != CloudEventsMode::none);
    std::vector<std::string> memory;
    const auto again = parse_binary_event(headers, body, Limits{}, memory);
    ASSERT(again.has_value());
    ASSERT(event.id.empty() || again->id == event.id);
    ASSERT(again->source == event.source && again->type == event.type);
    ASSERT(again->subject == event.subject && again->time == event.time);
    ASSERT(again->dataschema == event.dataschema && again->extensions == event.extensions);
    ASSERT(event.datacontenttype.empty() || again->datacontenttype == event.datacontenttype);
    ASSERT(again->data == event.data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::vector<HeaderField> headers = take_headers(text, "\n");
    std::vector<std::string> memory;
    const auto event = parse_binary_event(headers, text, Limits{}, memory);
    if (event) {
        check_round_trip(*event, text);
    }
    return 0;
}
