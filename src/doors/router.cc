#include "doors/router.h"

#include "base/assert.h"
#include "base/base64.h"
#include "doors/openapi.h"
#include "event/media_type.h"
#include "net/http_syntax.h"

#include <algorithm>

namespace belfry {

namespace {

// "Bearer" and a token, as RFC 6750 section 2.1 has it; empty if it is something else.
std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
        return {};
    }
    authorization.remove_prefix(kScheme.size());
    std::size_t begin = authorization.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view() : authorization.substr(begin);
}

// The password of "Basic" and user:password in Base64 (RFC 7617), kept by `memory`; empty if it is
// something else.
std::string_view basic_password(std::string_view authorization, std::string& memory) {
    constexpr std::string_view kScheme = "basic ";
    memory.clear();
    if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme) ||
        !decode_base64(trim_blanks(authorization.substr(kScheme.size())), memory)) {
        return {};
    }
    const std::size_t colon = memory.find(':');
    return colon == std::string::npos ? std::string_view()
                                      : std::string_view(memory).substr(colon + 1);
}

// Takes `value` for `slot` unless another header gave one already: two tokens, or two origins, are
// no answer to the question who is asking.
bool take(std::string_view& slot, std::string_view value) {
    if (!slot.empty() && slot != value) {
        return false;
    }
    slot = value;
    return true;
}

// What the headers say about the sender, in one pass over them. `memory` keeps what was decoded.
Result<Credentials> credentials_of(
    const HttpRequest& request, const Door& door, std::string& memory
) {
    Credentials credentials{.peer = request.peer, .peer_is_loopback = request.peer_is_loopback};
    const bool ranked = door.token_places == Door::TokenPlaces::query_header_authorization;
    const bool basic = door.token_places == Door::TokenPlaces::bearer_or_basic_password;
    std::string_view header_token;
    bool single = true;
    bool is_basic = false;
    for (const HeaderField& header : request.headers) {
        if (equals_ignoring_case(header.name, "host")) {
            single &= take(credentials.host, header.value);
        } else if (equals_ignoring_case(header.name, "origin")) {
            single &= take(credentials.origin, header.value);
        } else if (equals_ignoring_case(header.name, "sec-fetch-site")) {
            single &= take(credentials.sec_fetch_site, header.value);
        } else if (equals_ignoring_case(header.name, "authorization")) {
            std::string_view token = bearer_token(header.value);
            if (basic && token.empty() && !is_basic) {
                token = basic_password(header.value, memory);
                is_basic = true;
            }
            if (ranked) {
                token = token.substr(0, token.find(' '));
            } else if (token.empty()) {
                return fail(
                    Errc::unauthenticated,
                    basic ? "Authorization must be `Bearer` and a token, or `Basic` and a user "
                            "with the token for a password"
                          : "Authorization must be `Bearer` and a token"
                );
            }
            single &= take(credentials.token, token);
        } else if (ranked && equals_ignoring_case(header.name, door.token_header)) {
            single &= take(header_token, header.value);
        }
    }
    if (!header_token.empty()) {
        credentials.token = header_token;
    }
    if (!single) {
        return fail(Errc::bad_request, "the headers name two different hosts, origins or tokens");
    }
    if (is_basic && !(credentials.origin.empty() && credentials.sec_fetch_site.empty())) {
        return fail(Errc::denied, "a browser cannot sign in with a password");
    }
    return credentials;
}

bool is_documented(const Route& route, std::string_view name) {
    return std::ranges::any_of(route.doc.parameters, [&](const ParameterDoc& parameter) {
        return parameter.in == ParameterDoc::In::query && parameter.name == name;
    });
}

// A misspelt parameter must not silently widen what was asked for.
Result<void> check_parameters(const Door& door, const Route& route, const Query& query) {
    if (door.unknown_parameter == Door::UnknownParameter::ignore) {
        return {};
    }
    for (const QueryParameter& parameter : query.parameters()) {
        if (!is_documented(route, parameter.name)) {
            return std::unexpected(Error{
                .code = Errc::unknown_field,
                .detail = "this endpoint has no such parameter",
                .field = std::string(parameter.name)
            });
        }
    }
    return {};
}

bool is_batch(const HttpRequest& head) {
    std::string_view type = head.header("content-type").value_or("");
    return has_essence(type, "application/cloudevents-batch+json") ||
           has_essence(type, "application/x-ndjson");
}

}  // namespace

Router::Router(std::vector<Door> doors, Access& access, const Limits& limits)
    : doors_(std::move(doors)), access_(access), limits_(limits) {
    ASSERT(!doors_.empty());
    add_openapi_route(doors_);
    for (const Door& door : doors_) {
        for (const Route& route : door.routes) {
            trie_.add(route.method, route.path, static_cast<std::uint32_t>(routes_.size()));
            routes_.push_back(&route);
        }
    }
}

const Door& Router::door_of(std::string_view path) const {
    const Door* best = &doors_.front();
    std::size_t best_size = 0;
    for (const Door& door : doors_) {
        for (const std::string& prefix : door.prefixes) {
            if (prefix.size() > best_size && path.starts_with(prefix)) {
                best = &door;
                best_size = prefix.size();
            }
        }
    }
    return *best;
}

Result<RouteTrie::Match> Router::match_of(
    const Door& door, std::string_view path, std::string& memory
) const {
    return trie_.find(
        path,
        door.slash_in_parameter ? RouteTrie::Slash::may_be_encoded : RouteTrie::Slash::separates,
        memory
    );
}

const Route* Router::route_of(const Door& door, Method method, const RouteTrie::Match& match)
    const {
    if (match.entry == nullptr) {
        return nullptr;
    }
    std::uint32_t number = match.entry->routes[static_cast<std::size_t>(method)];
    if (number == RouteTrie::Entry::kNone && method == Method::head && door.head_is_get) {
        number = match.entry->routes[static_cast<std::size_t>(Method::get)];
    }
    return number == RouteTrie::Entry::kNone ? nullptr : routes_[number];
}

HttpService::Admission Router::admit(const HttpRequest& head) {
    const Door& door = door_of(head.path);
    std::string memory;
    auto match = match_of(door, head.path, memory);
    const Route* route = match ? route_of(door, head.method, *match) : nullptr;
    if (route == nullptr) {
        // It will be refused; a body of ordinary size is read so that the client hears why.
        return {.body_limit = limits_.document_bytes};
    }
    Admission admission{.waits = route->waits};
    switch (route->body) {
        case BodyKind::none:
        case BodyKind::document:
            admission.body_limit = limits_.document_bytes;
            break;
        case BodyKind::event:
            admission.body_limit = limits_.body_bytes;
            break;
        case BodyKind::events:
            admission.body_limit = is_batch(head) ? limits_.batch_bytes : limits_.body_bytes;
            break;
    }
    return admission;
}

Result<void> Router::authorise(
    const HttpRequest& request, const Door& door, const Query& query, Caller& caller
) const {
    std::string memory;
    Result<Credentials> credentials = credentials_of(request, door, memory);
    if (!credentials) {
        return std::unexpected(std::move(credentials).error());
    }
    if (std::optional<std::string_view> token = query.get("token")) {
        // A URL ends up in histories and logs, a header does not.
        if (door.token_places != Door::TokenPlaces::query_header_authorization) {
            return fail(Errc::bad_request, "a token belongs into the Authorization header");
        }
        if (!token->empty()) {
            credentials->token = *token;
        }
    }
    Result<Caller> identified = access_.identify(*credentials);
    if (!identified) {
        return std::unexpected(std::move(identified).error());
    }
    caller = std::move(*identified);
    caller.door = door.name;
    return {};
}

void Router::handle(const HttpRequest& request, Exchange exchange) {
    const Door& door = door_of(request.path);
    if (door.decide_by_path && door.decide_by_path(request, exchange)) {
        return;
    }
    auto refuse_at = [&](RefusedAt at, Error error) {
        door.refuse(
            DoorRefusal{.request = request, .at = at, .error = std::move(error)},
            std::move(exchange)
        );
    };
    std::string memory;
    auto match = match_of(door, request.path, memory);
    const Route* route = match ? route_of(door, request.method, *match) : nullptr;
    // What cannot be read may have been meant to change something.
    const bool audited =
        match ? route != nullptr && Audit::concerns(*route) : Audit::may_concern(request.method);
    Query query;
    Result<void> parsed = query.parse(request.query, door.repeated_parameter);
    // Who asks comes before what there is: a stranger learns no path.
    Caller caller;
    Result<void> identified;
    if (parsed && match) {
        identified = authorise(request, door, query, caller);
    }
    if (audited) {
        exchange = audit_.watch(request, caller, std::move(exchange));
    }
    if (!parsed) {
        return refuse_at(RefusedAt::query, std::move(parsed).error());
    }
    if (!match) {
        return refuse_at(RefusedAt::path, std::move(match).error());
    }
    if (!identified) {
        return refuse_at(RefusedAt::caller, std::move(identified).error());
    }
    if (route == nullptr) {
        return answer_without_route(request, door, *match, std::move(exchange));
    }
    const Needs& needs = route->needs;
    std::string_view name;
    if (!needs.name_parameter.empty()) {
        name = match->parameters.get(needs.name_parameter);
    }
    if (!route->handler_asks) {
        if (Result<void> may = caller.check(needs.resource, needs.verb, name); !may) {
            return refuse_at(RefusedAt::permission, std::move(may).error());
        }
    }
    if (Result<void> known = check_parameters(door, *route, query); !known) {
        return refuse_at(RefusedAt::parameter, std::move(known).error());
    }
    RequestContext context{
        .request = request,
        .path = match->parameters,
        .query = query,
        .caller = caller,
        .exchange = std::move(exchange)
    };
    route->handler(context);
}

void Router::answer_without_route(
    const HttpRequest& request, const Door& door, const RouteTrie::Match& match, Exchange exchange
) const {
    DoorRefusal refusal{.request = request, .at = RefusedAt::route, .error = {}};
    if (match.entry == nullptr) {
        refusal.error = {.code = Errc::not_found, .detail = "there is nothing at this path"};
        return door.refuse(refusal, std::move(exchange));
    }
    const std::string& allowed = match.entry->allow;
    if (request.method == Method::options) {
        if (door.answer_options) {
            return door.answer_options(allowed, std::move(exchange));
        }
        std::string allow = "Allow: " + allowed + "\r\n";
        return exchange.respond(HttpResponse{.status = 204, .headers = allow});
    }
    refusal.error = {.code = Errc::method_not_allowed, .detail = "allowed are " + allowed};
    refusal.status = 405;
    refusal.allow = allowed;
    door.refuse(refusal, std::move(exchange));
}

void Router::release_waiting() {
    for (const Door& door : doors_) {
        if (door.release_waiting) {
            door.release_waiting();
        }
    }
}

void Router::refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange) {
    DoorRefusal refusal{
        .request = head, .at = RefusedAt::framing, .error = error, .status = status
    };
    // A target that is not taken has no path, but most of them tell whose words to use.
    const std::string_view path =
        head.path.empty() ? head.target.substr(0, head.target.find('?')) : head.path;
    const Door& door = door_of(path);
    std::string memory;
    auto match = match_of(door, path, memory);
    const Route* route = match ? route_of(door, head.method, *match) : nullptr;
    if (route != nullptr && Audit::concerns(*route)) {
        exchange = audit_.watch(head, Caller{}, std::move(exchange));
    }
    door.refuse(refusal, std::move(exchange));
}

}  // namespace belfry
