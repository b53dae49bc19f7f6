// The native door: Belfry's own HTTP API under /api/v1, and what operators ask for (/healthz,
// /readyz, /metrics). docs/api.md describes it; README.md here says what each file holds.
#pragma once

#include "auth/access_administration.h"
#include "base/clock.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "catalog/node_identity.h"
#include "catalog/services.h"
#include "doors/routes.h"
#include "hub/hub.h"
#include "net/http_server.h"

#include <functional>
#include <string>
#include <vector>

namespace belfry {

struct BuildInfo {
    std::string version;
    std::string commit;
};

// Everything must outlive the door. The functions are called on the I/O thread.
struct NativeDoorPorts {
    Hub& hub;
    const Catalog& catalog;
    AccessAdministration& administration;
    Clock& clock;
    const Limits& limits;
    const NodeIdentity& node;  // whom events with Consul's filters are judged for
    const Services& services;
    BuildInfo build;
    std::function<HttpServerStatus()> server_status;
    // Why the program is not ready, beside what the hub and the log say: "stopping" …; short words,
    // no secrets.
    std::function<std::vector<std::string>()> unready_reasons = {};
    std::string durability = "fsync";  // what a receipt promises, as the engine says
};

// The routes hold what they need and keep it alive. I/O thread only.
[[nodiscard]] Door native_door(NativeDoorPorts ports);

}  // namespace belfry
