// The head of a request: Beast splits the lines, the rules against ambiguity are ours (RFC 9112, 3
// and 6). Pure; the views point into the bytes that were parsed. src/net/README.md lists the rules.
#pragma once

#include "base/error.h"
#include "net/http.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace belfry {

struct RequestHead {
    HttpRequest request;  // headers point into the vector that was given; peer is not set
    std::uint64_t content_length = 0;
    bool chunked = false;
    bool http_1_0 = false;
    bool keep_alive = true;
    bool expects_continue = false;
};

// Why a request is not taken, as HttpService::refuse wants it.
struct Refusal {
    int status;
    Error error;
};

// `block` is one whole head, as HeadScan bounds it. `fields` is cleared and filled. After a refusal
// `head` holds what was understood before.
[[nodiscard]] std::optional<Refusal> parse_request_head(
    std::string_view block, std::vector<HeaderField>& fields, RequestHead& head
);

}  // namespace belfry
