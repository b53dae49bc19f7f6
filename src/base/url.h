// Absolute http and https URLs (RFC 3986), read so strictly that this program, the one that wrote
// the URL and the one it names cannot read three different things: one spelling of a host, no user,
// no fragment.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

struct Url {
    enum class Scheme : std::uint8_t { http, https };
    enum class HostKind : std::uint8_t { name, ipv4, ipv6 };

    Scheme scheme = Scheme::http;
    HostKind host_kind = HostKind::name;
    std::string host;         // lower case; an IPv6 address in its shortest form, without brackets
    std::uint16_t port = 80;  // the scheme's own if the URL names none
    std::string path = "/";   // as it came; "/" if it was empty
    std::string query;        // as it came, without `?`
    bool has_query = false;   // an empty one is not none

    bool operator==(const Url&) const = default;

    [[nodiscard]] std::string_view scheme_text() const;
    // "example.org", "[::1]:8080": with brackets and, unless it is the scheme's own, the port. For
    // Host.
    [[nodiscard]] std::string authority() const;
    // Path and query, as a request line has it.
    [[nodiscard]] std::string target() const;
    // Scheme, authority, path: what is called, without what is asked.
    [[nodiscard]] std::string endpoint() const;
    // The whole URL in its one spelling; parse_url() reads it back equal.
    [[nodiscard]] std::string text() const;
};

// Errc::bad_request says what is wrong. Refused beside malformed ones: other schemes, users and
// passwords, fragments, hosts over 253 bytes, with a trailing dot, with bytes outside ASCII or
// percent-encoded, IPv6 zones, numbers that some resolvers take for an address (2130706433, 0x7f.1,
// 127.1, 010.0.0.1), port 0, and every byte that must be percent-encoded, over 4096 bytes.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace belfry
