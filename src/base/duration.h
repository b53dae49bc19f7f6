// Durations as people write them, in configuration and documents: `250ms`, `10s`, `1h30m`, `7d`.
// A number and a unit (d h m s ms us), units in falling order and each at most once; no sign, no
// fraction, no space, no bare number.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <string>
#include <string_view>

namespace belfry {

// Errc::bad_request with a sentence that shows the right form; never overflows.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// The shortest such text, which parse_duration() reads back equal: "1h30m", "1d", "0s". Below a
// microsecond is cut; `duration` is not negative.
[[nodiscard]] std::string duration_text(Duration duration);

}  // namespace belfry
