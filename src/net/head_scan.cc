#include "net/head_scan.h"

#include <algorithm>

namespace belfry {

std::string_view head_fault_text(HeadFault fault) {
    switch (fault) {
        case HeadFault::none:
            return "";
        case HeadFault::bare_line_feed:
            return "a line ends in LF without CR";
        case HeadFault::leading_blank:
            return "a line begins with a space or tab";
        case HeadFault::folded_line:
            return "a header is folded over two lines";
        case HeadFault::first_line_too_long:
            return "the first line is too long";
        case HeadFault::line_too_long:
            return "a header line is too long";
        case HeadFault::headers_too_long:
            return "the headers are too long";
        case HeadFault::too_many_headers:
            return "there are too many headers";
    }
    return "";
}

HeadScan::State HeadScan::advance(std::string_view bytes, const HeadLimits& limits) {
    while (fault_ == HeadFault::none) {
        const std::size_t line_feed = bytes.find('\n', position_);
        if (line_feed == std::string_view::npos) {
            // The last byte may be the line's CR. A line is refused for the same reason whole or in
            // part.
            const std::string_view partial = bytes.substr(position_);
            if (partial.size() >= 2) {
                fault_ = check_line(partial.substr(0, partial.size() - 1), limits);
            }
            if (fault_ == HeadFault::none) {
                return State::incomplete;
            }
            break;
        }
        if (line_feed == position_) {
            fault_ = HeadFault::bare_line_feed;
            break;
        }
        const bool has_return = bytes[line_feed - 1] == '\r';
        const std::string_view line = bytes.substr(position_, line_feed - 1 - position_);
        if (line.empty() && has_return && lines_ > 0) {
            position_ = line_feed + 1;
            return State::complete;
        }
        if (line.empty() && has_return && begin_ == 0) {
            position_ = begin_ = line_feed + 1;
            continue;
        }
        fault_ = check_line(line, limits);
        if (fault_ == HeadFault::none && !has_return) {
            fault_ = HeadFault::bare_line_feed;
        }
        position_ = line_feed + 1;
        if (lines_ == 0) {
            headers_begin_ = position_;
        }
        ++lines_;
    }
    return State::broken;
}

HeadFault HeadScan::check_line(std::string_view line, const HeadLimits& limits) const {
    if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
        return lines_ < 2 ? HeadFault::leading_blank : HeadFault::folded_line;
    }
    if (lines_ > limits.headers) {
        return HeadFault::too_many_headers;
    }
    return check_length(line.size(), limits);
}

HeadFault HeadScan::check_length(std::size_t bytes, const HeadLimits& limits) const {
    if (lines_ == 0) {
        return bytes > limits.first_line_bytes ? HeadFault::first_line_too_long : HeadFault::none;
    }
    // Of two limits the one counts that the line breaks first, because in pieces only that is seen.
    const std::size_t before = position_ - headers_begin_ + 2;
    const std::size_t room = limits.headers_bytes - std::min(limits.headers_bytes, before);
    if (bytes > limits.line_bytes && limits.line_bytes <= room) {
        return HeadFault::line_too_long;
    }
    if (bytes > room) {
        return HeadFault::headers_too_long;
    }
    return HeadFault::none;
}

}  // namespace belfry
