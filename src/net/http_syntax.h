// What HTTP/1.1 calls its characters (RFC 9110, 5.6): ASCII only, no locale.
#pragma once

#include "base/ascii.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace belfry {

// tchar: what method and header names are made of.
[[nodiscard]] constexpr bool is_token_char(char c) {
    return is_digit(c) || is_letter(c) || std::string_view("!#$%&'*+-.^_`|~").contains(c);
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
