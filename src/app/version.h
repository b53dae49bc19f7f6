// Which Belfry this is: the project's version, and the commit it was built from.
#pragma once

#include <string>
#include <string_view>

namespace belfry {

[[nodiscard]] std::string_view version();  // "0.1.0"
[[nodiscard]] std::string_view build_commit(
);                                         // as `git describe` says it; "unknown" outside a clone
[[nodiscard]] std::string version_text();  // "belfry 0.1.0 (…)"

}  // namespace belfry
