#include "app/yaml_scalar.h"

#include "base/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

namespace belfry {

namespace {

constexpr auto kNull = std::to_array<std::string_view>({"", "~", "null", "Null", "NULL"});
constexpr auto kTrue = std::to_array<std::string_view>({"true", "True", "TRUE"});
constexpr auto kFalse = std::to_array<std::string_view>({"false", "False", "FALSE"});
// Without their sign.
constexpr auto kNoNumber =
    std::to_array<std::string_view>({".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"});

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

std::string_view take_digits(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    std::string_view digits = text.substr(0, end);
    text.remove_prefix(end);
    return digits;
}

bool take_any(std::string_view& text, std::string_view characters) {
    if (text.empty() || characters.find(text.front()) == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

// [-+]? ( digits ( . digits? )? | . digits ) ( [eE] [-+]? digits )?  as JSON spells it; false if
// the text is no such number.
bool append_decimal(std::string_view text, std::string& out) {
    const bool negative = text.starts_with('-');
    take_any(text, "-+");
    std::string_view whole = take_digits(text);
    std::string_view fraction;
    const bool has_point = take_any(text, ".");
    if (has_point) {
        fraction = take_digits(text);
    }
    if (whole.empty() && fraction.empty()) {
        return false;
    }
    std::string exponent;
    if (take_any(text, "eE")) {
        exponent = text.starts_with('-') ? "e-" : "e";
        take_any(text, "-+");
        const std::string_view digits = take_digits(text);
        if (digits.empty()) {
            return false;
        }
        exponent += digits;
    }
    if (!text.empty()) {
        return false;
    }
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
    out += negative ? "-" : "";
    out += whole.empty() ? "0" : whole;
    if (has_point) {
        out += '.';
        out += fraction.empty() ? "0" : fraction;
    }
    out += exponent;
    return true;
}

// 0o17 or 0x1F; false if the text is no such number.
Result<bool> append_based(std::string_view text, std::string& out) {
    if (!text.starts_with("0o") && !text.starts_with("0x")) {
        return false;
    }
    const bool octal = text[1] == 'o';
    const std::string_view digits = text.substr(2);
    if (digits.empty() || digits.find_first_not_of(octal ? "01234567" : "0123456789abcdefABCDEF") !=
                              std::string_view::npos) {
        return false;
    }
    std::uint64_t number = 0;
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number, octal ? 8 : 16);
    if (error != std::errc()) {
        return fail(Errc::bad_request, fmt::format("the number {} is too large", text));
    }
    append_json_number(out, number);
    return true;
}

}  // namespace

Result<void> append_plain_scalar(std::string_view scalar, std::string& out) {
    if (is_one_of(scalar, kNull)) {
        out += "null";
        return {};
    }
    if (is_one_of(scalar, kTrue) || is_one_of(scalar, kFalse)) {
        out += is_one_of(scalar, kTrue) ? "true" : "false";
        return {};
    }
    std::string_view unsigned_text = scalar;
    take_any(unsigned_text, "-+");
    if (is_one_of(unsigned_text, kNoNumber)) {
        return fail(
            Errc::bad_request,
            fmt::format("`{}` cannot be said in JSON; a text needs quotes", scalar)
        );
    }
    if (append_decimal(scalar, out)) {
        return {};
    }
    Result<bool> based = append_based(scalar, out);
    if (!based) {
        return std::unexpected(std::move(based.error()));
    }
    if (!*based) {
        append_json_string(out, scalar);
    }
    return {};
}

}  // namespace belfry
