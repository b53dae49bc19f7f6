// The syntax of JSON without its values: walks over a text that the caller keeps and tells where
// things stand, so that a value can be kept byte for byte (numbers of any size, white space). RFC
// 8259 to the letter; the text must be valid UTF-8 already (is_json() checks that, too). Allocates
// nothing. May be called from any thread.
#pragma once

#include "base/json_stops.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace belfry {

// Deeper nesting is refused; the scan itself does not recurse.
inline constexpr std::size_t kJsonScanDepth = 1024;

class JsonScan {
 public:
    // The bytes between the quotes; `escaped` if there is a backslash among them.
    struct String {
        std::string_view inner;
        bool escaped = false;
    };

    explicit JsonScan(std::string_view text)
        : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

    // Each skips white space first. The next byte, 0 at the end of the text.
    [[nodiscard]] char peek() {
        skip_space();
        return at_ == end_ ? '\0' : *at_;
    }
    // Steps over `expected` if it is next.
    [[nodiscard]] bool take(char expected) {
        skip_space();
        if (at_ == end_ || *at_ != expected) {
            return false;
        }
        ++at_;
        return true;
    }
    // Steps over a string or a whole value; false, standing at the fault, if it is malformed.
    // Always inline: most strings are shorter than what a call of it takes.
    [[nodiscard, gnu::always_inline]] bool string(String& found) {
        if (!take('"')) {
            return false;
        }
        const char* const first = at_;
        skip_plain();
        found.escaped = at_ == end_ || *at_ != '"';
        if (found.escaped && !end_of_string()) {
            return false;
        }
        found.inner = {first, static_cast<std::size_t>(at_ - first)};
        ++at_;
        return true;
    }
    [[nodiscard]] bool value(std::string_view& found);

    // Only white space is left.
    [[nodiscard]] bool at_end() { return peek() == '\0' && at_ == end_; }
    // The byte where the scan stands.
    [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
    class Nesting;

    static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
    void skip_space() {
        // One comparison where there is none, as in most texts.
        while (at_ != end_ && *at_ <= ' ' && is_space(*at_)) {
            ++at_;
        }
    }
    // To the first byte of a string that is not plain.
    void skip_plain() { at_ += json_stop({at_, static_cast<std::size_t>(end_ - at_)}, 0); }
    // From there to the closing quote.
    bool end_of_string();
    bool escape();
    bool number();
    bool literal(std::string_view word);
    bool scalar();
    bool member_name();

    const char* begin_;
    const char* at_;
    const char* end_;
};

// Appends what a scanned string means. False on a lone surrogate, which no UTF-8 can hold.
[[nodiscard]] bool append_unescaped(std::string_view inner, std::string& out);

// The text is one JSON value in UTF-8.
[[nodiscard]] bool is_json(std::string_view text);

}  // namespace belfry
