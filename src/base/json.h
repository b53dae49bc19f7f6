// JSON that Belfry interprets: its own documents, filters and request bodies. Strict where a
// lenient reader would let two programs read two things: RFC 8259, UTF-8 only, no duplicate
// members, every limit kept. (Event data is not read with this; it stays the bytes it is.) May be
// called from any thread. Callers include <boost/json.hpp> in their .cc files.
#pragma once

#include "base/error.h"
#include "base/limits.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::json {
class array;
class object;
class value;
}  // namespace boost::json

namespace belfry {

// The value of `text`. Errc::bad_request says what is wrong and at which byte; a passed limit
// (json_depth, json_keys, json_number_digits) is named and stands in `limit`. Numbers that fit are
// int64 (uint64 above it), the others double; one that is too large for a double is refused.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text, const Limits& limits);

// Reads the members of one object and remembers the first thing wrong, so that a document is read
// as a plain list of members and judged once, at finish(): a wrong type or an absent required
// member is bad_request, a member that was never asked for unknown_field, each with `field` as a
// path ("sink.headers"). null counts as a wrong type. The value must outlive the reader.
//
//     JsonObjectReader reader(value);
//     subscription.name = reader.text("name").value_or("");
//     if (const boost::json::value* sink = reader.required("sink")) {
//         reader.check(read_sink(*sink, reader.path("sink"), subscription));
//     }
//     return reader.finish();
class JsonObjectReader {
 public:
    // `path` is where `value` stands in its document; empty at the top. Not an object: bad_request.
    explicit JsonObjectReader(const boost::json::value& value, std::string path = {});

    // The member, nullptr (nullopt) if it is absent or of another type.
    const boost::json::value* optional(std::string_view name);
    const boost::json::array* array(std::string_view name);
    std::optional<std::string> text(std::string_view name);
    std::optional<std::uint64_t> number(std::string_view name);  // a whole number from 0 on
    std::optional<bool> flag(std::string_view name);
    std::vector<std::string> texts(std::string_view name);  // an array of strings; empty if absent
    // The same, and absence is an error.
    const boost::json::value* required(std::string_view name);
    std::string required_text(std::string_view name);

    // The member exists, whatever its type; does not count as asked for.
    [[nodiscard]] bool has(std::string_view name) const;
    // The path of a member, and of an element of an array member.
    [[nodiscard]] std::string path(std::string_view name) const;
    [[nodiscard]] std::string path(std::string_view name, std::size_t index) const;

    // Notes an error of the caller's own about a member: a value out of range, an unknown word.
    void refuse(std::string_view name, Errc code, std::string detail);
    // Notes the error of `result`, if it is one.
    void check(Result<void> result);
    [[nodiscard]] bool ok() const { return !error_; }

    // The first error noted; else unknown_field for the first member that was never asked for; else
    // success.
    [[nodiscard]] Result<void> finish() const;

 private:
    void wrong_type(std::string_view name, std::string_view expected);

    const boost::json::object* object_ =
        nullptr;  // nullptr: not an object, which is noted in error_
    std::string path_;
    std::vector<std::string_view> known_;
    std::optional<Error> error_;
};

}  // namespace belfry
