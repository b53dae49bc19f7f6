// CloudEvents 1.0 JSON event format: one event (application/cloudevents+json), a batch
// (application/cloudevents-batch+json), a line a piece (NDJSON).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "event/event.h"

namespace belfry {

// Parsed events and the memory that unescaped texts live in. The events' views point into that memory or
// into the text given to the parser, which must outlive this.
class ParsedEvents {
 public:
    ParsedEvents();
    ParsedEvents(ParsedEvents&&) noexcept;
    ParsedEvents& operator=(ParsedEvents&&) noexcept;
    ~ParsedEvents();
    std::vector<Event> events;

 private:
    friend class CloudEventsJsonParser;
    struct Memory;
    std::unique_ptr<Memory> memory_;
};

// A parser with buffers that are reused from call to call; one per thread. Duplicate members, wrong types,
// specversion other than "1.0", both data and data_base64 and the like are Errc::invalid_event with `field`
// and, in batches, `index`; text that is not JSON is Errc::bad_request. A JSON `data` value is kept byte for
// byte; a JSON string under a non-JSON datacontenttype is unescaped. `id` may be absent: the log makes one.
// `source` may be absent when `default_source` is not empty. Every event has passed check_event().
class CloudEventsJsonParser {
 public:
    explicit CloudEventsJsonParser(const Limits& limits);
    ~CloudEventsJsonParser();
    CloudEventsJsonParser(const CloudEventsJsonParser&) = delete;
    CloudEventsJsonParser& operator=(const CloudEventsJsonParser&) = delete;

    [[nodiscard]] Result<ParsedEvents> parse_one(std::string_view json);
    [[nodiscard]] Result<ParsedEvents> parse_batch(std::string_view json);   // a JSON array
    [[nodiscard]] Result<ParsedEvents> parse_lines(std::string_view ndjson);  // empty lines are skipped

 private:
    struct State;
    std::unique_ptr<State> state_;
};

// Appends the event as a JSON object. `with_log` adds offset, recorded, tenant and uuid, as the native API's
// lists show them. Data that is valid JSON under a JSON media type (or none) leaves as `data`, other UTF-8
// text under a text media type as a string, everything else as data_base64.
enum class LogMembers : bool { leave_out, add };
void append_event_json(const StoredEvent& stored, LogMembers log_members, std::string& out);

}  // namespace belfry
