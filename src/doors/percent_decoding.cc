#include "doors/percent_decoding.h"

#include "base/assert.h"
#include "base/hex.h"
#include "base/utf8.h"

namespace belfry {

namespace {

// No control characters, valid UTF-8. ASCII, the common case, is settled by one pass.
bool is_text(std::string_view text) {
    unsigned char seen = 0;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            return false;
        }
        seen |= byte;
    }
    return seen < 0x80 || is_utf8(text);
}

}  // namespace

std::optional<std::string_view> percent_decode_bytes(
    std::string_view raw, PlusSign plus, std::string& memory
) {
    bool plus_is_space = plus == PlusSign::is_space;
    if (!raw.contains('%') && !(plus_is_space && raw.contains('+'))) {
        return raw;
    }
    ASSERT(memory.capacity() - memory.size() >= raw.size());
    std::size_t begin = memory.size();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        char c = raw[i];
        if (c == '%') {
            bool whole = i + 2 < raw.size();
            int high = whole ? hex_digit_value(raw[i + 1]) : -1;
            int low = whole ? hex_digit_value(raw[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return std::nullopt;
            }
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        memory.push_back(c);
    }
    return std::string_view(memory).substr(begin);
}

std::optional<std::string_view> percent_decode(
    std::string_view raw, PlusSign plus, std::string& memory
) {
    const std::optional<std::string_view> decoded = percent_decode_bytes(raw, plus, memory);
    return decoded && is_text(*decoded) ? decoded : std::nullopt;
}

}  // namespace belfry
