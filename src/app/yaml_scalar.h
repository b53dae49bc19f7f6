// A plain scalar of YAML as JSON, by the core schema (YAML 1.2.2, 10.3.2): `true`, `12`, `0x1f`
// and `1.5` have their types, everything else is text. `no` and `on` are text. May be called from
// any thread.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace belfry {

// Appends it. bad_request for what JSON cannot say: infinities, not-a-number, hexadecimal and octal
// numbers past 64 bits. An empty scalar and the spellings of null are null.
[[nodiscard]] Result<void> append_plain_scalar(std::string_view scalar, std::string& out);

}  // namespace belfry
