// The index that clients of Consul compute from an event's id and wait on: X-Consul-Index of a list
// is that of its last event. Of our events it is offset + 2, so it rises with the log. Pure.
#pragma once

#include "event/uuid.h"

#include <cstdint>

namespace belfry {

inline constexpr std::uint64_t kConsulIndexOfNothing = 1;  // of an empty list; 0 means: do not wait

// The XOR of the halves, 1 for 0.
[[nodiscard]] constexpr std::uint64_t consul_index(Uuid id) {
    return id.high == id.low ? kConsulIndexOfNothing : id.high ^ id.low;
}

}  // namespace belfry
