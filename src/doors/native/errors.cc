#include "doors/native/errors.h"

#include "base/assert.h"
#include "base/logging.h"
#include "doors/error_answer.h"
#include "doors/json_writer.h"
#include "doors/native/answer.h"

namespace belfry {

namespace {

// Header lines that a code brings along: when to come back, how to sign in.
std::string_view code_headers(Errc code) {
    switch (code) {
        case Errc::overloaded:
        case Errc::rate_limited:
        case Errc::unavailable:
            return "Retry-After: 1\r\n";
        case Errc::disk_full:
            return "Retry-After: 10\r\n";
        case Errc::outcome_unknown:
        case Errc::read_only:
            return "Retry-After: 30\r\n";
        case Errc::unauthenticated:
            return "WWW-Authenticate: Bearer realm=\"belfry\"\r\n";
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
        case Errc::too_large:
        case Errc::not_found:
        case Errc::method_not_allowed:
        case Errc::conflict:
        case Errc::id_conflict:
        case Errc::precondition_failed:
        case Errc::denied:
        case Errc::offset_expired:
        case Errc::internal:
            return {};
    }
    assert_failed("an error has a code", __FILE__, __LINE__);
}

void answer_problem(
    Exchange& exchange, const Error& error, int status, std::string_view more_headers
) {
    if (error.code == Errc::internal) {  // the others are logged where they begin, once
        log_error("A request failed", {{"detail", error.detail}});
    }
    std::string headers(kApiHeaders);
    headers.append(code_headers(error.code)).append(more_headers);
    exchange.respond(HttpResponse{
        .status = status,
        .content_type = "application/problem+json",
        .headers = headers,
        .body = problem_json(error, status),
    });
}

}  // namespace

std::string problem_json(const Error& error, int status) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("type", "about:blank").member("title", reason_phrase(status));
    json.member("status", static_cast<unsigned>(status));
    json.member("code", errc_name(error.code)).member("detail", public_detail(error));
    if (!error.field.empty()) {
        json.member("field", error.field);
    }
    if (error.limit) {
        json.member("limit", *error.limit);
    }
    if (error.index) {
        json.member("index", *error.index);
    }
    if (error.first_offset) {
        json.member("first", *error.first_offset);
    }
    json.end_object();
    return out;
}

void answer_error(Exchange& exchange, const Error& error) {
    answer_problem(exchange, error, http_status(error.code), {});
}

void refuse_natively(const DoorRefusal& refusal, Exchange exchange) {
    int status = refusal.status != 0 ? refusal.status : http_status(refusal.error.code);
    std::string allow;
    if (!refusal.allow.empty()) {
        allow.append("Allow: ").append(refusal.allow).append("\r\n");
    }
    answer_problem(exchange, refusal.error, status, allow);
}

}  // namespace belfry
