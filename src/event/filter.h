// A subscription's filter: type patterns, and expressions of the CloudEvents Subscriptions API 1.0
// draft (section 3.2.4.2: exact, prefix, suffix, all, any, not) on attributes. All of `filters`
// must hold.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "event/event.h"
#include "event/type_pattern.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::json {
class value;
}

namespace belfry {

// One expression. exact, prefix and suffix hold one or more attribute/value pairs that must all
// hold; all and any hold children; not holds one child. An absent attribute matches nothing.
struct FilterExpression {
    enum class Kind : std::uint8_t {
        exact,
        prefix,
        suffix,
        all,
        any,
        none_of
    };  // none_of: JSON "not"
    Kind kind = Kind::exact;
    std::vector<std::pair<std::string, std::string>> terms;
    std::vector<FilterExpression> children;

    [[nodiscard]] bool matches(const Event& event) const;
    bool operator==(const FilterExpression&) const = default;
};

struct Filter {
    std::vector<TypePattern> types;  // any of them; empty: every type
    std::vector<FilterExpression> filters;

    [[nodiscard]] bool matches_type(std::string_view type) const;
    [[nodiscard]] bool matches(const Event& event) const;  // type and filters
    bool operator==(const Filter&) const = default;
};

// `{"types": […], "filters": […]}`, both optional. Errc::invalid_filter or unknown_field with
// `field` as a path ("filters[0].all[1]"), bad_request for text that is not JSON, too_large past
// limits.filter_bytes.
[[nodiscard]] Result<Filter> parse_filter(std::string_view json, const Limits& limits);
// The same from a value of a larger document; `path` is where it stands there and begins each
// `field`.
[[nodiscard]] Result<Filter> read_filter(
    const boost::json::value& value, std::string path, const Limits& limits
);
// The JSON that parse_filter() reads back equal.
[[nodiscard]] std::string filter_json(const Filter& filter);

}  // namespace belfry
