#include "doors/consul/agent.h"
#include "doors/consul/answer.h"
#include "doors/consul/catalog_queries.h"
#include "doors/consul/consul_door.h"
#include "doors/consul/errors.h"
#include "doors/consul/event_lists.h"
#include "doors/consul/fire.h"
#include "doors/consul/translate.h"

#include <algorithm>
#include <memory>

namespace belfry {

namespace {

using In = ParameterDoc::In;
using Type = ParameterDoc::Type;

// What the routes share and keep alive.
struct ConsulParts {
    explicit ConsulParts(const ConsulDoorPorts& ports)
        : answers(ports.denies_by_default),
          fire(
              {.hub = ports.hub,
               .limits = ports.limits,
               .node = ports.node,
               .services = ports.services,
               .answers = answers,
               .strict_status = ports.options.strict_status}
          ),
          queries(ports.clock, ports.services, answers),
          lists(
              {.hub = ports.hub, .clock = ports.clock, .limits = ports.limits, .answers = answers},
              ports.options.list
          ) {}

    ConsulAnswers answers;  // the agent's routes hold it, too, and live as long as the others
    EventFire fire;
    CatalogQueries queries;
    EventLists lists;
};
using Parts = std::shared_ptr<ConsulParts>;

const ParameterDoc kNode{.name = "node", .text = "regular expression on node names"};
const ParameterDoc kService{.name = "service", .text = "regular expression on service names"};
const ParameterDoc kTag{.name = "tag", .text = "regular expression on service tags"};
const ParameterDoc kDatacenter{.name = "dc", .text = "this hub's datacenter, or empty"};
const ParameterDoc kPretty{.name = "pretty", .text = "indents the answer"};

void add_fire(std::vector<Route>& routes, const Parts& parts) {
    const auto add = [&](std::string path, Needs needs, BodyKind body) {
        routes.push_back(Route{
            .method = Method::put,
            .path = std::move(path),
            .needs = needs,
            .handler = [parts](RequestContext& context) { parts->fire.fire(context); },
            .doc =
                {.summary = "Fire an event by Consul's API",
                 .parameters = {kNode, kService, kTag, kDatacenter, kPretty},
                 .request_media_types = {"application/octet-stream"},
                 .answers = {{.text = "the event"}}},
            .body = body,
            .handler_asks = true,
        });
    };
    add("/v1/event/fire/{name*}", Needs(Resource::event, Verb::write, "name"), BodyKind::event);
    // To say that a name is missing.
    add("/v1/event/fire/", Needs(Resource::none, Verb::read), BodyKind::none);
}

void add_list(std::vector<Route>& routes, const Parts& parts) {
    routes.push_back(Route{
        .method = Method::get,
        .path = "/v1/event/list",
        .needs = Needs(Resource::none, Verb::read),  // nobody is refused: each event is asked about
        .handler = [parts](RequestContext& context) { parts->lists.list(context); },
        .doc =
            {.summary = "The newest events by Consul's API; blocks while nothing is newer",
             .parameters =
                 {{.name = "name", .text = "exact"},
                  kNode,
                  kService,
                  kTag,
                  {.name = "index",
                   .text = "waits while the list has this X-Consul-Index",
                   .type = Type::number},
                  {.name = "wait", .text = "how long, such as 5m; 10m, which is also the most"},
                  kPretty},
             .answers = {{.text = "the events, oldest first"}}},
        .waits = true,
    });
}

// What happens in front of Go's router and in it.
AnswerByPath decide_by_path(ConsulParts& parts, std::string_view path, std::string_view query) {
    const auto empty = [&parts](int status) {
        return [&parts, status](Exchange& exchange) { parts.answers.text(exchange, status, {}); };
    };
    if (!is_printable_path(path)) {
        return empty(400);
    }
    const std::optional<std::string> elsewhere = go_redirect(path);
    if (!elsewhere) {
        // Go does not take `;` for a separator, nor for anything else.
        return query.contains(';') ? AnswerByPath(empty(500)) : nullptr;
    }
    std::string location = "Location: " + *elsewhere;
    if (!query.empty()) {
        location.append("?").append(query);
    }
    return [location = location + "\r\n"](Exchange& exchange) {
        exchange.respond(HttpResponse{.status = 301, .headers = location});
    };
}

// The server takes no dot segments and no encoded zeros, whoever's path it is.
bool is_odd_target(const DoorRefusal& refusal) {
    return refusal.status == 400 && refusal.request.path.empty() &&
           refusal.request.target.starts_with('/');
}

AnswerByPath decide_odd_target(ConsulParts& parts, std::string_view target) {
    const std::size_t end = std::min(target.find('?'), target.size());
    const std::string_view query = target.substr(std::min(end + 1, target.size()));
    const bool is_sendable =
        std::ranges::all_of(query, [](char c) { return c > 0x20 && c < 0x7f; });
    return is_sendable ? decide_by_path(parts, target.substr(0, end), query) : nullptr;
}

// Consul's words for a request that no handler saw (agent/http.go: wrap, Index).
void refuse(ConsulParts& parts, const DoorRefusal& refusal, Exchange exchange) {
    const std::string_view path = refusal.request.path;
    switch (refusal.at) {
        case RefusedAt::query:
            return parts.answers.text(exchange, 500, {});
        case RefusedAt::path:
            return parts.answers.text(exchange, 400, {});
        case RefusedAt::route:
            if (refusal.status == 405) {
                return parts.answers.text(
                    exchange,
                    405,
                    "method " + std::string(refusal.request.method_text) + " not allowed",
                    ConsulAnswers::allow_line(refusal.allow)
                );
            }
            return parts.answers.text(
                exchange, 404, "Invalid URL path: not a recognized HTTP API endpoint\n"
            );
        case RefusedAt::framing:
            if (refusal.status == 413 && path.starts_with("/v1/event/fire/")) {
                return parts.fire.refuse_size(exchange);
            }
            if (is_odd_target(refusal)) {
                if (AnswerByPath answer = decide_odd_target(parts, refusal.request.target)) {
                    return answer(exchange);
                }
            }
            return parts.answers.text(exchange, refusal.status, consul_text(refusal.error));
        case RefusedAt::permission:
            return parts.answers.text(exchange, 403, kPermissionDenied);
        case RefusedAt::caller:
        case RefusedAt::parameter:
            return parts.answers.text(
                exchange, consul_status(refusal.error.code), consul_text(refusal.error)
            );
    }
}

}  // namespace

Door consul_door(ConsulDoorPorts ports) {
    auto parts = std::make_shared<ConsulParts>(ports);
    Door door{.name = "consul", .prefixes = {"/v1/"}, .routes = {}, .refuse = {}};
    door.routes = consul_agent_routes(
        {.node = ports.node,
         .services = ports.services,
         .answers = parts->answers,
         .queries = parts->queries,
         .limits = ports.limits,
         .build = std::move(ports.build)}
    );
    add_fire(door.routes, parts);
    add_list(door.routes, parts);
    door.refuse = [parts](const DoorRefusal& refusal, Exchange exchange) {
        refuse(*parts, refusal, std::move(exchange));
    };
    door.unknown_parameter = Door::UnknownParameter::ignore;
    door.repeated_parameter = Query::Repeated::first_counts;
    door.query_content = Query::Content::any_bytes;
    door.slash_in_parameter = true;
    door.head_is_get = false;
    door.token_places = Door::TokenPlaces::query_header_authorization;
    door.token_header = "X-Consul-Token";
    door.answer_options = [parts](std::string_view allow, Exchange exchange) {
        parts->answers.text(exchange, 200, {}, ConsulAnswers::allow_line(allow));
    };
    door.decide_by_path = [parts](const HttpRequest& request) {
        return decide_by_path(*parts, request.path, request.query);
    };
    door.release_waiting = [parts] {
        parts->lists.release_all();
        parts->queries.release_all();
    };
    return door;
}

}  // namespace belfry
