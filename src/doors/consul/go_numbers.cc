#include "doors/consul/go_numbers.h"

#include "base/ascii.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace belfry {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// Longest first, so that "ms" is not read as "m".
constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> kUnits{{
    {"ns", 1},
    {"us", 1'000},
    {"\u00b5s", 1'000},  // micro sign
    {"\u03bcs", 1'000},  // Greek mu
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

// Takes "1.5h" off `text` and adds it.
bool take_part(std::string_view& text, std::int64_t& total) {
    std::int64_t whole = 0;
    std::int64_t fraction = 0;
    std::int64_t scale = 1;
    bool digits = false;
    bool point = false;
    for (; !text.empty() && (is_digit(text.front()) || (text.front() == '.' && !point));
         text.remove_prefix(1)) {
        if (text.front() == '.') {
            point = true;
            continue;
        }
        digits = true;
        const std::int64_t digit = text.front() - '0';
        if (!point) {
            if (whole > (kMost - digit) / 10) {
                return false;
            }
            whole = whole * 10 + digit;
        } else if (scale < 1'000'000'000'000) {
            // What is finer than a nanosecond does not count.
            fraction = fraction * 10 + digit;
            scale *= 10;
        }
    }
    if (!digits) {
        return false;
    }
    for (const auto& [name, unit] : kUnits) {
        if (!text.starts_with(name)) {
            continue;
        }
        text.remove_prefix(name.size());
        const auto part = static_cast<std::int64_t>(
            static_cast<double>(fraction) / static_cast<double>(scale) * static_cast<double>(unit)
        );
        if (whole > (kMost - part) / unit || total > kMost - (whole * unit + part)) {
            return false;
        }
        total += whole * unit + part;
        return true;
    }
    return false;
}

}  // namespace

std::optional<Duration> parse_go_duration(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text == "0") {
        return Duration::zero();
    }
    if (text.empty()) {
        return std::nullopt;
    }
    std::int64_t total = 0;
    while (!text.empty()) {
        if (!take_part(text, total)) {
            return std::nullopt;
        }
    }
    return Duration(negative ? -total : total);
}

std::optional<std::uint64_t> parse_go_uint(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || failed != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

}  // namespace belfry
