// Host names to addresses, through the system's resolver on Asio's resolver thread; names asked for
// while it is busy wait their turn. Literals do not come here. Owned by the HttpClient; I/O thread
// only.
#pragma once

#include "base/error.h"
#include "net/loop.h"
#include "net/socket_address.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belfry {

class NameResolver {
 public:
    using Done = std::move_only_function<void(Result<std::vector<SocketAddress>>)>;

    explicit NameResolver(Loop& loop);
    // Callbacks that did not run yet are dropped.
    ~NameResolver();
    NameResolver(const NameResolver&) = delete;
    NameResolver& operator=(const NameResolver&) = delete;

    // `done` runs later, once, with at least one address or Errc::unavailable.
    void resolve(const std::string& host, std::uint16_t port, Done done);

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace belfry
