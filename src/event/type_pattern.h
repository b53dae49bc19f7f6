// A pattern on event types: an exact type, or a prefix that ends in `*` ("deploy.*", "*"). A `*`
// anywhere else is an error.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace belfry {

struct TypePattern {
    std::string text;     // without the `*`
    bool prefix = false;  // true: matches every type that starts with `text`

    [[nodiscard]] bool matches(std::string_view type) const {
        return prefix ? type.starts_with(text) : type == text;
    }
    [[nodiscard]] std::string to_string() const { return prefix ? text + "*" : text; }
    bool operator==(const TypePattern&) const = default;
};

// Errc::invalid_filter on an empty pattern or a misplaced `*`.
[[nodiscard]] Result<TypePattern> parse_type_pattern(std::string_view text);

}  // namespace belfry
