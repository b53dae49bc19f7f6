// Hex digits. May be called from any thread.
#pragma once

namespace belfry {

// 0 to 15, either case; -1 if `c` is no hex digit.
[[nodiscard]] constexpr int hex_digit_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace belfry
