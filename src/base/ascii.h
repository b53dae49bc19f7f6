// Letters and digits of ASCII, whatever the locale. May be called from any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace belfry {

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[nodiscard]] constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

[[nodiscard]] inline std::string ascii_lowered(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), ascii_lower);
    return result;
}

// ascii_lower of eight characters at once.
[[nodiscard]] constexpr std::uint64_t ascii_lower_of_eight(std::uint64_t characters) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t low = characters & (0x7f * kOnes);
    const std::uint64_t from_a = low + (0x80 - 'A') * kOnes;
    const std::uint64_t past_z = low + (0x7f - 'Z') * kOnes;
    const std::uint64_t upper = (from_a ^ past_z) & ~characters & (0x80 * kOnes);
    return characters | (upper >> 2);
}

[[nodiscard]] inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    if (a.size() != b.size()) {
        return false;
    }
    if (a.size() < kWord) {
        return std::ranges::equal(a, b, [](char x, char y) {
            return ascii_lower(x) == ascii_lower(y);
        });
    }
    for (std::size_t at = 0; at < a.size(); at += kWord) {
        const std::size_t begin = std::min(at, a.size() - kWord);  // the last two words overlap
        std::uint64_t left = 0;
        std::uint64_t right = 0;
        std::memcpy(&left, a.data() + begin, kWord);
        std::memcpy(&right, b.data() + begin, kWord);
        if (ascii_lower_of_eight(left) != ascii_lower_of_eight(right)) {
            return false;
        }
    }
    return true;
}

}  // namespace belfry
