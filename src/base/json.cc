#include "base/json.h"

#include "base/ascii.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace belfry {

namespace {

namespace json = boost::json;

std::string_view view(json::string_view text) {
    return {text.data(), text.size()};
}

// What the parser tells about the text: builds the value and watches the limits in the same pass.
class StrictHandler {
 public:
    // The parser asks for these by name. NOLINTBEGIN(readability-identifier-naming)
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();
    // NOLINTEND(readability-identifier-naming)

    explicit StrictHandler(const Limits& limits) : limits_(limits) {}

    [[nodiscard]] json::value release() { return values_.release(); }
    std::optional<Error> error;

    bool on_document_begin(json::error_code& /*ec*/) {
        values_.reset();
        return true;
    }
    bool on_document_end(json::error_code& /*ec*/) { return true; }
    bool on_object_begin(json::error_code& /*ec*/) {
        objects_.push_back(keys_.size());
        return true;
    }
    bool on_object_end(std::size_t count, json::error_code& /*ec*/) {
        const bool unique = keys_are_unique();
        const std::size_t first = objects_.back();
        key_bytes_.resize(first == 0 ? 0 : keys_[first - 1]);
        keys_.resize(first);
        objects_.pop_back();
        values_.push_object(count);
        return unique;
    }
    bool on_array_begin(json::error_code& /*ec*/) { return true; }
    bool on_array_end(std::size_t count, json::error_code& /*ec*/) {
        values_.push_array(count);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t /*size*/, json::error_code& /*ec*/) {
        key_bytes_.append(part.data(), part.size());
        values_.push_chars(part);
        return true;
    }
    bool on_key(json::string_view part, std::size_t /*size*/, json::error_code& /*ec*/) {
        key_bytes_.append(part.data(), part.size());
        keys_.push_back(key_bytes_.size());
        values_.push_key(part);
        if (keys_.size() - objects_.back() > limits_.json_keys) {
            return past_limit(
                fmt::format("an object has more than {} members", limits_.json_keys),
                limits_.json_keys
            );
        }
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t /*size*/, json::error_code& /*ec*/) {
        values_.push_chars(part);
        return true;
    }
    bool on_string(json::string_view part, std::size_t /*size*/, json::error_code& /*ec*/) {
        values_.push_string(part);
        return true;
    }
    bool on_number_part(json::string_view part, json::error_code& /*ec*/) {
        return count_digits(part);
    }
    bool on_int64(std::int64_t number, json::string_view part, json::error_code& /*ec*/) {
        values_.push_int64(number);
        return end_number(part);
    }
    bool on_uint64(std::uint64_t number, json::string_view part, json::error_code& /*ec*/) {
        values_.push_uint64(number);
        return end_number(part);
    }
    bool on_double(double number, json::string_view part, json::error_code& /*ec*/) {
        values_.push_double(number);
        if (!std::isfinite(number)) {
            error = Error{.code = Errc::bad_request, .detail = "a number is too large"};
            return false;
        }
        return end_number(part);
    }
    bool on_bool(bool value, json::error_code& /*ec*/) {
        values_.push_bool(value);
        return true;
    }
    bool on_null(json::error_code& /*ec*/) {
        values_.push_null();
        return true;
    }
    bool on_comment_part(json::string_view /*part*/, json::error_code& /*ec*/) { return true; }
    bool on_comment(json::string_view /*part*/, json::error_code& /*ec*/) { return true; }

 private:
    bool past_limit(std::string detail, std::uint64_t limit) {
        error = Error{.code = Errc::bad_request, .detail = std::move(detail), .limit = limit};
        return false;
    }

    bool count_digits(json::string_view part) {
        digits_ += static_cast<std::uint64_t>(std::ranges::count_if(part, is_digit));
        if (digits_ > limits_.json_number_digits) {
            return past_limit(
                fmt::format("a number has more than {} digits", limits_.json_number_digits),
                limits_.json_number_digits
            );
        }
        return true;
    }
    bool end_number(json::string_view part) {
        const bool fits = count_digits(part);
        digits_ = 0;
        return fits;
    }

    // The members of the innermost object. Sorted views rather than a set: one pass, no nodes.
    bool keys_are_unique() {
        sorted_.clear();
        for (std::size_t i = objects_.back(); i < keys_.size(); ++i) {
            const std::size_t begin = i == 0 ? 0 : keys_[i - 1];
            sorted_.push_back(std::string_view(key_bytes_).substr(begin, keys_[i] - begin));
        }
        std::ranges::sort(sorted_);
        const auto twin = std::ranges::adjacent_find(sorted_);
        if (twin == sorted_.end()) {
            return true;
        }
        error = Error{
            .code = Errc::bad_request,
            .detail = "an object has two members of one name",
            .field = std::string(*twin)
        };
        return false;
    }

    // Constant after construction.
    const Limits& limits_;
    // Per text.
    json::value_stack values_;
    std::string key_bytes_;             // the names of all members of all open objects, in a row
    std::vector<std::size_t> keys_;     // where each of them ends
    std::vector<std::size_t> objects_;  // per open object, its first member in keys_
    std::vector<std::string_view> sorted_;
    std::uint64_t digits_ = 0;  // of the number being read
};

Error syntax_error(json::error_code ec, const Limits& limits) {
    if (ec == json::error::too_deep) {
        return Error{
            .code = Errc::bad_request,
            .detail = fmt::format("nested deeper than {} levels", limits.json_depth),
            .limit = limits.json_depth
        };
    }
    return Error{.code = Errc::bad_request, .detail = ec.message()};
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const Limits& limits) {
    json::parse_options options;
    options.max_depth =
        std::min<std::uint64_t>(limits.json_depth, std::numeric_limits<std::uint16_t>::max());
    json::basic_parser<StrictHandler> parser(options, limits);
    json::error_code ec;
    std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
    std::optional<Error> error = std::move(parser.handler().error);
    if (!error && ec) {
        error = syntax_error(ec, limits);
    }
    if (!error && consumed < text.size()) {
        error = Error{.code = Errc::bad_request, .detail = "more text after the value"};
    }
    if (error) {
        error->detail = fmt::format("malformed JSON at byte {}: {}", consumed, error->detail);
        return std::unexpected(std::move(*error));
    }
    return parser.handler().release();
}

JsonObjectReader::JsonObjectReader(const json::value& value, std::string path)
    : object_(value.if_object()), path_(std::move(path)) {
    if (object_ == nullptr) {
        error_ =
            Error{.code = Errc::bad_request, .detail = "an object is expected", .field = path_};
    }
}

const json::value* JsonObjectReader::optional(std::string_view name) {
    known_.push_back(name);
    return object_ == nullptr ? nullptr : object_->if_contains(name);
}

const json::value* JsonObjectReader::required(std::string_view name) {
    const json::value* value = optional(name);
    if (value == nullptr && object_ != nullptr) {
        refuse(name, Errc::bad_request, fmt::format("\"{}\" is missing", path(name)));
    }
    return value;
}

const json::array* JsonObjectReader::array(std::string_view name) {
    const json::value* value = optional(name);
    if (value != nullptr && !value->is_array()) {
        wrong_type(name, "an array");
    }
    return value == nullptr ? nullptr : value->if_array();
}

std::optional<std::string> JsonObjectReader::text(std::string_view name) {
    const json::value* value = optional(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        wrong_type(name, "a string");
        return std::nullopt;
    }
    return std::string(view(value->get_string()));
}

std::string JsonObjectReader::required_text(std::string_view name) {
    const json::value* value = required(name);
    if (value == nullptr) {
        return {};
    }
    if (!value->is_string()) {
        wrong_type(name, "a string");
        return {};
    }
    return std::string(view(value->get_string()));
}

std::optional<std::uint64_t> JsonObjectReader::number(std::string_view name) {
    const json::value* value = optional(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_uint64()) {
        return value->get_uint64();
    }
    if (value->is_int64() && value->get_int64() >= 0) {
        return static_cast<std::uint64_t>(value->get_int64());
    }
    wrong_type(name, "a whole number from 0 on");
    return std::nullopt;
}

std::optional<bool> JsonObjectReader::flag(std::string_view name) {
    const json::value* value = optional(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_bool()) {
        wrong_type(name, "true or false");
        return std::nullopt;
    }
    return value->get_bool();
}

std::vector<std::string> JsonObjectReader::texts(std::string_view name) {
    std::vector<std::string> found;
    const json::array* elements = array(name);
    if (elements == nullptr) {
        return found;
    }
    for (std::size_t i = 0; i < elements->size(); ++i) {
        const json::string* text = (*elements)[i].if_string();
        if (text == nullptr) {
            check(std::unexpected(Error{
                .code = Errc::bad_request,
                .detail = fmt::format("\"{}\": a string is expected", path(name, i)),
                .field = path(name, i)
            }));
            return {};
        }
        found.emplace_back(view(*text));
    }
    return found;
}

bool JsonObjectReader::has(std::string_view name) const {
    return object_ != nullptr && object_->contains(name);
}

std::string JsonObjectReader::path(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

std::string JsonObjectReader::path(std::string_view name, std::size_t index) const {
    return fmt::format("{}[{}]", path(name), index);
}

void JsonObjectReader::refuse(std::string_view name, Errc code, std::string detail) {
    check(std::unexpected(Error{.code = code, .detail = std::move(detail), .field = path(name)}));
}

void JsonObjectReader::check(Result<void> result) {
    if (!result && !error_) {
        error_ = std::move(result.error());
    }
}

void JsonObjectReader::wrong_type(std::string_view name, std::string_view expected) {
    refuse(name, Errc::bad_request, fmt::format("\"{}\": {} is expected", path(name), expected));
}

Result<void> JsonObjectReader::finish() const {
    if (error_) {
        return std::unexpected(*error_);
    }
    for (const json::key_value_pair& member : *object_) {
        if (std::ranges::find(known_, view(member.key())) == known_.end()) {
            const std::string field = path(view(member.key()));
            return std::unexpected(Error{
                .code = Errc::unknown_field,
                .detail = fmt::format("\"{}\" is not known here", field),
                .field = field
            });
        }
    }
    return {};
}

}  // namespace belfry
