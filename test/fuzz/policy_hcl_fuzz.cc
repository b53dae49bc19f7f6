// Policies in HCL: whatever the bytes, the reader ends, and answers with rules that can be written
// and read again or with one error that has a place.
#include "auth/policy_hcl.h"
#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const belfry::Limits limits;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto file = belfry::parse_policy_hcl(text, limits);
    if (!file) {
        ASSERT(file.error().detail.starts_with("line ") || size > limits.yaml_bytes);
        return 0;
    }
    ASSERT(!file->rules.event.contains(""));
    for (const auto& [type, permission] : file->rules.event) {
        ASSERT(type.size() <= limits.event_type_bytes);
    }
    return 0;
}
