#include "doors/consul/errors.h"

#include "base/assert.h"

namespace belfry {

int consul_status(Errc code) {
    switch (code) {
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
            return 400;
        case Errc::unauthenticated:
        case Errc::denied:
            return 403;
        case Errc::not_found:
            return 404;
        case Errc::method_not_allowed:
            return 405;
        case Errc::conflict:
        case Errc::id_conflict:
        case Errc::precondition_failed:
            return 409;
        case Errc::offset_expired:
            return 410;
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

std::string consul_text(const Error& error) {
    switch (error.code) {
        case Errc::denied:
            return std::string(kPermissionDenied);
        case Errc::unauthenticated:
            return std::string(kAclNotFound);
        case Errc::internal:
        case Errc::disk_full:
        case Errc::outcome_unknown:
        case Errc::read_only:
            return std::string(errc_table()[static_cast<std::size_t>(error.code)].meaning);
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
        case Errc::not_found:
        case Errc::method_not_allowed:
        case Errc::conflict:
        case Errc::id_conflict:
        case Errc::precondition_failed:
        case Errc::offset_expired:
        case Errc::too_large:
        case Errc::rate_limited:
        case Errc::overloaded:
        case Errc::unavailable:
            return error.detail;
    }
    assert_failed("an error has a code", __FILE__, __LINE__);
}

}  // namespace belfry
