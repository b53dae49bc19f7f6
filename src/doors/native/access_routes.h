// The routes of tokens and policies.
#pragma once

#include "doors/native/native_door.h"

#include <vector>

namespace belfry {

void add_access_routes(std::vector<Route>& routes, const NativeDoorPorts& ports);

}  // namespace belfry
