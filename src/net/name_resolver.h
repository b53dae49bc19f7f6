// Host names to addresses, by c-ares: the hosts file, then the name servers of resolv.conf. Any
// number of names at a time, so one whose servers are silent delays no other. Nothing is kept:
// whoever connects asks anew. Literals do not come here. Owned by the HttpClient; I/O thread only.
#pragma once

#include "base/error.h"
#include "net/loop.h"
#include "net/socket_address.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belfry {

struct NameServers {
    std::string resolv_conf = "/etc/resolv.conf";
    std::uint16_t port = 53;
    // A server has this to answer, then twice, then four times as long: a lost datagram still
    // leaves time to connect.
    std::chrono::milliseconds timeout{1000};
};

class NameResolver {
 public:
    using Done = std::move_only_function<void(Result<std::vector<SocketAddress>>)>;

    // A change of resolv.conf is read within a second.
    explicit NameResolver(Loop& loop, NameServers servers = {});
    // Callbacks that did not run yet are dropped.
    ~NameResolver();
    NameResolver(const NameResolver&) = delete;
    NameResolver& operator=(const NameResolver&) = delete;

    // `done` runs later, once, with at least one address, best first (RFC 6724), or
    // Errc::unavailable. A name that is being looked up already is not asked for again.
    void resolve(const std::string& host, std::uint16_t port, Done done);

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace belfry
