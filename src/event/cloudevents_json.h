// CloudEvents 1.0 JSON event format: one event (application/cloudevents+json), a batch
// (application/cloudevents-batch+json), a line a piece (NDJSON).
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "event/event.h"

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class JsonScan;

// Parsed events and the texts that had to be unescaped for them. The events' views point there or
// into the text given to the parser, which must outlive this.
class ParsedEvents {
 public:
    std::vector<Event> events;

 private:
    friend class CloudEventsJsonParser;
    std::forward_list<std::string> texts_;  // a list: what it holds never moves
};

// Reads without a tree: one walk over the text gives views into it. A JSON `data` value is kept
// byte for byte; a string under a datacontenttype that is not JSON is unescaped. Extensions may be
// strings, booleans and integers, which are kept as text; a null attribute is absent. `id` may be
// absent: the log makes one. Every event has passed check_event(). May be called from any thread.
// Errors: Errc::bad_request for text that is not JSON; Errc::invalid_event with `field` for
// duplicate members, wrong types, a specversion other than "1.0", both data and data_base64 and the
// like; Errc::too_large past limits.batch_events. For a batch and lines `index` says which event;
// all are good or none is given.
class CloudEventsJsonParser {
 public:
    // `limits` must outlive it. An event without `source` gets `default_source` unless that is
    // empty; its view points into this parser.
    explicit CloudEventsJsonParser(const Limits& limits, std::string default_source = {});

    [[nodiscard]] Result<ParsedEvents> parse_one(std::string_view json) const;
    // A JSON array.
    [[nodiscard]] Result<ParsedEvents> parse_batch(std::string_view json) const;
    // An event a line; empty lines are skipped.
    [[nodiscard]] Result<ParsedEvents> parse_lines(std::string_view ndjson) const;

 private:
    Result<void> parse_next(JsonScan& scan, ParsedEvents& parsed) const;

    const Limits& limits_;
    const std::string default_source_;
};

// Appends the event as a JSON object on one line (line ends in JSON data become spaces).
// LogMembers::add adds offset, recorded, tenant and uuid, as the native API's lists show them; an
// extension of such a name is then left out. Data that is valid JSON under a JSON media type (or
// none) leaves as `data`, other UTF-8 text under a text media type as a string, everything else as
// data_base64.
enum class LogMembers : bool { leave_out, add };
void append_event_json(const StoredEvent& stored, LogMembers log_members, std::string& out);

}  // namespace belfry
