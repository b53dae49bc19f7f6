// The index of a Steadybit extension: the event listeners it asks an agent to call. Real ones are
// merged objects, so whatever else stands in them is not looked at, and `null` is nothing. One
// listener that cannot be used is refused with a reason; the others of its index stay. Pure; may be
// called from any thread.
#pragma once

#include "base/error.h"
#include "base/limits.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

inline constexpr std::size_t kSteadybitIndexBytes = 4ULL << 20U;
inline constexpr std::size_t kSteadybitListeners = 1'000;

struct SteadybitListener {
    // Who of several agents calls it: every one, the leader, those in AWS mode.
    enum class Restrict : std::uint8_t { any, leader, aws };
    std::string path;                    // begins with a slash; may have a query
    std::string method;                  // POST, PUT or DELETE
    std::vector<std::string> listen_to;  // exact names, each once, or `*`; empty: never called
    Restrict restrict_to = Restrict::leader;

    [[nodiscard]] bool listens_to(std::string_view event_name) const;
    bool operator==(const SteadybitListener&) const = default;
};

// A listener that is not called, as far as it could be read.
struct SteadybitRefusal {
    std::string method;
    std::string path;
    std::vector<std::string> listen_to;
    std::string reason;
    bool operator==(const SteadybitRefusal&) const = default;
};

struct SteadybitIndex {
    std::vector<SteadybitListener> listeners;  // at most kSteadybitListeners; no two are equal
    std::vector<SteadybitRefusal> refusals;    // the first kSteadybitListeners of them
    std::size_t refusals_beyond = 0;           // how many more there are
    bool operator==(const SteadybitIndex&) const = default;
};

// bad_request for text that is no index, too_large past kSteadybitIndexBytes.
[[nodiscard]] Result<SteadybitIndex> parse_steadybit_index(
    std::string_view text, const Limits& limits
);

// "any", "leader", "aws".
[[nodiscard]] std::string_view restrict_name(SteadybitListener::Restrict restrict_to);

}  // namespace belfry
