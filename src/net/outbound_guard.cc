#include "net/outbound_guard.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::size_t kEntries = 256;

constexpr AddressRange v4(
    std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, int bits
) {
    return {
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96U + static_cast<unsigned>(bits)
    };
}
constexpr AddressRange v6(std::array<std::uint16_t, 8> groups, unsigned bits) {
    AddressRange range{.bits = bits};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        range.prefix[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8U);
        range.prefix[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xffU);
    }
    return range;
}

constexpr AddressRange kMapped = v4(0, 0, 0, 0, 0);
constexpr AddressRange kNat64 = v6({0x64, 0xff9b}, 96);
constexpr AddressRange k6to4 = v6({0x2002}, 16);
constexpr AddressRange kGlobalUnicast = v6({0x2000}, 3);
constexpr std::array kLoopback{v4(127, 0, 0, 0, 8), v6({0, 0, 0, 0, 0, 0, 0, 1}, 128)};

// What is not the public internet (IANA's special-purpose registries). Of IPv6 everything outside
// 2000::/3 is refused without being named.
constexpr std::array kNotPublic{
    v4(0, 0, 0, 0, 8),        // this host
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carriers' NAT
    v4(127, 0, 0, 0, 8),      // loopback
    v4(169, 254, 0, 0, 16),   // link-local
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, broadcast
    v6({0x2001}, 23),         // protocol assignments: Teredo, ORCHID, benchmarks
    v6({0x2001, 0xdb8}, 32),  // documentation
    v6({0x3fff}, 20),         // documentation
};

// Services that hand credentials to every program on a machine. Allowed only one by one.
constexpr std::array kMetadata{
    v4(169, 254, 169, 254, 32),                      // AWS, Google, Azure, most others
    v4(169, 254, 169, 253, 32),                      // AWS, names
    v4(169, 254, 170, 2, 32),                        // AWS ECS
    v4(169, 254, 170, 23, 32),                       // AWS EKS
    v4(100, 100, 100, 200, 32),                      // Alibaba
    v4(168, 63, 129, 16, 32),                        // Azure's wire server, in a public range
    v4(192, 0, 0, 192, 32),                          // Oracle
    v6({0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254}, 128),  // AWS
    v6({0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253}, 128),
    v6({0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23}, 128),
    v6({0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254}, 128),  // Google
};

// Services that would take a POST for a command, or that nobody reaches from outside on purpose.
constexpr auto kServicePorts = std::to_array<std::uint16_t>({
    1433, 1521,  1883,  2049,  2181,  2375,  2376,  2379,  2380,  3306,  3389,
    4222, 5432,  5671,  5672,  5900,  5984,  5985,  5986,  6000,  6222,  6379,
    6443, 8222,  8300,  8301,  8302,  8500,  8501,  8883,  9042,  9092,  9200,
    9300, 10250, 10255, 10257, 10259, 11211, 15672, 26379, 27017, 27018, 27019,
});

AddressBytes mapped(const std::uint8_t* four) {
    AddressBytes bytes = kMapped.prefix;
    std::memcpy(&bytes[12], four, 4);
    return bytes;
}

// std::nullopt for a family that is neither.
std::optional<AddressBytes> bytes_of(const SocketAddress& address) {
    if (address.family() == AF_INET) {
        sockaddr_in raw{};
        std::memcpy(&raw, &address.storage, sizeof(raw));
        std::array<std::uint8_t, 4> four{};
        std::memcpy(four.data(), &raw.sin_addr, four.size());
        return mapped(four.data());
    }
    if (address.family() == AF_INET6) {
        sockaddr_in6 raw{};
        std::memcpy(&raw, &address.storage, sizeof(raw));
        AddressBytes bytes{};
        std::memcpy(bytes.data(), &raw.sin6_addr, bytes.size());
        return bytes;
    }
    return std::nullopt;
}

// sin_port and sin6_port lie at the same place.
std::uint16_t port_of(const SocketAddress& address) {
    sockaddr_in raw{};
    std::memcpy(&raw, &address.storage, sizeof(raw));
    return ntohs(raw.sin_port);
}

bool within(std::span<const AddressRange> ranges, const AddressBytes& address) {
    return std::ranges::any_of(ranges, [&](const AddressRange& range) {
        return range.contains(address);
    });
}

// The IPv4 address that a translator or tunnel would send to in the end; else the address itself.
// An inner address is IPv4, so there is nothing further inside.
AddressBytes innermost(const AddressBytes& address) {
    if (kNat64.contains(address)) {
        return mapped(&address[12]);
    }
    return k6to4.contains(address) ? mapped(&address[2]) : address;
}

bool is_public(const AddressBytes& address) {
    return (kMapped.contains(address) || kGlobalUnicast.contains(address)) &&
           !within(kNotPublic, address);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
    return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

template <typename Entry>
Result<std::vector<Entry>> parse_list(
    std::string_view text, Result<Entry> (*parse)(std::string_view)
) {
    std::vector<Entry> entries;
    if (text == "none") {
        return entries;
    }
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        Result<Entry> entry = parse(trimmed(text.substr(0, comma)));
        if (!entry) {
            return std::unexpected(std::move(entry.error()));
        }
        entries.push_back(*std::move(entry));
        if (comma == text.size()) {
            return entries;
        }
        if (entries.size() == kEntries) {
            return fail(Errc::bad_request, "at most 256 entries are possible");
        }
        text.remove_prefix(comma + 1);
    }
}

Result<AddressRange> parse_range(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    Result<SocketAddress> address = parse_literal(std::string(text.substr(0, slash)), 0);
    if (!address || text.contains('\0')) {
        return fail(
            Errc::bad_request,
            "'" + std::string(text) + "' is not an address or range such as 10.0.0.0/8 or fd00::/8"
        );
    }
    const bool is_v4 = address->family() == AF_INET;
    AddressRange range{.prefix = *bytes_of(*address)};
    if (slash < text.size()) {
        const std::string_view digits = text.substr(slash + 1);
        const unsigned most = is_v4 ? 32 : 128;
        unsigned bits = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc() || end != digits.data() + digits.size() || bits > most) {
            return fail(
                Errc::bad_request,
                "'" + std::string(text) + "': behind '/' comes a number from 0 to " +
                    std::to_string(most)
            );
        }
        range.bits = bits + (is_v4 ? 96 : 0);
    }
    AddressRange cut{.bits = range.bits};
    for (unsigned bit = 0; bit < range.bits; ++bit) {
        cut.prefix[bit / 8] |= range.prefix[bit / 8] & (0x80U >> (bit % 8));
    }
    if (cut != range) {
        return fail(
            Errc::bad_request,
            "'" + std::string(text) +
                "' has bits behind its prefix; write the range's first address"
        );
    }
    return range;
}

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) {
        return fail(Errc::bad_request, "'" + std::string(text) + "' is not a port from 1 to 65535");
    }
    return port;
}

// Where the kernel would send a datagram: the address as it takes it, and ours that it would use.
struct Route {
    SocketAddress to;
    SocketAddress from;
};
std::optional<Route> route_to(const SocketAddress& address) {
    const int descriptor = ::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    Route route;
    route.to.size = route.from.size = sizeof(sockaddr_storage);
    const bool known = descriptor >= 0 && ::connect(descriptor, address.get(), address.size) == 0 &&
                       ::getpeername(descriptor, route.to.get(), &route.to.size) == 0 &&
                       ::getsockname(descriptor, route.from.get(), &route.from.size) == 0;
    if (descriptor >= 0) {
        ::close(descriptor);
    }
    return known ? std::optional(route) : std::nullopt;
}

Result<std::string> parse_directory(std::string_view text) {
    if (!parse_unix_path(text)) {
        return fail(
            Errc::bad_request,
            "'" + std::string(text) + "' is not a directory such as /run/steadybit"
        );
    }
    return std::string(text);
}

}  // namespace

bool AddressRange::contains(const AddressBytes& address) const {
    // An IPv6 range such as ::/0 does not speak of IPv4.
    if (bits < kMapped.bits && kMapped.contains(address)) {
        return false;
    }
    const unsigned whole = bits / 8;
    if (std::memcmp(prefix.data(), address.data(), whole) != 0) {
        return false;
    }
    const unsigned rest = bits % 8;
    const unsigned mask = 0xff00U >> rest;
    return rest == 0 || ((prefix[whole] ^ address[whole]) & mask & 0xffU) == 0;
}

Result<std::vector<AddressRange>> parse_address_ranges(std::string_view text) {
    return parse_list<AddressRange>(text, parse_range);
}

Result<std::vector<std::uint16_t>> parse_ports(std::string_view text) {
    return parse_list<std::uint16_t>(text, parse_port);
}

Result<std::vector<std::string>> parse_directories(std::string_view text) {
    return parse_list<std::string>(text, parse_directory);
}

OutboundGuard::OutboundGuard(OutboundRules rules) : rules_(std::move(rules)) {}

OutboundGuard OutboundGuard::unrestricted() {
    OutboundGuard guard;
    guard.unrestricted_ = true;
    return guard;
}

Result<void> OutboundGuard::check(const SocketAddress& address) const {
    if (unrestricted_) {
        return {};
    }
    if (address.family() == AF_UNIX) {
        if (!socket_is_allowed(address.host())) {
            return fail(
                Errc::denied,
                "blocked_socket: this hub may not call the socket (outbound.allow_unix)"
            );
        }
        return {};
    }
    if (!address_is_allowed(address) || is_own(address)) {
        return fail(
            Errc::denied, "blocked_address: this hub may not call the address (outbound.allow)"
        );
    }
    if (!port_is_allowed(port_of(address))) {
        return fail(
            Errc::denied, "blocked_port: this hub may not call the port (outbound.allow_ports)"
        );
    }
    return {};
}

bool OutboundGuard::address_is_allowed(const SocketAddress& address) const {
    const std::optional<AddressBytes> outer = bytes_of(address);
    if (!outer) {
        return false;
    }
    const AddressBytes inner = innermost(*outer);
    const bool named = std::ranges::any_of(rules_.allow, [&](const AddressRange& range) {
        return range.bits == 128 && (range.prefix == inner || range.prefix == *outer);
    });
    if (named) {
        return true;
    }
    if (within(kMetadata, inner)) {
        return false;
    }
    return is_public(inner) || within(rules_.allow, inner) || within(rules_.allow, *outer) ||
           (rules_.loopback && within(kLoopback, inner));
}

// A path has no dot segments (parse_unix_path()); where a link in a directory that was named leads
// is the business of who can write there.
bool OutboundGuard::socket_is_allowed(const std::string& path) const {
    return rules_.loopback || std::ranges::any_of(rules_.allow_unix, [&](const std::string& dir) {
               return path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/';
           });
}

bool OutboundGuard::port_is_allowed(std::uint16_t port) const {
    if (std::ranges::find(rules_.allow_ports, port) != rules_.allow_ports.end()) {
        return true;
    }
    return port == 80 || port == 443 ||
           (port >= 1024 && std::ranges::find(kServicePorts, port) == kServicePorts.end());
}

// Asked of the kernel, and only for our own port: behind a wildcard listener, and behind 0.0.0.0,
// stand addresses that no list has.
bool OutboundGuard::is_own(const SocketAddress& address) const {
    if (!own_ || port_of(address) != port_of(*own_)) {
        return false;
    }
    const std::optional<Route> route = route_to(address);
    if (!route) {
        return false;  // nothing can connect either
    }
    const std::string own = own_->host();
    const std::string to = route->to.host();
    const bool listens_everywhere = own == "0.0.0.0" || own == "::";
    return listens_everywhere ? route->to.is_loopback() || to == route->from.host() : to == own;
}

}  // namespace belfry
