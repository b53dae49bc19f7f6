// If-None-Match against one entity tag. Pure; any thread.
#pragma once

#include <string_view>

namespace belfry::eventkit {

// `tag` stands in the header's value, alone or in a list: quoted (RFC 9110), weak, or raw, as
// Steadybit's own extensions and agents write it; or the value is `*`. `tag` itself is raw:
// letters, digits and hyphens.
[[nodiscard]] bool names_tag(std::string_view if_none_match, std::string_view tag);

}  // namespace belfry::eventkit
