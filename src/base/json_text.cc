#include "base/json_text.h"

#include "base/json_stops.h"

#include <array>
#include <charconv>

namespace belfry {

namespace {

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
        const std::size_t end = json_stop(utf8, i);
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
