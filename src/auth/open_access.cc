#include "auth/open_access.h"

#include "base/ascii.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace belfry {

namespace {

// "" or ":" and a port number.
bool is_port_suffix(std::string_view text) {
    if (text.empty()) {
        return true;
    }
    std::uint16_t port = 0;
    auto [end, failed] = std::from_chars(text.data() + 1, text.data() + text.size(), port);
    return text.front() == ':' && text.size() > 1 && failed == std::errc() &&
           end == text.data() + text.size();
}

bool is_address(int family, std::string_view literal, auto& address) {
    std::array<char, INET6_ADDRSTRLEN + 1> text{};
    if (literal.size() >= text.size()) {
        return false;
    }
    std::ranges::copy(literal, text.begin());
    return inet_pton(family, text.data(), &address) == 1;
}

// `localhost`, 127.0.0.0/8 or [::1], with or without a port. A literal only: no name is looked up,
// so none can lie.
bool is_loopback_host(std::string_view host) {
    if (host.starts_with('[')) {
        std::size_t end = host.find(']');
        in6_addr address{};
        return end != std::string_view::npos && is_port_suffix(host.substr(end + 1)) &&
               is_address(AF_INET6, host.substr(1, end - 1), address) &&
               IN6_IS_ADDR_LOOPBACK(&address);
    }
    std::size_t colon = std::min(host.find(':'), host.size());
    if (!is_port_suffix(host.substr(colon))) {
        return false;
    }
    std::string_view name = host.substr(0, colon);
    in_addr address{};
    return equals_ignoring_case(name, "localhost") ||
           (is_address(AF_INET, name, address) && (ntohl(address.s_addr) >> 24) == 127);
}

// The page that asks was served by this very host and port. `null` (a sandboxed page, a file) never
// was.
bool is_own_origin(std::string_view origin, std::string_view host) {
    for (std::string_view scheme : {"http://", "https://"}) {
        if (origin.starts_with(scheme)) {
            return equals_ignoring_case(origin.substr(scheme.size()), host);
        }
    }
    return false;
}

class OpenGrant final : public Grant {
 public:
    bool allows(Resource, Verb, std::string_view) const override { return true; }
    bool covers(Verb, const TypePattern&) const override { return true; }
    std::shared_ptr<const Rights> rights() const override { return nullptr; }
    bool valid() const override { return true; }
    std::uint64_t revision() const override { return 0; }
};

}  // namespace

Result<Caller> OpenAccess::identify(const Credentials& credentials) {
    if (exposure_ == Exposure::loopback_only) {
        if (!credentials.peer_is_loopback) {
            return fail(Errc::denied, "without a token this hub serves its own machine only");
        }
        if (!is_loopback_host(credentials.host)) {
            return fail(
                Errc::denied,
                "without a token the Host header must be localhost or a loopback address"
            );
        }
    }
    if (!credentials.origin.empty() && !is_own_origin(credentials.origin, credentials.host)) {
        return fail(Errc::denied, "a page of another origin may not call this hub");
    }
    if (equals_ignoring_case(credentials.sec_fetch_site, "cross-site")) {
        return fail(Errc::denied, "a page of another site may not call this hub");
    }
    Caller caller;
    caller.grant = open_grant();
    return caller;
}

const std::shared_ptr<const Grant>& open_grant() {
    static const std::shared_ptr<const Grant> kGrant = std::make_shared<OpenGrant>();
    return kGrant;
}

}  // namespace belfry
