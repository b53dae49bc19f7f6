#include "hub/access.h"

#include "base/assert.h"

namespace belfry {

std::string_view resource_name(Resource resource) {
    switch (resource) {
        case Resource::none:
            return "none";
        case Resource::event:
            return "event";
        case Resource::subscription:
            return "subscription";
        case Resource::dead_letter:
            return "dead_letter";
        case Resource::agent:
            return "agent";
        case Resource::catalog:
            return "catalog";
        case Resource::token:
            return "token";
        case Resource::op:
            return "operator";
    }
    assert_failed("a resource has a name", __FILE__, __LINE__);
}

Result<void> Caller::check(Resource resource, Verb verb, std::string_view name) const {
    if (may(resource, verb, name)) {
        return {};
    }
    std::string needed(resource_name(resource));
    needed += verb == Verb::read ? ":read" : ":write";
    if (token_id.empty()) {
        return fail(Errc::unauthenticated, "this needs a token that allows " + needed);
    }
    return fail(Errc::denied, "the token does not allow " + needed + " here");
}

}  // namespace belfry
