// One event, or any document of the hub, as lines for a person. Pure; everything is safe for a
// terminal.
#pragma once

#include "app/console.h"

#include <string>
#include <string_view>

namespace boost::json {
class value;
}

namespace belfry {

// "12:00:01.123  17  deploy  /web-1  {"version":…}": time, offset, type, source, the beginning of
// the data. `offset` is for events that do not carry one themselves; empty: none.
[[nodiscard]] std::string event_line(
    const boost::json::value& event, std::string_view offset, const Console& console
);

// The members of a document, one a line, nested ones with their path, aligned.
[[nodiscard]] std::string member_lines(const boost::json::value& document);

// A member of an object as text for a table: strings as they are, other values as JSON, absent ones
// empty.
[[nodiscard]] std::string member_text(const boost::json::value& object, std::string_view name);

}  // namespace belfry
