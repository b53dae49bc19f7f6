#include "base/url.h"

#include "base/ascii.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace belfry {

namespace {

constexpr std::size_t kUrlBytes = 4096;
constexpr std::size_t kHostBytes = 253;
constexpr std::size_t kLabelBytes = 63;

bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::unexpected<Error> bad_url(std::string why) {
    return fail(Errc::bad_request, "not a usable URL: " + std::move(why));
}

// Characters that stand for themselves in a path or query (RFC 3986, 3.3 and 3.4), beside `%`.
bool is_path_char(char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

std::string show(char c) {
    auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
        return std::string("'") + c + "'";
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    return std::string("the byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
}

Result<void> check_path(std::string_view text, bool is_query) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
                return bad_url("'%' must be followed by two hex digits");
            }
            i += 2;
        } else if (!is_path_char(text[i]) && (!is_query || text[i] != '?')) {
            return bad_url(show(text[i]) + " must be percent-encoded");
        }
    }
    return {};
}

// Dotted quad of decimal numbers without leading zeros.
bool is_ipv4(std::string_view host) {
    int parts = 0;
    while (true) {
        std::size_t end = std::min(host.find('.'), host.size());
        std::string_view part = host.substr(0, end);
        unsigned value = 256;
        auto [stop, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (problem != std::errc{} || stop != part.data() + part.size() || value > 255 ||
            (part.size() > 1 && part.front() == '0')) {
            return false;
        }
        ++parts;
        if (end == host.size()) {
            return parts == 4;
        }
        host.remove_prefix(end + 1);
    }
}

// A number in any spelling that inet_aton or a browser takes: digits, or 0x and hex digits.
bool looks_numeric(std::string_view label) {
    if (label.starts_with("0x") || label.starts_with("0X")) {
        return std::ranges::all_of(label.substr(2), is_hex);
    }
    return !label.empty() && std::ranges::all_of(label, is_digit);
}

Result<void> check_label(std::string_view label) {
    if (label.empty()) {
        return bad_url("the host has an empty label");
    }
    if (label.size() > kLabelBytes) {
        return bad_url("a label of the host is longer than 63 bytes");
    }
    if (label.front() == '-' || label.back() == '-') {
        return bad_url("a label of the host begins or ends with '-'");
    }
    for (char c : label) {
        if (static_cast<unsigned char>(c) >= 0x80) {
            return bad_url("the host must be ASCII; write an international name as punycode");
        }
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') {
            return bad_url(show(c) + " is not allowed in a host");
        }
    }
    return {};
}

Result<void> read_name(std::string_view host, Url& url) {
    if (host.empty()) {
        return bad_url("the host is empty");
    }
    if (host.size() > kHostBytes) {
        return bad_url("the host is longer than 253 bytes");
    }
    std::string_view rest = host;
    std::string_view last;
    while (true) {
        std::size_t end = std::min(rest.find('.'), rest.size());
        last = rest.substr(0, end);
        if (Result<void> checked = check_label(last); !checked) {
            return checked;
        }
        if (end == rest.size()) {
            break;
        }
        rest.remove_prefix(end + 1);
    }
    if (is_ipv4(host)) {
        url.host_kind = Url::HostKind::ipv4;
    } else if (looks_numeric(last)) {
        // Resolvers disagree about such names; some would call 127.0.0.1 for "0x7f.1".
        return bad_url("write an IPv4 address as four decimal numbers, like 192.0.2.1");
    }
    url.host = ascii_lowered(host);
    return {};
}

Result<void> read_ipv6(std::string_view inside, Url& url) {
    in6_addr address{};
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    std::string terminated(inside);
    if (terminated.find('\0') != std::string::npos || terminated.find('%') != std::string::npos ||
        inet_pton(AF_INET6, terminated.c_str(), &address) != 1 ||
        inet_ntop(AF_INET6, &address, canonical.data(), canonical.size()) == nullptr) {
        return bad_url("what stands in brackets is not an IPv6 address (zones are not allowed)");
    }
    url.host_kind = Url::HostKind::ipv6;
    url.host = canonical.data();
    return {};
}

Result<void> read_port(std::string_view text, Url& url) {
    unsigned value = 0;
    auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || text.front() == '0' || problem != std::errc{} ||
        stop != text.data() + text.size() || value > 65535) {
        return bad_url("the port must be a number from 1 to 65535");
    }
    url.port = static_cast<std::uint16_t>(value);
    return {};
}

Result<void> read_authority(std::string_view authority, Url& url) {
    if (authority.find('@') != std::string_view::npos) {
        return bad_url("it must hold no user name or password");
    }
    std::size_t colon = std::string_view::npos;
    Result<void> host;
    if (authority.starts_with('[')) {
        std::size_t close = authority.find(']');
        if (close == std::string_view::npos) {
            return bad_url("']' is missing");
        }
        std::string_view rest = authority.substr(close + 1);
        if (!rest.empty() && rest.front() != ':') {
            return bad_url("after ']' comes a port or nothing");
        }
        colon = rest.empty() ? colon : close + 1;
        host = read_ipv6(authority.substr(1, close - 1), url);
    } else {
        colon = authority.find(':');
        host = read_name(authority.substr(0, colon), url);
    }
    if (!host || colon == std::string_view::npos) {
        return host;
    }
    return read_port(authority.substr(colon + 1), url);
}

}  // namespace

std::string_view Url::scheme_text() const {
    return scheme == Scheme::http ? "http" : "https";
}

std::string Url::authority() const {
    std::string text = host_kind == HostKind::ipv6 ? "[" + host + "]" : host;
    if (port != (scheme == Scheme::http ? 80 : 443)) {
        text += ":" + std::to_string(port);
    }
    return text;
}

std::string Url::target() const {
    return has_query ? path + "?" + query : path;
}

std::string Url::endpoint() const {
    return std::string(scheme_text()) + "://" + authority() + path;
}

std::string Url::text() const {
    return std::string(scheme_text()) + "://" + authority() + target();
}

Result<Url> parse_url(std::string_view text) {
    if (text.size() > kUrlBytes) {
        return bad_url("it is longer than 4096 bytes");
    }
    Url url;
    std::size_t colon = text.find("://");
    std::string scheme = ascii_lowered(text.substr(0, std::min(colon, text.size())));
    if (colon == std::string_view::npos || (scheme != "http" && scheme != "https")) {
        return bad_url("it must begin with http:// or https://");
    }
    if (scheme == "https") {
        url.scheme = Url::Scheme::https;
        url.port = 443;
    }
    std::string_view rest = text.substr(colon + 3);
    if (rest.find('#') != std::string_view::npos) {
        return bad_url("it must have no fragment ('#')");
    }
    std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    if (Result<void> read = read_authority(rest.substr(0, end), url); !read) {
        return std::unexpected(std::move(read.error()));
    }
    rest.remove_prefix(end);
    std::size_t question = std::min(rest.find('?'), rest.size());
    std::string_view path = rest.substr(0, question);
    if (question < rest.size()) {
        url.has_query = true;
        url.query = rest.substr(question + 1);
    }
    if (!path.empty()) {
        url.path = path;
    }
    for (bool is_query : {false, true}) {
        if (Result<void> checked = check_path(is_query ? url.query : url.path, is_query);
            !checked) {
            return std::unexpected(std::move(checked.error()));
        }
    }
    return url;
}

}  // namespace belfry
