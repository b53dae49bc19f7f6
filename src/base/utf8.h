// What text may hold. May be called from any thread. Stands alone because simdjson's header costs a
// file 3 seconds.
#pragma once

#include <string_view>

namespace belfry {

// As RFC 3629 has it: no overlong forms, no surrogates, nothing over U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

// Of ASCII: below the space, or DEL.
[[nodiscard]] constexpr bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

}  // namespace belfry
