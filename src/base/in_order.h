// Steps that can fail, one after another: the first failure is the result and ends it.
#pragma once

#include "base/error.h"

namespace belfry {

// Each step is callable without arguments and gives a Result<void>.
template <typename... Steps>
[[nodiscard]] Result<void> in_order(const Steps&... steps) {
    Result<void> result;
    (void)((result = steps(), result.has_value()) && ...);
    return result;
}

}  // namespace belfry
