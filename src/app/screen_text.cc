#include "app/screen_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

namespace belfry {

namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t size = 1;
    bool valid = false;
};

// The first character of `text`, which is not empty: strict UTF-8 (no overlong forms, no
// surrogates).
Character first_character(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) {
        return {.code = byte(0), .size = 1, .valid = true};
    }
    std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
    if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) {
        return {};
    }
    std::uint32_t code = byte(0) & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) {
            return {};
        }
        code = (code << 6U) | (byte(i) & 0x3fU);
    }
    bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return {};
    }
    return {.code = code, .size = size, .valid = true};
}

// Characters that move the cursor, reorder a line, hide, or start a command.
bool is_unsafe(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
           code == 0x180e || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
           code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xe0000 && code <= 0xe007f);
}

std::string escaped(std::uint32_t code) {
    switch (code) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            return code < 0x80 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{{{:x}}}", code);
    }
}

std::string json_escaped(std::uint32_t code) {
    if (code < 0x10000) {
        return fmt::format("\\u{:04x}", code);
    }
    std::uint32_t rest = code - 0x10000;
    return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10U), 0xdc00 + (rest & 0x3ffU));
}

}  // namespace

std::string screen_text(std::string_view text) {
    return screen_text(text, std::numeric_limits<std::size_t>::max());
}

std::string screen_text(std::string_view text, std::size_t width) {
    std::string out;
    std::size_t used = 0;
    std::size_t before_last = 0;  // where to cut so that `…` still fits
    while (!text.empty()) {
        Character character = first_character(text);
        std::string piece(text.substr(0, character.size));
        if (!character.valid) {
            piece = fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        } else if (is_unsafe(character.code)) {
            piece = escaped(character.code);
        }
        // An escape is ASCII, everything else one character.
        std::size_t columns = piece.front() == '\\' ? piece.size() : 1;
        if (used + columns > width) {
            return out.substr(0, before_last) + "…";
        }
        out += piece;
        used += columns;
        if (used < width) {
            before_last = out.size();
        }
        text.remove_prefix(character.size);
    }
    return out;
}

std::string screen_json(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        Character character = first_character(json);
        if (!character.valid) {
            out += "\\ufffd";
        } else if (character.code < 0x20) {
            out += ' ';  // JSON has raw control characters only between its tokens
        } else if (is_unsafe(character.code)) {
            out += json_escaped(character.code);
        } else {
            out += json.substr(0, character.size);
        }
        json.remove_prefix(character.size);
    }
    return out;
}

}  // namespace belfry
