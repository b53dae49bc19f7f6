#include "doors/steadybit/errors.h"

#include "base/assert.h"
#include "base/logging.h"
#include "doors/json_writer.h"

#include <string>

namespace belfry {

namespace {

constexpr std::string_view kMalformed = "Failed to decode event request body";

bool is_malformed_event(Errc code) {
    return code == Errc::bad_request || code == Errc::unknown_field ||
           code == Errc::invalid_event || code == Errc::invalid_filter;
}

// What went wrong, without what names this machine's files.
std::string_view detail_of(const Error& error) {
    const bool is_internal = error.code == Errc::internal || error.code == Errc::disk_full ||
                             error.code == Errc::outcome_unknown || error.code == Errc::read_only;
    return is_internal ? errc_table()[static_cast<std::size_t>(error.code)].meaning
                       : std::string_view(error.detail);
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
    json.begin_object().member("title", title).member("detail", detail_of(error)).end_object();
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
    switch (code) {
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
            return static_cast<int>(malformed);
        case Errc::unauthenticated:
            return 401;
        case Errc::denied:
            return 403;
        case Errc::not_found:
            return 404;
        case Errc::method_not_allowed:
            return 405;
        case Errc::conflict:
        case Errc::id_conflict:
            return 409;
        case Errc::offset_expired:
            return 410;
        case Errc::precondition_failed:
            return 412;
        case Errc::too_large:
            return 413;
        case Errc::rate_limited:
            return 429;
        case Errc::internal:
            return 500;
        case Errc::overloaded:
        case Errc::outcome_unknown:
        case Errc::read_only:
        case Errc::unavailable:
            return 503;
        case Errc::disk_full:
            return 507;
    }
    assert_failed("an error has a code", __FILE__, __LINE__);
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
