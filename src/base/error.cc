#include "base/error.h"

#include <array>

namespace belfry {

namespace {

constexpr std::array kErrcTable{
    ErrcInfo{
        Errc::bad_request,
        "bad_request",
        "The request could not be understood: malformed JSON, a bad parameter, a bad header.",
        "Correct what `detail` names and send again."
    },
    ErrcInfo{
        Errc::unknown_field,
        "unknown_field",
        "The request has a member that this endpoint does not know.",
        "Remove or rename the member named by `field`."
    },
    ErrcInfo{
        Errc::invalid_event,
        "invalid_event",
        "An event breaks a rule of CloudEvents 1.0 or a limit on an attribute; nothing was stored.",
        "Correct the attribute named by `field`; in a batch `index` says which event."
    },
    ErrcInfo{
        Errc::invalid_filter,
        "invalid_filter",
        "A filter uses an unknown dialect, an empty value or too much nesting.",
        "Correct the expression named by `field`."
    },
    ErrcInfo{
        Errc::too_large,
        "too_large",
        "The input is over a limit; nothing was stored.",
        "Stay under `limit`, or raise the setting that GET /api/v1/limits names."
    },
    ErrcInfo{
        Errc::not_found,
        "not_found",
        "There is no such thing, or not for this caller.",
        "Check the name; list what exists."
    },
    ErrcInfo{
        Errc::method_not_allowed,
        "method_not_allowed",
        "The path exists, but not with this method.",
        "Use a method of the `Allow` header."
    },
    ErrcInfo{
        Errc::conflict,
        "conflict",
        "The name is taken, or the state forbids the change.",
        "Read the current state, then decide."
    },
    ErrcInfo{
        Errc::id_conflict,
        "id_conflict",
        "An event with this source and id, but other content, was stored within the dedup window.",
        "Give the new event an id of its own."
    },
    ErrcInfo{
        Errc::precondition_failed,
        "precondition_failed",
        "`If-Match` does not name the current revision.",
        "Read the object again and repeat the change on it."
    },
    ErrcInfo{
        Errc::unauthenticated,
        "unauthenticated",
        "The credentials are missing, unknown or expired.",
        "Send a valid token."
    },
    ErrcInfo{
        Errc::denied,
        "denied",
        "The caller may not do this.",
        "Ask for a policy that allows it; a browser may not call an open loopback hub."
    },
    ErrcInfo{
        Errc::rate_limited,
        "rate_limited",
        "Too many requests or objects for this caller.",
        "Too many requests: wait for `Retry-After`. Too many objects: remove some, or raise the "
        "limit."
    },
    ErrcInfo{
        Errc::overloaded,
        "overloaded",
        "The hub has as much unfinished work as its limits allow; nothing was stored.",
        "Wait for `Retry-After` and send again."
    },
    ErrcInfo{
        Errc::disk_full,
        "disk_full",
        "The disk has no room; nothing was stored. Reading and delivery go on.",
        "Free space or shorten retention; publishing resumes by itself."
    },
    ErrcInfo{
        Errc::outcome_unknown,
        "outcome_unknown",
        "A sync failed: the event may or may not be stored.",
        "Send again with the same id once the hub is back; see /readyz."
    },
    ErrcInfo{
        Errc::read_only,
        "read_only",
        "The log takes nothing more since a sync failed; what is durable is still delivered.",
        "Check the disk, then restart the hub."
    },
    ErrcInfo{
        Errc::offset_expired,
        "offset_expired",
        "Retention has dropped the events from this offset on; `first` is where the log starts "
        "now.",
        "Continue from `first`."
    },
    ErrcInfo{
        Errc::unavailable,
        "unavailable",
        "The hub is starting, stopping, or lacks something it needs.",
        "Try again; /readyz gives the reasons."
    },
    ErrcInfo{
        Errc::internal,
        "internal",
        "The hub failed in a way it does not expect; the log has the details.",
        "Report it with the log line."
    },
};

}  // namespace

std::unexpected<Error> fail(Errc code, std::string detail) {
    return std::unexpected(Error{.code = code, .detail = std::move(detail)});
}

std::unexpected<Error> fail(Errc code, std::string_view field, std::string detail) {
    return std::unexpected(
        Error{.code = code, .detail = std::move(detail), .field = std::string(field)}
    );
}

std::string_view errc_name(Errc code) {
    return kErrcTable[static_cast<std::size_t>(code)].name;
}

std::span<const ErrcInfo> errc_table() {
    return kErrcTable;
}

}  // namespace belfry
