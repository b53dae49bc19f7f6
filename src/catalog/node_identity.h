// Who this node is to those who ask by Consul's API, and what the node filter of an event is held
// against. Constant after start; may be read from any thread.
#pragma once

#include <string>

namespace belfry {

struct NodeIdentity {
    std::string name;
    std::string id;  // a UUID, the same for the same name
    std::string datacenter = "dc1";
    std::string address = "127.0.0.1";
};

}  // namespace belfry
