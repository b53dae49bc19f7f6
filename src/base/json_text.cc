#include "base/json_text.h"

#include <array>
#include <charconv>
#include <cstring>

namespace belfry {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// The high bit of each byte that is `"`, `\` or below 0x20; a byte after such a one may be marked
// too.
std::uint64_t needs_escape(std::uint64_t eight) {
    const std::uint64_t quote = eight ^ (kOnes * '"');
    const std::uint64_t backslash = eight ^ (kOnes * '\\');
    const std::uint64_t low = (eight - kOnes * 0x20) & ~eight;
    return (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | low) & kHighs;
}

// Where the first byte that needs escaping stands, from `i` on.
std::size_t plain_until(std::string_view text, std::size_t i) {
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + i, sizeof eight);
        if (needs_escape(eight) != 0) {
            break;
        }
    }
    while (i < text.size()) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            break;
        }
        ++i;
    }
    return i;
}

void append_escaped(std::string& out, char byte) {
    switch (byte) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    static constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\u00";
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[static_cast<unsigned char>(byte) & 0xF];
}

}  // namespace

void append_json_string(std::string& out, std::string_view utf8) {
    out += '"';
    std::size_t i = 0;
    while (true) {
        const std::size_t end = plain_until(utf8, i);
        out.append(utf8, i, end - i);
        if (end == utf8.size()) {
            break;
        }
        append_escaped(out, utf8[end]);
        i = end + 1;
    }
    out += '"';
}

void append_json_name(std::string& out, std::string_view name) {
    out += '"';
    out += name;
    out += "\":";
}

void append_json_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end.ptr);
}

}  // namespace belfry
