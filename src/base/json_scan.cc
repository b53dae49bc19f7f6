#include "base/json_scan.h"

#include "base/ascii.h"
#include "base/hex.h"
#include "base/utf8.h"

#include <array>
#include <cstdint>

namespace belfry {

namespace {

// Four hex digits that a scan has seen.
std::uint32_t code_unit(std::string_view digits) {
    std::uint32_t value = 0;
    for (const char c : digits.substr(0, 4)) {
        value = value << 4 | static_cast<std::uint32_t>(hex_digit_value(c));
    }
    return value;
}

void append_code_point(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

char escaped_byte(char letter) {
    switch (letter) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return letter;
    }
}

}  // namespace

// Which of the open brackets are objects: one bit each.
class JsonScan::Nesting {
 public:
    [[nodiscard]] bool open(bool object) {
        if (depth_ == kJsonScanDepth) {
            return false;
        }
        const std::uint64_t bit = std::uint64_t{1} << depth_ % 64;
        objects_[depth_ / 64] = object ? objects_[depth_ / 64] | bit : objects_[depth_ / 64] & ~bit;
        ++depth_;
        return true;
    }
    void close() { --depth_; }
    [[nodiscard]] bool none() const { return depth_ == 0; }
    [[nodiscard]] bool in_object() const {
        const std::size_t top = depth_ - 1;
        return (objects_[top / 64] >> top % 64 & 1) != 0;
    }

 private:
    std::array<std::uint64_t, kJsonScanDepth / 64> objects_;
    std::size_t depth_ = 0;
};

bool JsonScan::end_of_string() {
    while (at_ != end_ && *at_ != '"') {
        if (*at_ != '\\') {
            return false;
        }
        ++at_;
        if (!escape()) {
            return false;
        }
        skip_plain();
    }
    return at_ != end_;
}

// From behind the backslash.
bool JsonScan::escape() {
    if (at_ == end_) {
        return false;
    }
    switch (*at_++) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            return true;
        case 'u':
            if (end_ - at_ < 4 || hex_digit_value(at_[0]) < 0 || hex_digit_value(at_[1]) < 0 ||
                hex_digit_value(at_[2]) < 0 || hex_digit_value(at_[3]) < 0) {
                return false;
            }
            at_ += 4;
            return true;
        default:
            return false;
    }
}

bool JsonScan::number() {
    const auto digits = [this] {
        const char* const first = at_;
        while (at_ != end_ && is_digit(*at_)) {
            ++at_;
        }
        return at_ != first;
    };
    if (at_ != end_ && *at_ == '-') {
        ++at_;
    }
    if (at_ != end_ && *at_ == '0') {
        ++at_;
    } else if (!digits()) {
        return false;
    }
    if (at_ != end_ && *at_ == '.') {
        ++at_;
        if (!digits()) {
            return false;
        }
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
        ++at_;
        if (at_ != end_ && (*at_ == '+' || *at_ == '-')) {
            ++at_;
        }
        return digits();
    }
    return true;
}

bool JsonScan::literal(std::string_view word) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
        return false;
    }
    at_ += word.size();
    return true;
}

bool JsonScan::scalar() {
    String skipped;
    switch (*at_) {
        case '"':
            return string(skipped);
        case 't':
            return literal("true");
        case 'f':
            return literal("false");
        case 'n':
            return literal("null");
        default:
            return number();
    }
}

bool JsonScan::member_name() {
    String name;
    return string(name) && take(':');
}

bool JsonScan::value(std::string_view& found) {
    skip_space();
    const char* const first = at_;
    // Its bits mean nothing before they are set, and clearing them would cost more than most
    // values.
    [[clang::uninitialized]] Nesting nesting;
    while (true) {
        // A value begins here.
        skip_space();
        if (at_ == end_) {
            return false;
        }
        if (*at_ == '{' || *at_ == '[') {
            const bool object = *at_ == '{';
            if (!nesting.open(object)) {
                return false;
            }
            ++at_;
            if (peek() != (object ? '}' : ']')) {
                if (object && !member_name()) {
                    return false;
                }
                continue;
            }
        } else if (!scalar()) {
            return false;
        }
        // A value ended, or an empty bracket stands before its end.
        while (true) {
            if (nesting.none()) {
                found = {first, static_cast<std::size_t>(at_ - first)};
                return true;
            }
            const bool object = nesting.in_object();
            if (take(',')) {
                if (object && !member_name()) {
                    return false;
                }
                break;
            }
            if (!take(object ? '}' : ']')) {
                return false;
            }
            nesting.close();
        }
    }
}

bool append_unescaped(std::string_view inner, std::string& out) {
    std::size_t i = 0;
    while (true) {
        const std::size_t backslash = inner.find('\\', i);
        out.append(inner, i, backslash - i);
        if (backslash == std::string_view::npos) {
            return true;
        }
        const char letter = inner[backslash + 1];
        i = backslash + 2;
        if (letter != 'u') {
            out += escaped_byte(letter);
            continue;
        }
        std::uint32_t code = code_unit(inner.substr(i));
        i += 4;
        if (code >= 0xD800 && code < 0xE000) {
            const bool pair = code < 0xDC00 && inner.substr(i).starts_with("\\u");
            const std::uint32_t low = pair ? code_unit(inner.substr(i + 2)) : 0;
            if (low < 0xDC00 || low >= 0xE000) {
                return false;
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
        }
        append_code_point(out, code);
    }
}

bool is_json(std::string_view text) {
    JsonScan scan(text);
    std::string_view value;
    return scan.value(value) && scan.at_end() && is_utf8(text);
}

}  // namespace belfry
