// Reads a policy written for Consul, in HCL: blocks `event "x" { policy = "write" }` and
// `event_prefix`. Other blocks and attributes speak of what Belfry does not have; each is skipped
// with a note, never taken for something else. May be called from any thread.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "catalog/policy.h"

#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct PolicyFile {
    PolicyRules rules;
    std::vector<std::string> notes;  // what was left out, and what deserves a second look
};

// bad_request with line and column, and what is expected there. At most limits.yaml_bytes of text,
// limits.yaml_depth levels of brackets.
[[nodiscard]] Result<PolicyFile> parse_policy_hcl(std::string_view text, const Limits& limits);

// Rules on every event type are worth saying twice.
void note_wildcards(PolicyFile& file);

}  // namespace belfry
