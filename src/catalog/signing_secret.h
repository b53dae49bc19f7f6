// Signing secrets as Standard Webhooks 1.0 writes them: `whsec_` and the Base64 of the key.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace belfry {

// The key, 24 to 64 bytes. bad_request if the secret is not one; the text does not repeat it.
[[nodiscard]] Result<std::string> signing_key(std::string_view secret);

}  // namespace belfry
