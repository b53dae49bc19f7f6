#include "doors/router.h"

#include "base/assert.h"
#include "doors/credentials.h"
#include "doors/openapi.h"
#include "event/media_type.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

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

// By the manners of the door: it must be the same query whoever reads it.
Result<void> parse_query(const Door& door, const HttpRequest& head, Query& query) {
    return query.parse(head.query, door.repeated_parameter, door.query_content);
}

// Of what the request is about; empty if its route names nothing.
std::string_view object_name(const Route& route, const RouteTrie::Match& match) {
    const std::string_view parameter = route.needs.name_parameter;
    return parameter.empty() ? std::string_view() : match.parameters.get(parameter);
}

// Whether its handler does more than to say no.
bool would_take_body(const Route& route, const RouteTrie::Match& match, const Caller& caller) {
    const Needs& needs = route.needs;
    return route.body != BodyKind::none &&
           caller.may(needs.resource, needs.verb, object_name(route, match));
}

// What cannot be read may have been meant to change something.
bool is_audited(Method method, const Result<RouteTrie::Match>& match, const Route* route) {
    return match ? route != nullptr && Audit::concerns(*route) : Audit::may_concern(method);
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

bool Router::admit_body(const HttpRequest& head) {
    turned_away_.emplace();
    const Door& door = door_of(head.path);
    std::string memory;
    auto match = match_of(door, head.path, memory);
    const Route* route = match ? route_of(door, head.method, *match) : nullptr;
    Query query;
    if (route == nullptr || !parse_query(door, head, query)) {
        return false;
    }
    if (route->body == BodyKind::none && head.header("content-length")) {
        return false;  // nobody looks at it
    }
    Caller caller;
    if (Result<void> identified = authorise(head, door, query, caller); !identified) {
        turned_away_->stranger = std::move(identified).error();
        return false;
    }
    if (!caller.may(route->needs.resource, route->needs.verb, object_name(*route, *match))) {
        return false;
    }
    turned_away_.reset();
    return true;
}

Result<void> Router::authorise(
    const HttpRequest& request, const Door& door, const Query& query, Caller& caller
) const {
    std::string memory;
    Result<Credentials> credentials = credentials_of(request, door, query, memory);
    if (!credentials) {
        return std::unexpected(std::move(credentials).error());
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
    const std::optional<TurnedAway> turned_away = std::exchange(turned_away_, std::nullopt);
    const Door& door = door_of(request.path);
    auto refuse_at = [&](RefusedAt at, Error error, int status = 0) {
        const DoorRefusal refusal{
            .request = request, .at = at, .error = std::move(error), .status = status
        };
        door.refuse(refusal, std::move(exchange));
    };
    std::string memory;
    auto match = match_of(door, request.path, memory);
    const Route* route = match ? route_of(door, request.method, *match) : nullptr;
    const bool audited = is_audited(request.method, match, route);
    if (AnswerByPath answer = door.decide_by_path ? door.decide_by_path(request) : nullptr) {
        if (audited) {
            exchange = audit_.watch(request, Caller{}, std::move(exchange));
        }
        return answer(exchange);
    }
    Query query;
    Result<void> parsed = parse_query(door, request, query);
    // Who asks comes before what there is: a stranger learns no path.
    Caller caller;
    Result<void> identified;
    if (parsed && match) {
        identified = turned_away && turned_away->stranger ? std::unexpected(*turned_away->stranger)
                                                          : authorise(request, door, query, caller);
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
    if (!route->handler_asks) {
        const Needs& needs = route->needs;
        Result<void> may = caller.check(needs.resource, needs.verb, object_name(*route, *match));
        if (!may) {
            return refuse_at(RefusedAt::permission, std::move(may).error());
        }
    }
    if (turned_away && would_take_body(*route, *match, caller)) {
        Error error{.code = Errc::internal, .detail = "a body was turned away that may be taken"};
        return refuse_at(RefusedAt::framing, std::move(error), 500);
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
    if (path.starts_with('/') && is_audited(head.method, match, route)) {
        HttpRequest act = head;
        act.path = path;
        exchange = audit_.watch(act, Caller{}, std::move(exchange));
    }
    door.refuse(refusal, std::move(exchange));
}

}  // namespace belfry
