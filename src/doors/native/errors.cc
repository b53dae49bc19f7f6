#include "doors/native/errors.h"

#include "base/assert.h"
#include "base/logging.h"
#include "doors/json_writer.h"
#include "doors/native/answer.h"

namespace belfry {

namespace {

// Whose detail comes from below and may name files or addresses.
bool is_internal_matter(Errc code) {
    return code == Errc::internal || code == Errc::disk_full || code == Errc::outcome_unknown ||
           code == Errc::read_only;
}

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

int problem_status(Errc code) {
    switch (code) {
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
            return 400;
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

std::string problem_json(const Error& error, int status) {
    std::string_view detail = error.detail;
    if (is_internal_matter(error.code)) {
        detail = errc_table()[static_cast<std::size_t>(error.code)].meaning;
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("type", "about:blank").member("title", reason_phrase(status));
    json.member("status", static_cast<unsigned>(status));
    json.member("code", errc_name(error.code)).member("detail", detail);
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
    answer_problem(exchange, error, problem_status(error.code), {});
}

void refuse_natively(const DoorRefusal& refusal, Exchange exchange) {
    int status = refusal.status != 0 ? refusal.status : problem_status(refusal.error.code);
    std::string allow;
    if (!refusal.allow.empty()) {
        allow.append("Allow: ").append(refusal.allow).append("\r\n");
    }
    answer_problem(exchange, refusal.error, status, allow);
}

}  // namespace belfry
