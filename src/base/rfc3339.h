// Times as RFC 3339 text. May be called from any thread; formatting allocates nothing but room in
// `out`.
#pragma once

#include "base/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace belfry {

// "2026-03-01T12:00:00.000000Z": always UTC, always microseconds, so that texts sort as times do.
// The year is kept within 0000 and 9999.
void append_rfc3339(std::string& out, WallTime time);
[[nodiscard]] std::string rfc3339(WallTime time);

// Any RFC 3339 date-time, offsets and fractions included; digits past microseconds are cut, a leap
// second
// (:60) is the next second. nullopt if it is not one.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace belfry
