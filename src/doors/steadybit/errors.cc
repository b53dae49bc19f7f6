#include "doors/steadybit/errors.h"

#include "base/logging.h"
#include "doors/error_answer.h"
#include "doors/json_writer.h"

#include <string>

namespace belfry {

namespace {

constexpr std::string_view kMalformed = "Failed to decode event request body";

bool is_malformed_event(Errc code) {
    return code == Errc::bad_request || code == Errc::unknown_field ||
           code == Errc::invalid_event || code == Errc::invalid_filter;
}

// By the status, because nothing else tells what the client may do next.
std::string_view headers_of(int status) {
    switch (status) {
        case 401:
            return "WWW-Authenticate: Basic realm=\"belfry\", charset=\"UTF-8\"\r\n";
        case 429:
        case 503:
            return "Retry-After: 1\r\n";
        case 507:
            return "Retry-After: 10\r\n";
        default:
            return {};
    }
}

void answer(
    Exchange& exchange,
    const Error& error,
    int status,
    std::string_view title,
    std::string_view more_headers = {}
) {
    if (error.code == Errc::internal) {  // the others are logged where they begin, once
        log_error("A request failed", {{"detail", error.detail}});
    }
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("title", title).member("detail", public_detail(error)).end_object();
    std::string headers("X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n");
    headers.append(headers_of(status)).append(more_headers);
    exchange.respond(HttpResponse{
        .status = status,
        .content_type = "application/json",
        .headers = headers,
        .body = body,
    });
}

}  // namespace

int steadybit_status(Errc code, MalformedStatus malformed) {
    return is_malformed_event(code) ? static_cast<int>(malformed) : http_status(code);
}

void answer_steadybit_error(Exchange& exchange, const Error& error, MalformedStatus malformed) {
    const int status = steadybit_status(error.code, malformed);
    answer(
        exchange, error, status, is_malformed_event(error.code) ? kMalformed : reason_phrase(status)
    );
}

void refuse_in_steadybits_words(const DoorRefusal& refusal, Exchange exchange) {
    // A request that no handler saw is no event yet.
    const int status = refusal.status != 0
                           ? refusal.status
                           : steadybit_status(refusal.error.code, MalformedStatus::strict);
    std::string allow;
    if (!refusal.allow.empty()) {
        allow.append("Allow: ").append(refusal.allow).append("\r\n");
    }
    answer(exchange, refusal.error, status, reason_phrase(status), allow);
}

}  // namespace belfry
