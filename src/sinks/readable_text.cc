#include "sinks/readable_text.h"

#include <cstdint>

namespace belfry {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Lead {
    std::size_t length = 0;  // 0: no character begins so
    std::uint8_t second_least = 0x80;
    std::uint8_t second_most = 0xbf;
};

// Table 3-7 of the Unicode standard: which bytes begin a character, and which may come second, so
// that overlong forms and surrogates are none.
Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) {
        return {1};
    }
    if (byte >= 0xc2 && byte <= 0xdf) {
        return {2};
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        return {
            3,
            byte == 0xe0 ? std::uint8_t{0xa0} : std::uint8_t{0x80},
            byte == 0xed ? std::uint8_t{0x9f} : std::uint8_t{0xbf}
        };
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        return {
            4,
            byte == 0xf0 ? std::uint8_t{0x90} : std::uint8_t{0x80},
            byte == 0xf4 ? std::uint8_t{0x8f} : std::uint8_t{0xbf}
        };
    }
    return {};
}

// How many bytes at the front of `bytes` belong together: a whole character, or the part of one
// that is right. `whole` tells which.
std::size_t front_length(std::string_view bytes, bool& whole) {
    Lead lead = lead_of(static_cast<std::uint8_t>(bytes.front()));
    std::size_t length = 1;
    while (length < lead.length && length < bytes.size()) {
        auto byte = static_cast<std::uint8_t>(bytes[length]);
        bool fits = length == 1 ? byte >= lead.second_least && byte <= lead.second_most
                                : byte >= 0x80 && byte <= 0xbf;
        if (!fits) {
            break;
        }
        ++length;
    }
    whole = length == lead.length;
    return length;
}

}  // namespace

std::string readable_text(std::string_view bytes, std::size_t bytes_max) {
    std::string text;
    std::size_t at = 0;
    while (at < bytes.size()) {
        bool whole = false;
        std::size_t length = front_length(bytes.substr(at), whole);
        if (at + length > bytes_max) {
            break;
        }
        text += whole ? bytes.substr(at, length) : kReplacement;
        at += length;
    }
    return text;
}

}  // namespace belfry
