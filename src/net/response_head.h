// The head of an answer, both ways: what the server writes, and what the client reads (RFC 9112, 4
// and 6.3). Pure; views point into the bytes that were parsed.
#pragma once

#include "net/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct ResponseHead {
    int status = 0;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = true;
};

// `block` is one whole head, as HeadScan bounds it. `fields` is cleared and filled. A sentence that
// says what is wrong, or nullopt.
[[nodiscard]] std::optional<std::string> parse_response_head(
    std::string_view block, std::vector<HeaderField>& fields, ResponseHead& head
);

}  // namespace belfry
