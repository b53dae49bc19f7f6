// Finds the end of a message head (RFC 9112, 2) and refuses what no parser may be lenient about:
// lines that do not end in CRLF, folded lines, lines or heads over their limits. One pass at memchr
// speed; an incomplete head is continued where the last call stopped. A value owned by a
// connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace belfry {

struct HeadLimits {
    std::size_t first_line_bytes;  // without CRLF
    std::size_t line_bytes;        // one header line, without CRLF
    std::size_t headers_bytes;     // all header lines with their CRLF
    std::size_t headers;
};

enum class HeadFault : std::uint8_t {
    none,
    bare_line_feed,
    leading_blank,  // the first line or the first header begins with a space or tab
    folded_line,
    first_line_too_long,
    line_too_long,
    headers_too_long,
    too_many_headers,
};
[[nodiscard]] std::string_view head_fault_text(HeadFault fault);

class HeadScan {
 public:
    enum class State : std::uint8_t { incomplete, complete, broken };

    // `bytes` begins at the head's first byte and holds at least what the last call saw.
    State advance(std::string_view bytes, const HeadLimits& limits);
    // One empty line before the first line is skipped (RFC 9112, 2.2).
    [[nodiscard]] std::size_t begin() const { return begin_; }
    // After complete: the first byte behind the empty line that ends the head.
    [[nodiscard]] std::size_t end() const { return position_; }
    [[nodiscard]] HeadFault fault() const { return fault_; }

 private:
    [[nodiscard]] HeadFault check_line(std::string_view line, const HeadLimits& limits) const;
    [[nodiscard]] HeadFault check_length(std::size_t bytes, const HeadLimits& limits) const;

    std::size_t begin_ = 0;
    std::size_t position_ = 0;  // the start of the line that is not complete yet
    std::size_t headers_begin_ = 0;
    std::size_t lines_ = 0;
    HeadFault fault_ = HeadFault::none;
};

}  // namespace belfry
