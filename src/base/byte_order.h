// Integers in files and on the wire: little-endian, at any alignment.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace belfry {

// Reads sizeof(T) bytes at `from`.
template <std::unsigned_integral T>
[[nodiscard]] inline T load_le(const std::byte* from) {
    T value = 0;
    std::memcpy(&value, from, sizeof(T));
    if constexpr (std::endian::native == std::endian::big) {
        value = std::byteswap(value);
    }
    return value;
}

// Writes sizeof(T) bytes at `to`.
template <std::unsigned_integral T>
inline void store_le(std::byte* to, T value) {
    if constexpr (std::endian::native == std::endian::big) {
        value = std::byteswap(value);
    }
    std::memcpy(to, &value, sizeof(T));
}

}  // namespace belfry
