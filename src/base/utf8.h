// Whether text is UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing over
// U+10FFFF. May be called from any thread. Stands alone because simdjson's header costs a file 3
// seconds.
#pragma once

#include <string_view>

namespace belfry {

[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace belfry
