// The node and its services in the JSON that Consul's agent, catalog and status endpoints answer:
// the members of its api structs, in their order, escaped as Go does. Pure. May be called from any
// thread.
#pragma once

#include "catalog/node_identity.h"
#include "catalog/services.h"

#include <optional>
#include <string>
#include <string_view>

namespace belfry {

// What the program says about itself.
struct ConsulBuild {
    std::string version;
    std::string commit;
};

// GET /v1/agent/…
[[nodiscard]] std::string agent_self_json(
    const NodeIdentity& node, const Services& services, const ConsulBuild& build
);
[[nodiscard]] std::string agent_members_json(const NodeIdentity& node, const ConsulBuild& build);
[[nodiscard]] std::string agent_version_json(const ConsulBuild& build);
[[nodiscard]] std::string agent_services_json(const NodeIdentity& node, const Services& services);
[[nodiscard]] std::string agent_service_json(const NodeIdentity& node, const Service& service);

// GET /v1/status/leader, and the one element of /v1/status/peers: a JSON string.
[[nodiscard]] std::string status_address_json(const NodeIdentity& node);

// GET /v1/catalog/…
[[nodiscard]] std::string catalog_datacenters_json(const NodeIdentity& node);
[[nodiscard]] std::string catalog_nodes_json(const NodeIdentity& node);
// Names with the tags that any of their services has.
[[nodiscard]] std::string catalog_services_json(const Services& services);
// The services of that name and, if one is asked for, with that tag; both in any case.
[[nodiscard]] std::string catalog_service_json(
    const NodeIdentity& node,
    const Services& services,
    std::string_view name,
    std::optional<std::string_view> tag
);

}  // namespace belfry
