// What real clients of Consul ask beside events: /v1/agent, /v1/status and /v1/catalog, for the one
// node that this is. Registration of services is real, because the filters of events are judged by
// them; health is not checked, and nothing is said about it. Owned by the Consul door's routes; the
// ports must outlive it. I/O thread only.
#pragma once

#include "base/limits.h"
#include "catalog/node_identity.h"
#include "catalog/services.h"
#include "doors/consul/answer.h"
#include "doors/consul/catalog_queries.h"
#include "doors/consul/node_json.h"
#include "doors/routes.h"

#include <vector>

namespace belfry {

struct ConsulAgentPorts {
    const NodeIdentity& node;
    Services& services;
    ConsulAnswers& answers;
    CatalogQueries& queries;
    const Limits& limits;
    ConsulBuild build;
};

class ConsulAgent {
 public:
    explicit ConsulAgent(ConsulAgentPorts ports) : ports_(std::move(ports)) {}

    void self(RequestContext& context);
    void members(RequestContext& context);
    void version(RequestContext& context);
    void checks(RequestContext& context);
    void services(RequestContext& context);
    void service(RequestContext& context);
    void register_service(RequestContext& context);
    void deregister_service(RequestContext& context);
    void leader(RequestContext& context);
    void peers(RequestContext& context);
    void catalog_datacenters(RequestContext& context);
    void catalog_nodes(RequestContext& context);
    void catalog_services(RequestContext& context);
    void catalog_service(RequestContext& context);

    // No path to another datacenter: 500, as Consul has it; true if the request is for this one.
    [[nodiscard]] bool is_for_us(RequestContext& context);

 private:
    void answer(RequestContext& context, std::string_view json);
    // As a query of the catalog, which may wait.
    void answer_query(RequestContext& context, CatalogQueries::MakeJson make);
    // 200 without a body, or why not.
    [[nodiscard]] Services::Done answer_when_done(Exchange exchange);

    const ConsulAgentPorts ports_;
};

// GET /v1/agent/…, /v1/status/…, /v1/catalog/… and the two ways to register and deregister.
[[nodiscard]] std::vector<Route> consul_agent_routes(ConsulAgentPorts ports);

}  // namespace belfry
