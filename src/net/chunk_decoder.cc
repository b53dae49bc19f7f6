#include "net/chunk_decoder.h"

#include "base/fixed_limits.h"
#include "base/hex.h"
#include "net/http_syntax.h"

#include <algorithm>

namespace belfry {
namespace {

// What may stand in extensions and trailer values.
bool is_text(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

ChunkDecoder::Fed ChunkDecoder::feed(
    std::string_view bytes, std::string& body, std::uint64_t body_limit
) {
    std::size_t used = 0;
    while (used < bytes.size() && at_ != At::done && at_ != At::broken) {
        if (at_ != At::data) {
            step(bytes[used]);
            ++used;
            if (at_ == At::data &&
                left_ > body_limit - std::min<std::uint64_t>(body_limit, body.size())) {
                return {State::too_large, used};
            }
            continue;
        }
        const auto piece =
            static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - used));
        body.append(bytes.substr(used, piece));
        used += piece;
        left_ -= piece;
        if (left_ == 0) {
            at_ = At::data_return;
        }
    }
    const State state = at_ == At::done     ? State::done
                        : at_ == At::broken ? State::broken
                                            : State::more;
    return {state, used};
}

void ChunkDecoder::step(char c) {
    switch (at_) {
        case At::size_first:
        case At::size:
            step_size(c);
            break;
        case At::extension:
            step_extension(c);
            break;
        case At::size_line_feed:
            expect(c, '\n', left_ == 0 ? At::trailer_start : At::data);
            break;
        case At::data_return:
            expect(c, '\r', At::data_line_feed);
            break;
        case At::data_line_feed:
            expect(c, '\n', At::size_first);
            break;
        case At::trailer_start:
        case At::trailer_name:
        case At::trailer_value:
            step_trailer(c);
            break;
        case At::trailer_line_feed:
            expect(c, '\n', At::trailer_start);
            break;
        case At::end_line_feed:
            expect(c, '\n', At::done);
            break;
        case At::data:
        case At::done:
        case At::broken:
            break;
    }
}

void ChunkDecoder::step_size(char c) {
    if (at_ == At::size_first) {
        left_ = 0;
        digits_ = 0;
        extension_bytes_ = 0;
    }
    if (const int digit = hex_digit_value(c); digit >= 0) {
        ++digits_;
        left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        at_ = At::size;
        if (digits_ > kSizeDigits) {
            fail("a chunk size has more than 16 digits");
        }
    } else if (at_ == At::size && c == '\r') {
        at_ = At::size_line_feed;
    } else if (at_ == At::size && c == ';') {
        at_ = At::extension;
        step_extension(c);
    } else {
        fail("a chunk size is not hexadecimal digits");
    }
}

void ChunkDecoder::step_extension(char c) {
    if (c == '\r') {
        at_ = At::size_line_feed;
        return;
    }
    ++extension_bytes_;
    ++extensions_bytes_;
    if (!is_text(c)) {
        fail("a chunk extension holds control characters");
    } else if (extension_bytes_ > extension_limit_ ||
               extensions_bytes_ > kChunkExtensionsBytesMax) {
        fail("the chunk extensions are too long");
    }
}

// A trailer is checked like a header and then forgotten.
void ChunkDecoder::step_trailer(char c) {
    ++trailers_bytes_;
    if (trailers_bytes_ > kTrailersBytesMax) {
        fail("the trailers are too long");
    } else if (at_ == At::trailer_start && c == '\r') {
        at_ = At::end_line_feed;
    } else if (at_ == At::trailer_value) {
        if (c == '\r') {
            at_ = At::trailer_line_feed;
        } else if (!is_text(c)) {
            fail("a trailer holds control characters");
        }
    } else if (at_ == At::trailer_name && c == ':') {
        at_ = At::trailer_value;
    } else if (is_token_char(c) && c != '_') {
        at_ = At::trailer_name;
    } else {
        fail("a trailer's name is not a header name");
    }
}

void ChunkDecoder::expect(char c, char wanted, At next) {
    if (c == wanted) {
        at_ = next;
    } else {
        fail("a line of the chunked body does not end in CRLF");
    }
}

void ChunkDecoder::fail(std::string_view why) {
    at_ = At::broken;
    fault_ = why;
}

}  // namespace belfry
