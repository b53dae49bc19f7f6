// Who this node is and what runs on it, as the configuration says. May be called from any thread.
#pragma once

#include "app/config.h"
#include "catalog/node_identity.h"
#include "catalog/service.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace belfry {

// `auto` for a name is the machine's; the port is the one of http.listen, 0 if that is not chosen
// yet.
[[nodiscard]] NodeIdentity node_identity(const Config& config);
// Of an address that was checked, "127.0.0.1:8420".
[[nodiscard]] std::uint16_t port_of(std::string_view address);

// node.services. bad_request if there are more than limits.services.
[[nodiscard]] Result<std::vector<Service>> configured_services(const Config& config);

// What a node and a datacenter may be called, and where a node may be said to be. bad_request.
[[nodiscard]] Result<void> check_node_name(std::string_view name);
[[nodiscard]] Result<void> check_datacenter(std::string_view name);
[[nodiscard]] Result<void> check_node_address(std::string_view address);

}  // namespace belfry
