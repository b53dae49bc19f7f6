// Addresses as people write them, and as the kernel takes them: IPv4 and IPv6 literals with a port,
// and paths of Unix sockets.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace belfry {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] int family() const { return storage.ss_family; }
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    // "127.0.0.1", "::1"; an IPv4 address mapped into IPv6 as IPv4. Of a Unix socket its path.
    [[nodiscard]] std::string host() const;
    // "127.0.0.1:80", "[::1]:80", "unix:/run/a.sock".
    [[nodiscard]] std::string text() const;
    // Only this machine can be at the other end: Unix sockets, too.
    [[nodiscard]] bool is_loopback() const;
};

// "127.0.0.1" or "::1" (no brackets) and a port. Errc::bad_request if it is no literal.
[[nodiscard]] Result<SocketAddress> parse_literal(const std::string& host, std::uint16_t port);
// "127.0.0.1:8420", "[::1]:8420".
[[nodiscard]] Result<SocketAddress> parse_listen_address(std::string_view text);
// "/run/a.sock". bad_request unless it is an absolute path without dot segments and of at most 107
// bytes.
[[nodiscard]] Result<SocketAddress> parse_unix_path(std::string_view path);

}  // namespace belfry
