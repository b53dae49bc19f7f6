// Which addresses the hub may call. Judged on the very address a socket is about to connect to,
// after the name was resolved and for each answer anew, so that neither a spelling nor a resolver
// that changes its mind leads inside. A pure function of the address and the rules, but for the
// question whether an address is this machine. Owned by the wiring; may be read from any thread
// once never() was called. docs/security.md states the rules.
#pragma once

#include "base/error.h"
#include "net/socket_address.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// Sixteen bytes; IPv4 as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;

struct AddressRange {
    AddressBytes prefix{};
    unsigned bits = 128;

    [[nodiscard]] bool contains(const AddressBytes& address) const;
    bool operator==(const AddressRange&) const = default;
};

struct OutboundRules {
    std::vector<AddressRange> allow;         // beside the public internet
    std::vector<std::uint16_t> allow_ports;  // beside 80, 443 and what is free from 1024 on
    bool loopback = false;                   // 127.0.0.0/8, ::1, and every Unix socket
    std::vector<std::string> allow_unix;  // directories of Unix sockets, without a slash at the end
};

// "none", or addresses and ranges with commas between: "10.0.0.0/8, fd00::/8, 192.0.2.7". Bits
// behind the prefix must be zero. bad_request.
[[nodiscard]] Result<std::vector<AddressRange>> parse_address_ranges(std::string_view text);
// "none", or ports with commas between: "81, 6379". bad_request.
[[nodiscard]] Result<std::vector<std::uint16_t>> parse_ports(std::string_view text);
// "none", or absolute directories with commas between: "/run/steadybit, /run/extensions".
// bad_request.
[[nodiscard]] Result<std::vector<std::string>> parse_directories(std::string_view text);

class OutboundGuard {
 public:
    explicit OutboundGuard(OutboundRules rules);
    // Allows everything: for programs that call what their own user names, such as the command
    // line, and for tests.
    [[nodiscard]] static OutboundGuard unrestricted();

    // The hub's own listener, which no delivery may reach, whatever the rules say.
    void never(const SocketAddress& own) { own_ = own; }

    // Errc::denied, beginning with `blocked_address`, `blocked_port` or `blocked_socket`. The words
    // do not depend on what, if anything, listens there.
    [[nodiscard]] Result<void> check(const SocketAddress& address) const;

 private:
    OutboundGuard() = default;
    [[nodiscard]] bool address_is_allowed(const SocketAddress& address) const;
    [[nodiscard]] bool port_is_allowed(std::uint16_t port) const;
    [[nodiscard]] bool is_own(const SocketAddress& address) const;
    [[nodiscard]] bool socket_is_allowed(const std::string& path) const;

    OutboundRules rules_;
    bool unrestricted_ = false;
    std::optional<SocketAddress> own_;
};

}  // namespace belfry
