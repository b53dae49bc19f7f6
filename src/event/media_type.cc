#include "event/media_type.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>

namespace belfry {

namespace {

bool ends_ignoring_case(std::string_view text, std::string_view lower_case) {
    return text.size() >= lower_case.size() &&
           equals_ignoring_case(text.substr(text.size() - lower_case.size()), lower_case);
}

constexpr std::array<bool, 256> kTokenBytes = [] {
    std::array<bool, 256> bytes{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        bytes[static_cast<unsigned char>(c)] = true;
    }
    return bytes;
}();

bool is_token_char(char c) {
    return kTokenBytes[static_cast<unsigned char>(c)];
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view essence_of(std::string_view text) {
    return trim(text.substr(0, text.find(';')));
}

std::string_view subtype_of(std::string_view text) {
    const std::string_view essence = essence_of(text);
    const std::size_t slash = essence.find('/');
    return slash == std::string_view::npos ? std::string_view{} : essence.substr(slash + 1);
}

// Takes the next `name=value` off `rest`, which begins behind a semicolon. False if there is none.
struct Parameter {
    std::string_view name;
    std::string_view value;  // without quotes; escapes are left in
};
bool take_parameter(std::string_view& rest, Parameter& parameter) {
    rest = trim(rest);
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !is_token(rest.substr(0, equals))) {
        return false;
    }
    parameter.name = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    if (!rest.starts_with('"')) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        parameter.value = trim(rest.substr(0, end));
        rest.remove_prefix(end);
        return is_token(parameter.value);
    }
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            parameter.value = rest.substr(1, i - 1);
            rest = trim(rest.substr(i + 1));
            return rest.empty() || rest.starts_with(';');
        }
    }
    return false;
}

// `;name=value…`, or nothing. A semicolon with nothing behind it is common and harmless.
bool are_parameters(std::string_view rest) {
    if (!std::ranges::all_of(rest, [](char c) { return c >= 0x20 && c < 0x7F; })) {
        return false;
    }
    while (!rest.empty()) {
        Parameter parameter;
        rest = trim(rest.substr(1));
        if (!rest.empty() && !rest.starts_with(';') && !take_parameter(rest, parameter)) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool is_media_type(std::string_view text) {
    const std::string_view essence = text.substr(0, text.find(';'));
    const std::size_t slash = essence.find('/');
    if (slash == std::string_view::npos || !is_token(essence.substr(0, slash))) {
        return false;
    }
    // White space may stand before the semicolon alone.
    const std::string_view subtype = essence.substr(slash + 1);
    const std::size_t end = subtype.find_last_not_of(" \t") + 1;
    return is_token(subtype.substr(0, end)) && are_parameters(text.substr(essence.size()));
}

bool is_json_media_type(std::string_view text) {
    const std::string_view subtype = subtype_of(text);
    return equals_ignoring_case(subtype, "json") || ends_ignoring_case(subtype, "+json");
}

bool is_text_media_type(std::string_view text) {
    const std::string_view essence = essence_of(text);
    const std::string_view subtype = subtype_of(text);
    const bool text_kind =
        equals_ignoring_case(essence.substr(0, 5), "text/") ||
        equals_ignoring_case(subtype, "xml") || ends_ignoring_case(subtype, "+xml") ||
        equals_ignoring_case(subtype, "yaml") || ends_ignoring_case(subtype, "+yaml") ||
        equals_ignoring_case(essence, "application/x-www-form-urlencoded");
    if (!text_kind) {
        return false;
    }
    std::string_view rest = text.substr(std::min(text.find(';'), text.size()));
    while (!rest.empty()) {
        Parameter parameter;
        rest.remove_prefix(1);
        if (!take_parameter(rest, parameter)) {
            break;
        }
        if (equals_ignoring_case(parameter.name, "charset")) {
            return equals_ignoring_case(parameter.value, "utf-8") ||
                   equals_ignoring_case(parameter.value, "us-ascii");
        }
    }
    return true;
}

bool has_essence(std::string_view text, std::string_view essence) {
    return equals_ignoring_case(essence_of(text), essence);
}

}  // namespace belfry
