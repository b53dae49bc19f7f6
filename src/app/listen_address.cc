#include "app/listen_address.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>

namespace belfry {

namespace {

std::unexpected<Error> wrong_form() {
    return fail(
        Errc::bad_request,
        "an IP address and a port are expected, such as 127.0.0.1:8420 or [::1]:8420"
    );
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
    std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return wrong_form();
    }
    std::string_view host = text.substr(0, colon);
    std::string_view port_text = text.substr(colon + 1);
    ListenAddress address;
    auto [end, error] =
        std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
    if (port_text.empty() || error != std::errc() || end != port_text.data() + port_text.size()) {
        return wrong_form();
    }
    bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    address.host = bracketed ? host.substr(1, host.size() - 2) : host;
    if (bracketed) {
        in6_addr bytes{};
        if (inet_pton(AF_INET6, address.host.c_str(), &bytes) != 1) {
            return wrong_form();
        }
        address.loopback = std::memcmp(&bytes, &in6addr_loopback, sizeof(bytes)) == 0;
        return address;
    }
    in_addr bytes{};
    if (inet_pton(AF_INET, address.host.c_str(), &bytes) != 1) {
        return wrong_form();
    }
    address.loopback = (ntohl(bytes.s_addr) >> 24U) == 127;
    return address;
}

}  // namespace belfry
