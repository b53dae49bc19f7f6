// Percent-encoding (RFC 3986, 2.1) of one piece of a URI. May be called from any thread.
#pragma once

#include <string>
#include <string_view>

namespace belfry {

// All but unreserved characters (RFC 3986, 2.3) as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace belfry
