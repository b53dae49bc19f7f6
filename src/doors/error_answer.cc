#include "doors/error_answer.h"

#include "base/assert.h"

namespace belfry {

int http_status(Errc code) {
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

std::string_view public_detail(const Error& error) {
    switch (error.code) {
        case Errc::internal:
        case Errc::disk_full:
        case Errc::outcome_unknown:
        case Errc::read_only:
            return errc_table()[static_cast<std::size_t>(error.code)].meaning;
        default:
            return error.detail;
    }
}

}  // namespace belfry
