#include "event/type_pattern.h"

#include <fmt/format.h>

namespace belfry {

Result<TypePattern> parse_type_pattern(std::string_view text) {
    if (text.empty()) {
        return fail(Errc::invalid_filter, "a type pattern must not be empty; \"*\" is every type");
    }
    const bool prefix = text.ends_with('*');
    const std::string_view fixed = text.substr(0, text.size() - (prefix ? 1 : 0));
    if (fixed.contains('*')) {
        return fail(
            Errc::invalid_filter, fmt::format("\"{}\": a `*` may only end a type pattern", text)
        );
    }
    return TypePattern{.text = std::string(fixed), .prefix = prefix};
}

}  // namespace belfry
