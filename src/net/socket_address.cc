#include "net/socket_address.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

namespace belfry {
namespace {

sockaddr_in as_v4(const SocketAddress& address) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof(v4));
    return v4;
}

sockaddr_in6 as_v6(const SocketAddress& address) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof(v6));
    return v6;
}

template <typename Raw>
SocketAddress make_address(const Raw& raw) {
    SocketAddress address;
    std::memcpy(&address.storage, &raw, sizeof(raw));
    address.size = sizeof(raw);
    return address;
}

}  // namespace

std::string SocketAddress::host() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (family() == AF_INET) {
        const sockaddr_in v4 = as_v4(*this);
        ::inet_ntop(AF_INET, &v4.sin_addr, buffer.data(), buffer.size());
    } else if (family() == AF_INET6) {
        const sockaddr_in6 v6 = as_v6(*this);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], buffer.data(), buffer.size());
        } else {
            ::inet_ntop(AF_INET6, &v6.sin6_addr, buffer.data(), buffer.size());
        }
    } else if (family() == AF_UNIX) {
        sockaddr_un local{};
        std::memcpy(&local, &storage, sizeof(local));
        return local.sun_path;
    }
    return buffer.data();
}

std::string SocketAddress::text() const {
    if (family() == AF_INET6) {
        return "[" + host() + "]:" + std::to_string(ntohs(as_v6(*this).sin6_port));
    }
    if (family() == AF_UNIX) {
        return "unix:" + host();
    }
    return host() + ":" + std::to_string(ntohs(as_v4(*this).sin_port));
}

bool SocketAddress::is_loopback() const {
    if (family() == AF_INET) {
        return (ntohl(as_v4(*this).sin_addr.s_addr) >> 24) == 127;
    }
    if (family() == AF_INET6) {
        const sockaddr_in6 v6 = as_v6(*this);
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
    }
    return family() == AF_UNIX;
}

Result<SocketAddress> parse_literal(const std::string& host, std::uint16_t port) {
    sockaddr_in v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        return make_address(v4);
    }
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        return make_address(v6);
    }
    return fail(Errc::bad_request, "\"" + host + "\" is not an IPv4 or IPv6 address");
}

Result<SocketAddress> parse_listen_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    std::string_view host = text.substr(0, std::min(colon, text.size()));
    std::uint16_t port = 0;
    const std::string_view digits = colon < text.size() ? text.substr(colon + 1) : "";
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        bracketed != host.contains(':')) {
        return fail(
            Errc::bad_request,
            "\"" + std::string(text) + "\" is not an address such as 127.0.0.1:8420 or [::1]:8420"
        );
    }
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    return parse_literal(std::string(host), port);
}

Result<SocketAddress> parse_unix_path(std::string_view path) {
    sockaddr_un local{};
    const std::string closed = std::string(path) + "/";  // so that the last segment ends, too
    if (path.size() >= sizeof(local.sun_path) || !path.starts_with('/') || path.ends_with('/') ||
        path.contains('\0') || closed.contains("//") || closed.contains("/./") ||
        closed.contains("/../")) {
        return fail(
            Errc::bad_request,
            "not an absolute path of a socket without dot segments, at most " +
                std::to_string(sizeof(local.sun_path) - 1) + " bytes"
        );
    }
    local.sun_family = AF_UNIX;
    path.copy(local.sun_path, path.size());
    return make_address(local);
}

}  // namespace belfry
