// Who this node is to those who ask by Consul's API, and what the node filter of an event is held
// against. Constant once requests are served; may be read from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

struct NodeIdentity {
    std::string name;
    std::string id;  // node_id() of the name
    std::string datacenter = "dc1";
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // where this program serves HTTP
};

// In the shape of a UUID, and the same whenever and wherever a node of this name starts.
[[nodiscard]] std::string node_id(std::string_view name);

}  // namespace belfry
