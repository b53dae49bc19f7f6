// Numbers as Go's standard library reads them from a query: Consul takes these texts and no others.
// May be called from any thread.
#pragma once

#include "base/clock.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace belfry {

// time.ParseDuration: an optional sign, then decimal numbers, each with a unit (ns us µs ms s m h):
// "1m30s", "1.5h", "-2s"; a bare "0" is fine. nullopt for anything else and what overflows.
[[nodiscard]] std::optional<Duration> parse_go_duration(std::string_view text);

// strconv.ParseUint(text, 10, 64): digits only.
[[nodiscard]] std::optional<std::uint64_t> parse_go_uint(std::string_view text);

}  // namespace belfry
