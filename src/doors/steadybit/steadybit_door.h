// The Steadybit door, the side that takes in: Belfry as an extension of Steadybit that listens to
// every event. README.md here says which files hold what, and where Belfry decides otherwise.
#pragma once

#include "base/clock.h"
#include "base/limits.h"
#include "doors/routes.h"
#include "hub/hub.h"

namespace belfry {

struct SteadybitOptions {
    // 400 to an event that is malformed, where Steadybit's extensions answer 500.
    bool strict_status = false;
};

// The references must outlive the door.
struct SteadybitDoorPorts {
    Hub& hub;
    Clock& clock;
    const Limits& limits;
    SteadybitOptions options;
};

// The routes hold what they need and keep it alive. I/O thread only.
[[nodiscard]] Door steadybit_door(const SteadybitDoorPorts& ports);

}  // namespace belfry
