#include "base/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace belfry {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint8_t, 256> kValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(0xFF);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
}

std::uint32_t value_at(std::string_view text, std::size_t i) {
    return kValues[static_cast<unsigned char>(text[i])];
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
    std::size_t at = out.size();
    out.resize(at + (bytes.size() + 2) / 3 * 4);
    char* to = out.data() + at;
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t group =
            byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        *to++ = kAlphabet[group >> 18];
        *to++ = kAlphabet[group >> 12 & 63];
        *to++ = kAlphabet[group >> 6 & 63];
        *to++ = kAlphabet[group & 63];
    }
    const std::size_t rest = bytes.size() - i;
    if (rest != 0) {
        const std::uint32_t group =
            byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
        *to++ = kAlphabet[group >> 18];
        *to++ = kAlphabet[group >> 12 & 63];
        *to++ = rest == 2 ? kAlphabet[group >> 6 & 63] : '=';
        *to++ = '=';
    }
}

bool decode_base64(std::string_view text, std::string& out) {
    if (text.size() % 4 != 0) {
        return false;
    }
    if (text.empty()) {
        return true;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
    const std::size_t before = out.size();
    const std::size_t digits = text.size() - padding;
    out.resize(before + text.size() / 4 * 3 - padding);
    char* to = out.data() + before;
    std::uint32_t group = 0;
    std::uint32_t bad = 0;
    std::size_t i = 0;
    for (; i + 4 <= digits; i += 4) {
        const std::uint32_t a = value_at(text, i);
        const std::uint32_t b = value_at(text, i + 1);
        const std::uint32_t c = value_at(text, i + 2);
        const std::uint32_t d = value_at(text, i + 3);
        bad |= a | b | c | d;
        group = a << 18 | b << 12 | c << 6 | d;
        *to++ = static_cast<char>(group >> 16);
        *to++ = static_cast<char>(group >> 8);
        *to++ = static_cast<char>(group);
    }
    if (padding != 0) {
        const std::uint32_t a = value_at(text, i);
        const std::uint32_t b = value_at(text, i + 1);
        const std::uint32_t c = padding == 1 ? value_at(text, i + 2) : 0;
        group = a << 18 | b << 12 | c << 6;
        // The bits that no byte takes must be zero, or two texts would mean the same bytes.
        bad |= a | b | c | ((group & (padding == 1 ? 0xFF : 0xFFFF)) != 0 ? 0xFFU : 0U);
        *to++ = static_cast<char>(group >> 16);
        if (padding == 1) {
            *to++ = static_cast<char>(group >> 8);
        }
    }
    if ((bad & 0x80) != 0) {
        out.resize(before);
        return false;
    }
    return true;
}

}  // namespace belfry
