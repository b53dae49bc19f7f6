// Names of documents: subscriptions, applications, policies. They stand in paths and keys without
// escaping.
#pragma once

#include "base/error.h"

#include <string_view>

namespace belfry {

inline constexpr std::size_t kNameBytes = 128;

// [a-z0-9._-]{1,128}, and not "." or "..", which a path would swallow. Errc::bad_request.
[[nodiscard]] Result<void> check_name(std::string_view name);

}  // namespace belfry
