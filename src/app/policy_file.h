// A policy as people keep it in a file: YAML (or JSON, which is YAML) with the members of the API's
// rules, or HCL as Consul has it. May be called from any thread.
#pragma once

#include "auth/policy_hcl.h"
#include "base/error.h"
#include "base/limits.h"

#include <string>
#include <string_view>

namespace belfry {

// HCL if the name ends in `.hcl`, else YAML. bad_request names line and column.
[[nodiscard]] Result<PolicyFile> parse_policy_file(
    std::string_view text, std::string_view file_name, const Limits& limits
);

}  // namespace belfry
