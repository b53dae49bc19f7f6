// What HTTP/1.1 calls its characters (RFC 9110, 5.6): ASCII only, no locale.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace belfry {

[[nodiscard]] constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// The same for eight characters at once.
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

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The value of a hexadecimal digit; -1 for another character.
[[nodiscard]] constexpr int hex_value(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// tchar: what method and header names are made of.
[[nodiscard]] constexpr bool is_token_char(char c) {
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

[[nodiscard]] constexpr std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

// One number of 1 to 19 digits and nothing else (RFC 9110, 8.6, without its lists).
[[nodiscard]] constexpr std::optional<std::uint64_t> parse_content_length(std::string_view text) {
    constexpr std::size_t kDigits = 19;  // fits 64 bits
    if (text.empty() || text.size() > kDigits || !std::ranges::all_of(text, is_digit)) {
        return std::nullopt;
    }
    std::uint64_t length = 0;
    for (const char digit : text) {
        length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return length;
}

// Calls `see` with each member of a comma-separated list, trimmed; empty members are skipped.
template <typename See>
constexpr void for_each_member(std::string_view list, See see) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (const std::string_view member = trim_blanks(list.substr(0, comma)); !member.empty()) {
            see(member);
        }
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
}

}  // namespace belfry
