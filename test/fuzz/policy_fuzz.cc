// Policies as the API takes them and as files have them: what is accepted is written and read back
// equal, and never allows what it does not say.
#include "app/policy_file.h"
#include "base/assert.h"
#include "catalog/policy.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const belfry::Limits limits;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    if (auto policy = belfry::parse_policy(text, limits)) {
        policy->tenant = "default";
        auto again = belfry::parse_stored_policy(belfry::stored_policy_json(*policy));
        ASSERT(again && again->rules == policy->rules && again->name == policy->name);
    }
    auto file = belfry::parse_policy_file(text, "policy.yaml", limits);
    if (!file) {
        ASSERT(!file.error().detail.empty());
    }
    return 0;
}
