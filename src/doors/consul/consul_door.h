// The Consul door: user events by Consul's HTTP API, and what its clients ask beside them.
// README.md here says which files hold what, and where Belfry decides otherwise.
#pragma once

#include "base/clock.h"
#include "base/limits.h"
#include "catalog/node_identity.h"
#include "catalog/services.h"
#include "doors/consul/event_view.h"
#include "doors/consul/node_json.h"
#include "doors/routes.h"
#include "hub/hub.h"

#include <functional>
#include <string>

namespace belfry {

struct ConsulOptions {
    ViewLimits list;
    // 400 and 413 where Consul answers 500 to a request that is wrong.
    bool strict_status = false;
};

// Everything must outlive the door. The function is called on the I/O thread.
struct ConsulDoorPorts {
    Hub& hub;
    Clock& clock;
    const Limits& limits;
    const NodeIdentity& node;
    Services& services;
    std::function<bool()> denies_by_default;  // X-Consul-Default-ACL-Policy: deny
    ConsulBuild build;
    ConsulOptions options;
};

// The routes hold what they need and keep it alive. I/O thread only.
[[nodiscard]] Door consul_door(ConsulDoorPorts ports);

}  // namespace belfry
