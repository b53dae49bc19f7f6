// The first token of a hub, made in its data directory while it does not run: whoever may write
// there owns the hub anyway, so nothing else is asked, and no password comes with the program. What
// was done, or refused, is a line of audit.
#pragma once

#include "app/config.h"
#include "auth/access_administration.h"
#include "base/error.h"

#include <cstdint>

namespace belfry {

// replace: revokes the token that bootstrap made before; without it a second time is refused.
enum class Bootstrap : std::uint8_t { first, replace };

// A token of the policy `operator` in the tenant `default`. Makes the directory if it is not there.
// conflict: a hub has it open, or a token was made before. Blocks.
[[nodiscard]] Result<IssuedToken> bootstrap_token(const Config& config, Bootstrap bootstrap);

}  // namespace belfry
