#include "net/request_target.h"

#include "base/ascii.h"
#include "base/hex.h"

#include <algorithm>
#include <array>

namespace belfry {
namespace {

// unreserved and sub-delims of RFC 3986.
constexpr bool is_name_char(char c) {
    return is_digit(c) || is_letter(c) || std::string_view("-._~!$&'()*+,;=").contains(c);
}

// What stands in paths and queries. Beyond RFC 3986 these are let pass, because real clients send
// them raw: " < > [ \ ] ^ ` { | }
constexpr bool is_target_char(char c) {
    return c > 0x20 && c < 0x7f && c != '#';
}

constexpr auto kTargetChars = [] {
    std::array<bool, 256> table{};
    for (int c = 0; c < 128; ++c) {
        table[static_cast<std::size_t>(c)] = is_target_char(static_cast<char>(c));
    }
    return table;
}();

bool percent_encoding_is_sound(std::string_view path) {
    for (std::size_t i = path.find('%'); i != std::string_view::npos; i = path.find('%', i + 1)) {
        if (i + 2 >= path.size() || hex_digit_value(path[i + 1]) < 0 ||
            hex_digit_value(path[i + 2]) < 0 || (path[i + 1] == '0' && path[i + 2] == '0')) {
            return false;
        }
    }
    return true;
}

// "." or "..", with dots encoded or not.
bool is_dot_segment(std::string_view segment) {
    int dots = 0;
    while (!segment.empty()) {
        if (segment.front() == '.') {
            segment.remove_prefix(1);
        } else if (segment.starts_with("%2e") || segment.starts_with("%2E")) {
            segment.remove_prefix(3);
        } else {
            return false;
        }
        ++dots;
    }
    return dots == 1 || dots == 2;
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (is_dot_segment(path.substr(0, slash))) {
            return true;
        }
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return false;
}

bool is_bracketed_address(std::string_view host) {
    return host.size() >= 4 && host.front() == '[' && host.back() == ']' &&
           std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
               return hex_digit_value(c) >= 0 || c == ':' || c == '.';
           });
}

bool is_port(std::string_view port) {
    if (port.size() > 5 || !std::ranges::all_of(port, is_digit)) {
        return false;
    }
    int value = 0;
    for (const char c : port) {
        value = value * 10 + (c - '0');
    }
    return value <= 65535;
}

struct Authority {
    std::string_view host;
    std::string_view port;  // empty: none
};

Authority split_authority(std::string_view text) {
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
        return {text, {}};
    }
    return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

std::optional<RequestTarget> parse_request_target(std::string_view target) {
    if (target == "*") {
        return RequestTarget{target, {}, {}};
    }
    for (const char c : target) {
        if (!kTargetChars[static_cast<unsigned char>(c)]) {
            return std::nullopt;
        }
    }
    RequestTarget result;
    std::string_view rest = target;
    if (!target.starts_with('/')) {
        const std::size_t colon = target.find("://");
        if (colon == std::string_view::npos ||
            !(equals_ignoring_case(target.substr(0, colon), "http") ||
              equals_ignoring_case(target.substr(0, colon), "https"))) {
            return std::nullopt;
        }
        rest = target.substr(colon + 3);
        const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
        result.authority = rest.substr(0, end);
        rest = rest.substr(end);
        if (!is_authority(result.authority)) {
            return std::nullopt;
        }
    }
    const std::size_t question = std::min(rest.find('?'), rest.size());
    result.path = question == 0 ? std::string_view("/") : rest.substr(0, question);
    result.query = rest.substr(std::min(question + 1, rest.size()));
    if (!percent_encoding_is_sound(result.path) || has_dot_segment(result.path)) {
        return std::nullopt;
    }
    return result;
}

bool is_authority(std::string_view text) {
    const Authority authority = split_authority(text);
    if (authority.host.empty() || !is_port(authority.port)) {
        return false;
    }
    if (authority.host.front() == '[') {
        return is_bracketed_address(authority.host);
    }
    return percent_encoding_is_sound(authority.host) &&
           std::ranges::all_of(authority.host, [](char c) { return is_name_char(c) || c == '%'; });
}

bool same_authority(std::string_view a, std::string_view b) {
    const Authority left = split_authority(a);
    const Authority right = split_authority(b);
    const auto port = [](std::string_view text) { return text.empty() ? "80" : text; };
    return equals_ignoring_case(left.host, right.host) && port(left.port) == port(right.port);
}

}  // namespace belfry
