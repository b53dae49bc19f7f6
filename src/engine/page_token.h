// The opaque `next` of a page: a position in insertion order as 16 hex digits.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

[[nodiscard]] std::string page_token(std::uint64_t position);
// Empty is the beginning, 0. Errc::bad_request for anything that page_token() did not write.
[[nodiscard]] Result<std::uint64_t> parse_page_token(std::string_view token);

}  // namespace belfry
