#include "doors/consul/errors.h"

#include "doors/error_answer.h"

namespace belfry {

int consul_status(Errc code) {
    switch (code) {
        case Errc::unauthenticated:
            return 403;
        case Errc::precondition_failed:
            return 409;
        default:
            return http_status(code);
    }
}

std::string_view consul_text(const Error& error) {
    switch (error.code) {
        case Errc::denied:
            return kPermissionDenied;
        case Errc::unauthenticated:
            return kAclNotFound;
        default:
            return public_detail(error);
    }
}

}  // namespace belfry
