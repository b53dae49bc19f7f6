#include "base/limits.h"

#include <array>

namespace belfry {

std::span<const LimitInfo> limit_table() {
#define BELFRY_LIMIT_ROW(name, value, unit, text) \
    LimitInfo{#name, LimitUnit::unit, text, &Limits::name},
    static constexpr auto kTable = std::to_array<LimitInfo>({BELFRY_LIMITS(BELFRY_LIMIT_ROW)});
#undef BELFRY_LIMIT_ROW
    return kTable;
}

}  // namespace belfry
