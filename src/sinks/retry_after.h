// The Retry-After header (RFC 9110, 10.2.3).
#pragma once

#include "base/clock.h"

#include <optional>
#include <string_view>

namespace belfry {

// How long to wait from `now`: seconds, or an HTTP-date in any of its three forms. At least a
// second, so that `0` or a date that has passed cannot make a loop; at most 24 h. nullopt if it is
// neither.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view value, WallTime now);

}  // namespace belfry
