// What a request shows about its sender: its token, from where the door takes tokens, and the
// headers by which browsers are known. Pure; may be called from any thread.
#pragma once

#include "doors/routes.h"
#include "hub/access.h"

#include <string>

namespace belfry {

// Views into the request, the query and `memory`, which keeps what was decoded. unauthenticated: an
// Authorization that holds no token; bad_request: two tokens, hosts or origins, or a token in a
// query where the door takes none; denied: a browser with a password.
[[nodiscard]] Result<Credentials> credentials_of(
    const HttpRequest& request, const Door& door, const Query& query, std::string& memory
);

}  // namespace belfry
