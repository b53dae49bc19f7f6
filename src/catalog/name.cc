#include "catalog/name.h"

#include "base/ascii.h"

#include <algorithm>

namespace belfry {

Result<void> check_name(std::string_view name) {
    bool good =
        !name.empty() && name.size() <= kNameBytes && name != "." && name != ".." &&
        std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '_' || c == '-';
        });
    if (!good) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = "a name is 1 to 128 of the characters a-z 0-9 . _ -",
            .field = "name"
        });
    }
    return {};
}

}  // namespace belfry
