// The syntax of JSON without its values: walks over a text that the caller keeps and tells where
// things stand, so that a value can be kept byte for byte (numbers of any size, white space). RFC
// 8259 to the letter; the text must be valid UTF-8 already (is_json() checks that, too). Allocates
// nothing. May be called from any thread.
#pragma once

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
    [[nodiscard]] bool string(String& found);
    [[nodiscard]] bool value(std::string_view& found);

    // Only white space is left.
    [[nodiscard]] bool at_end() { return peek() == '\0' && at_ == end_; }
    // The byte where the scan stands.
    [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
    class Nesting;

    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
            ++at_;
        }
    }
    bool string_body(bool& escaped);
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
