#include "app/exit_code.h"

namespace belfry {

ExitCode exit_code(Errc code) {
    switch (code) {
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
        case Errc::too_large:
        case Errc::method_not_allowed:
        case Errc::conflict:
        case Errc::id_conflict:
        case Errc::precondition_failed:
            return ExitCode::invalid;
        case Errc::not_found:
        case Errc::offset_expired:
            return ExitCode::not_found;
        case Errc::unauthenticated:
        case Errc::denied:
            return ExitCode::refused;
        case Errc::rate_limited:
        case Errc::overloaded:
        case Errc::disk_full:
        case Errc::outcome_unknown:
        case Errc::read_only:
        case Errc::unavailable:
        case Errc::internal:
            return ExitCode::failure;
    }
    return ExitCode::failure;
}

}  // namespace belfry
