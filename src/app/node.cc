#include "app/node.h"

#include "base/ascii.h"
#include "net/socket_address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::size_t kNameBytes = 255;
constexpr std::string_view kAuto = "auto";

std::string machine_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    // A name that fills the buffer need not be ended.
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
        return "localhost";
    }
    return name.data();
}

}  // namespace

NodeIdentity node_identity(const Config& config) {
    NodeIdentity node;
    node.name = config.node_name == kAuto ? machine_name() : config.node_name;
    node.id = node_id(node.name);
    node.datacenter = config.consul_datacenter;
    node.address = config.node_address;
    node.port = port_of(config.http_listen);
    return node;
}

std::uint16_t port_of(std::string_view address) {
    const std::string_view text = address.substr(address.rfind(':') + 1);
    std::uint16_t port = 0;
    std::from_chars(text.data(), text.data() + text.size(), port);
    return port;
}

Result<std::vector<Service>> configured_services(const Config& config) {
    Result<std::vector<Service>> services = parse_services(config.node_services, config.limits);
    if (!services) {
        services.error().detail = "node.services: " + services.error().detail;
    }
    return services;
}

Result<void> check_node_name(std::string_view name) {
    const bool printable = std::ranges::all_of(name, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7f;
    });
    if (name.empty() || name.size() > kNameBytes || !printable) {
        return fail(
            Errc::bad_request,
            "a node's name has 1 to 255 bytes, without spaces and control characters"
        );
    }
    return {};
}

Result<void> check_datacenter(std::string_view name) {
    const bool plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
    });
    if (name.empty() || name.size() > kNameBytes || !plain) {
        return fail(Errc::bad_request, "a datacenter is of a-z, 0-9, - and _, such as dc1");
    }
    return {};
}

Result<void> check_node_address(std::string_view address) {
    if (!parse_literal(std::string(address), 1)) {
        return fail(Errc::bad_request, "an address is expected, such as 10.0.0.5 or fd00::5");
    }
    return {};
}

}  // namespace belfry
