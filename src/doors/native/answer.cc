#include "doors/native/answer.h"

#include <string>

namespace belfry {

void answer_json(
    Exchange& exchange, int status, std::string_view json, std::string_view more_headers
) {
    HttpResponse response{
        .status = status, .content_type = "application/json", .headers = kApiHeaders, .body = json
    };
    if (more_headers.empty()) {
        return exchange.respond(response);
    }
    std::string headers(kApiHeaders);
    headers.append(more_headers);
    response.headers = headers;
    exchange.respond(response);
}

void answer_nothing(Exchange& exchange) {
    exchange.respond(HttpResponse{.status = 204, .headers = kApiHeaders});
}

}  // namespace belfry
