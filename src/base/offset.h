// An event's position in the log: 0, 1, 2 … without holes. A type of its own, so that it is never
// mixed with counts, bytes or file positions.
#pragma once

#include <compare>
#include <cstdint>

namespace belfry {

struct Offset {
    std::uint64_t value = 0;

    auto operator<=>(const Offset&) const = default;
    [[nodiscard]] constexpr Offset next() const { return Offset{value + 1}; }
    [[nodiscard]] constexpr Offset operator+(std::uint64_t count) const {
        return Offset{value + count};
    }
    // How many events lie in [from, this).
    [[nodiscard]] constexpr std::uint64_t operator-(Offset from) const {
        return value - from.value;
    }
};

}  // namespace belfry
