// The OpenAPI 3.1 document of all doors, made from their route tables, so it cannot name what is
// not served.
#pragma once

#include "doors/routes.h"

#include <span>
#include <string>
#include <vector>

namespace belfry {

// Indented JSON, ended by a line break. The same table gives the same bytes.
[[nodiscard]] std::string openapi_json(std::span<const Door> doors);

// Adds GET /openapi.json to the first door; the document lists itself, too. ASSERTs a first door.
void add_openapi_route(std::vector<Door>& doors);

}  // namespace belfry
