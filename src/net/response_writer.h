// Writes the head of an answer as bytes. Pure.
#pragma once

#include "net/http.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace belfry {

// What goes beside the handler's answer.
struct ResponseFraming {
    std::string_view date_line;  // "Date: …\r\n"
    bool close = false;
    bool http_1_0 = false;
    bool stream = false;  // no length: it comes in chunks, or ends with the connection
};

// Status line, headers and the empty line. The handler's `headers` are taken as they are.
void append_response_head(
    std::string& out, const HttpResponse& response, const ResponseFraming& framing
);

// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n" (RFC 9110, 5.6.7).
[[nodiscard]] std::string make_date_line(std::chrono::sys_seconds now);

// False for statuses that never have a body: 1xx, 204, 304.
[[nodiscard]] constexpr bool status_has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

}  // namespace belfry
