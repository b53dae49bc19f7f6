#include "doors/consul/agent.h"

#include <memory>

namespace belfry {

namespace {

using HandlerMember = void (ConsulAgent::*)(RequestContext&);

const ParameterDoc kAgentDatacenter{.name = "dc", .text = "this node's, or nothing is found: 500"};
const ParameterDoc kAgentPretty{.name = "pretty", .text = "indented by four spaces"};
const ParameterDoc kAgentTag{.name = "tag", .text = "only services with this tag"};

const ParameterDoc kAgentIndex{
    .name = "index",
    .text = "waits while X-Consul-Index is this",
    .type = ParameterDoc::Type::number
};
const ParameterDoc kAgentWait{.name = "wait", .text = "how long, such as 30s; 5m, at most 10m"};

const Needs kReads(Resource::agent, Verb::read);
const Needs kWrites(Resource::agent, Verb::write);

struct Row {
    std::string_view path;
    HandlerMember handler;
    std::string_view summary;
    std::string_view answer;
};

constexpr Row kQuestions[] = {
    {"/v1/agent/self", &ConsulAgent::self, "This node: name, datacenter, version", "the agent"},
    {"/v1/agent/members", &ConsulAgent::members, "The members: this node", "one member"},
    {"/v1/agent/version", &ConsulAgent::version, "The program's version", "version and commit"},
    {"/v1/agent/checks", &ConsulAgent::checks, "Health checks: there are none", "no checks"},
    {"/v1/agent/services", &ConsulAgent::services, "The services of this node", "by their ids"},
    {"/v1/agent/service/{id*}", &ConsulAgent::service, "One service", "the service"},
    {"/v1/status/leader", &ConsulAgent::leader, "Who leads: this node", "its address"},
    {"/v1/status/peers", &ConsulAgent::peers, "Who takes part: this node", "its address"},
    {"/v1/catalog/datacenters",
     &ConsulAgent::catalog_datacenters,
     "The datacenters: this one",
     "one name"},
    {"/v1/catalog/nodes", &ConsulAgent::catalog_nodes, "The nodes: this one", "one node"},
    {"/v1/catalog/services",
     &ConsulAgent::catalog_services,
     "The names of services with their tags",
     "tags by name"},
    {"/v1/catalog/service/{name*}",
     &ConsulAgent::catalog_service,
     "The services of one name",
     "the services"},
};

}  // namespace

std::vector<Route> consul_agent_routes(ConsulAgentPorts ports) {
    auto agent = std::make_shared<ConsulAgent>(std::move(ports));
    auto handled_by = [&agent](HandlerMember handler) -> Handler {
        return [agent, handler](RequestContext& context) { ((*agent).*handler)(context); };
    };
    std::vector<Route> routes;
    for (const Row& row : kQuestions) {
        RouteDoc doc{
            .summary = row.summary,
            .parameters = {kAgentDatacenter, kAgentPretty},
            .answers = {{.text = row.answer}}
        };
        const bool waits = row.handler == &ConsulAgent::catalog_nodes ||
                           row.handler == &ConsulAgent::catalog_services ||
                           row.handler == &ConsulAgent::catalog_service;
        if (waits) {
            doc.parameters.push_back(kAgentIndex);
            doc.parameters.push_back(kAgentWait);
        }
        if (row.handler == &ConsulAgent::catalog_service) {
            doc.parameters.push_back(kAgentTag);
        }
        routes.push_back(Route{
            .method = Method::get,
            .path = std::string(row.path),
            .needs = kReads,
            .handler = handled_by(row.handler),
            .doc = std::move(doc),
            .waits = waits,
        });
    }
    routes.push_back(Route{
        .method = Method::put,
        .path = "/v1/agent/service/register",
        .needs = kWrites,
        .handler = handled_by(&ConsulAgent::register_service),
        .doc =
            {.summary = "Register a service of this node, or replace the one with its id",
             .parameters = {kAgentDatacenter},
             .request_media_types = {"application/json"},
             .answers = {{.text = "it is durable", .media_type = ""}}},
        .body = BodyKind::document,
    });
    routes.push_back(Route{
        .method = Method::put,
        .path = "/v1/agent/service/deregister/{id*}",
        .needs = kWrites,
        .handler = handled_by(&ConsulAgent::deregister_service),
        .doc =
            {.summary = "Deregister a service",
             .parameters = {kAgentDatacenter},
             .answers = {{.text = "it is gone", .media_type = ""}}},
    });
    return routes;
}

}  // namespace belfry
