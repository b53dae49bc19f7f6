// URLs. What is accepted must have one spelling, which reads back equal and can stand in a request
// line and a Host header; and the system must read its host as we do: as this address, or as none.
#include "base/assert.h"
#include "base/url.h"
#include "net/outbound_guard.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const auto url = parse_url({reinterpret_cast<const char*>(data), size});
    if (!url) {
        ASSERT(!url.error().detail.empty());
        return 0;
    }
    const auto again = parse_url(url->text());
    ASSERT(again.has_value() && *again == *url);
    ASSERT(url->port != 0 && !url->host.empty() && url->path.starts_with('/'));
    for (const std::string& part : {url->authority(), url->target()}) {
        ASSERT(std::ranges::all_of(part, [](char c) { return c > 0x20 && c < 0x7f; }));
    }
    ASSERT(url->authority().find('@') == std::string::npos);

    // inet_aton() reads every number that a resolver would take for an address.
    in_addr numeric{};
    const bool is_numeric = ::inet_aton(url->host.c_str(), &numeric) == 1;
    ASSERT(is_numeric == (url->host_kind == Url::HostKind::ipv4));
    const Result<SocketAddress> literal = parse_literal(url->host, url->port);
    ASSERT(literal.has_value() == (url->host_kind != Url::HostKind::name));
    static const OutboundGuard guard{OutboundRules{}};
    if (is_numeric && (ntohl(numeric.s_addr) >> 24U) == 127) {
        ASSERT(!guard.check(*literal).has_value());
    }
    return 0;
}
