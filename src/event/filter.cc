#include "event/filter.h"

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace belfry {

namespace {

namespace json = boost::json;
using Kind = FilterExpression::Kind;

struct Dialect {
    Kind kind;
    std::string_view name;
};
constexpr std::array kDialects{
    Dialect{Kind::exact, "exact"},
    Dialect{Kind::prefix, "prefix"},
    Dialect{Kind::suffix, "suffix"},
    Dialect{Kind::all, "all"},
    Dialect{Kind::any, "any"},
    Dialect{Kind::none_of, "not"},
};

std::string_view view(json::string_view text) {
    return {text.data(), text.size()};
}

bool is_attribute_name(std::string_view name) {
    return !name.empty() && name != "data" &&
           std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); });
}

Result<void> check_value(const std::string& field, std::string_view value, const Limits& limits) {
    if (value.empty()) {
        return fail(Errc::invalid_filter, field, fmt::format("\"{}\" must not be empty", field));
    }
    if (value.size() > limits.filter_value_bytes) {
        return std::unexpected(Error{
            .code = Errc::invalid_filter,
            .detail =
                fmt::format("\"{}\" is longer than {} bytes", field, limits.filter_value_bytes),
            .field = field,
            .limit = limits.filter_value_bytes
        });
    }
    return {};
}

// `{"attribute": "value", …}`.
Result<FilterExpression> read_terms(
    const json::value& value, const std::string& path, Kind kind, const Limits& limits
) {
    const json::object* object = value.if_object();
    if (object == nullptr || object->empty()) {
        return fail(
            Errc::invalid_filter,
            path,
            fmt::format("\"{}\" must be an object of attributes and values", path)
        );
    }
    FilterExpression expression{.kind = kind, .terms = {}, .children = {}};
    for (const json::key_value_pair& member : *object) {
        const std::string name(view(member.key()));
        const std::string field = fmt::format("{}.{}", path, name);
        const json::string* text = member.value().if_string();
        if (!is_attribute_name(name)) {
            return fail(
                Errc::invalid_filter,
                field,
                fmt::format("\"{}\" is not the name of an attribute", name)
            );
        }
        if (text == nullptr) {
            return fail(Errc::invalid_filter, field, fmt::format("\"{}\" must be a string", field));
        }
        if (auto checked = check_value(field, view(*text), limits); !checked) {
            return std::unexpected(checked.error());
        }
        expression.terms.emplace_back(name, view(*text));
    }
    return expression;
}

// A filter's nesting is bounded by limits.filter_depth, so this may recurse.
Result<FilterExpression> read_expression(
    const json::value& value, const std::string& path, std::uint64_t depth, const Limits& limits
);

// `[expression, …]`.
Result<std::vector<FilterExpression>> read_expressions(
    const json::value& value, const std::string& path, std::uint64_t depth, const Limits& limits
) {
    const json::array* array = value.if_array();
    if (array == nullptr) {
        return fail(
            Errc::invalid_filter, path, fmt::format("\"{}\" must be an array of expressions", path)
        );
    }
    std::vector<FilterExpression> expressions;
    for (std::size_t i = 0; i < array->size(); ++i) {
        auto expression =
            read_expression((*array)[i], fmt::format("{}[{}]", path, i), depth, limits);
        if (!expression) {
            return std::unexpected(std::move(expression.error()));
        }
        expressions.push_back(std::move(*expression));
    }
    return expressions;
}

Result<FilterExpression> read_expression(
    const json::value& value, const std::string& path, std::uint64_t depth, const Limits& limits
) {
    if (depth == 0) {
        return std::unexpected(Error{
            .code = Errc::invalid_filter,
            .detail = fmt::format("a filter nests at most {} expressions", limits.filter_depth),
            .field = path,
            .limit = limits.filter_depth
        });
    }
    const json::object* object = value.if_object();
    if (object == nullptr || object->size() != 1) {
        return fail(
            Errc::invalid_filter,
            path,
            fmt::format("\"{}\" must be an object with one member, the dialect", path)
        );
    }
    const std::string_view name = view(object->begin()->key());
    const json::value& body = object->begin()->value();
    const std::string body_path = fmt::format("{}.{}", path, name);
    const auto* const dialect = std::ranges::find(kDialects, name, &Dialect::name);
    if (dialect == kDialects.end()) {
        return fail(
            Errc::invalid_filter,
            body_path,
            fmt::format(
                "\"{}\" is not a dialect known here: exact, prefix, suffix, all, any, not", name
            )
        );
    }
    FilterExpression expression{.kind = dialect->kind, .terms = {}, .children = {}};
    switch (dialect->kind) {
        case Kind::exact:
        case Kind::prefix:
        case Kind::suffix:
            return read_terms(body, body_path, dialect->kind, limits);
        case Kind::all:
        case Kind::any: {
            auto children = read_expressions(body, body_path, depth - 1, limits);
            if (!children) {
                return std::unexpected(std::move(children.error()));
            }
            if (children->empty()) {
                return fail(
                    Errc::invalid_filter,
                    body_path,
                    fmt::format("\"{}\" must not be empty", body_path)
                );
            }
            expression.children = std::move(*children);
            return expression;
        }
        case Kind::none_of: {
            auto child = read_expression(body, body_path, depth - 1, limits);
            if (!child) {
                return std::unexpected(std::move(child.error()));
            }
            expression.children.push_back(std::move(*child));
            return expression;
        }
    }
    return expression;
}

Result<std::vector<TypePattern>> read_types(
    const json::value& value, const std::string& path, const Limits& limits
) {
    const json::array* array = value.if_array();
    if (array == nullptr) {
        return fail(
            Errc::invalid_filter,
            path,
            fmt::format("\"{}\" must be an array of type patterns", path)
        );
    }
    std::vector<TypePattern> types;
    for (std::size_t i = 0; i < array->size(); ++i) {
        const std::string field = fmt::format("{}[{}]", path, i);
        const json::string* text = (*array)[i].if_string();
        if (text == nullptr) {
            return fail(Errc::invalid_filter, field, fmt::format("\"{}\" must be a string", field));
        }
        if (auto checked = check_value(field, view(*text), limits); !checked) {
            return std::unexpected(checked.error());
        }
        auto pattern = parse_type_pattern(view(*text));
        if (!pattern) {
            return fail(Errc::invalid_filter, field, std::move(pattern.error().detail));
        }
        types.push_back(std::move(*pattern));
    }
    return types;
}

bool holds(Kind kind, std::string_view value, std::string_view wanted) {
    switch (kind) {
        case Kind::exact:
            return value == wanted;
        case Kind::prefix:
            return value.starts_with(wanted);
        case Kind::suffix:
            return value.ends_with(wanted);
        case Kind::all:
        case Kind::any:
        case Kind::none_of:
            break;
    }
    return false;
}

void append_expression(std::string& out, const FilterExpression& expression);

void append_expressions(std::string& out, const std::vector<FilterExpression>& expressions) {
    out += '[';
    for (const FilterExpression& expression : expressions) {
        if (&expression != &expressions.front()) {
            out += ',';
        }
        append_expression(out, expression);
    }
    out += ']';
}

void append_expression(std::string& out, const FilterExpression& expression) {
    out += '{';
    append_json_name(out, kDialects[static_cast<std::size_t>(expression.kind)].name);
    switch (expression.kind) {
        case Kind::exact:
        case Kind::prefix:
        case Kind::suffix:
            out += '{';
            for (const auto& term : expression.terms) {
                if (&term != &expression.terms.front()) {
                    out += ',';
                }
                append_json_string(out, term.first);
                out += ':';
                append_json_string(out, term.second);
            }
            out += '}';
            break;
        case Kind::all:
        case Kind::any:
            append_expressions(out, expression.children);
            break;
        case Kind::none_of:
            append_expression(out, expression.children.front());
            break;
    }
    out += '}';
}

}  // namespace

bool FilterExpression::matches(const Event& event) const {
    const auto child_matches = [&event](const FilterExpression& child) {
        return child.matches(event);
    };
    switch (kind) {
        case Kind::exact:
        case Kind::prefix:
        case Kind::suffix:
            return std::ranges::all_of(terms, [&](const auto& term) {
                const auto value = event.attribute(term.first);
                return value && holds(kind, *value, term.second);
            });
        case Kind::all:
            return std::ranges::all_of(children, child_matches);
        case Kind::any:
            return std::ranges::any_of(children, child_matches);
        case Kind::none_of:
            return std::ranges::none_of(children, child_matches);
    }
    return false;
}

bool Filter::matches_type(std::string_view type) const {
    return types.empty() || std::ranges::any_of(types, [type](const TypePattern& pattern) {
               return pattern.matches(type);
           });
}

bool Filter::matches(const Event& event) const {
    return matches_type(event.type) &&
           std::ranges::all_of(filters, [&event](const FilterExpression& expression) {
               return expression.matches(event);
           });
}

Result<Filter> read_filter(const json::value& value, std::string path, const Limits& limits) {
    Filter filter;
    JsonObjectReader reader(value, std::move(path));
    if (const json::value* types = reader.optional("types")) {
        auto read = read_types(*types, reader.path("types"), limits);
        if (read) {
            filter.types = std::move(*read);
        } else {
            reader.check(std::unexpected(std::move(read.error())));
        }
    }
    if (const json::value* filters = reader.optional("filters")) {
        auto read = read_expressions(*filters, reader.path("filters"), limits.filter_depth, limits);
        if (read) {
            filter.filters = std::move(*read);
        } else {
            reader.check(std::unexpected(std::move(read.error())));
        }
    }
    if (auto finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    if (filter_json(filter).size() > limits.filter_bytes) {
        return std::unexpected(Error{
            .code = Errc::too_large,
            .detail = fmt::format("the filter is over {} bytes", limits.filter_bytes),
            .limit = limits.filter_bytes
        });
    }
    return filter;
}

Result<Filter> parse_filter(std::string_view json_text, const Limits& limits) {
    if (json_text.size() > limits.filter_bytes) {
        return std::unexpected(Error{
            .code = Errc::too_large,
            .detail = fmt::format("the filter is over {} bytes", limits.filter_bytes),
            .limit = limits.filter_bytes
        });
    }
    auto value = parse_json(json_text, limits);
    if (!value) {
        return std::unexpected(std::move(value.error()));
    }
    return read_filter(*value, "", limits);
}

std::string filter_json(const Filter& filter) {
    std::string out = "{";
    if (!filter.types.empty()) {
        out += "\"types\":[";
        for (const TypePattern& pattern : filter.types) {
            if (&pattern != &filter.types.front()) {
                out += ',';
            }
            append_json_string(out, pattern.to_string());
        }
        out += ']';
    }
    if (!filter.filters.empty()) {
        if (out.size() > 1) {
            out += ',';
        }
        out += "\"filters\":";
        append_expressions(out, filter.filters);
    }
    out += '}';
    return out;
}

}  // namespace belfry
