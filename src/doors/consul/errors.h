// Errors in Consul's words: bare texts, and statuses that its clients know.
#pragma once

#include "base/error.h"

#include <string_view>

namespace belfry {

inline constexpr std::string_view kAclNotFound = "ACL not found";
inline constexpr std::string_view kPermissionDenied = "Permission denied";
inline constexpr std::string_view kNoPathToDatacenter = "No path to datacenter";

// Total: every code has a status. What Consul has no answer for keeps the one it has elsewhere.
[[nodiscard]] int consul_status(Errc code);
// What went wrong, without what names this machine's files.
[[nodiscard]] std::string_view consul_text(const Error& error);

}  // namespace belfry
