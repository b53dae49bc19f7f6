#include "net/name_resolver.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstring>
#include <utility>

namespace belfry {

using boost::asio::ip::tcp;

struct NameResolver::State {
    explicit State(boost::asio::io_context& context) : resolver(context) {}
    tcp::resolver resolver;
};

NameResolver::NameResolver(Loop& loop) : state_(std::make_shared<State>(loop.context())) {}

NameResolver::~NameResolver() = default;

// An answer may already be on its way when the resolver ends, so cancelling is not enough: the
// handler looks whether anybody is left.
void NameResolver::resolve(const std::string& host, std::uint16_t port, Done done) {
    state_->resolver.async_resolve(
        host,
        std::to_string(port),
        [alive = std::weak_ptr(state_), host, done = std::move(done)](
            const boost::system::error_code& error, const tcp::resolver::results_type& results
        ) mutable {
            if (alive.expired()) {
                return;
            }
            if (error || results.empty()) {
                done(fail(Errc::unavailable, "cannot resolve " + host + ": " + error.message()));
                return;
            }
            std::vector<SocketAddress> addresses;
            for (const auto& result : results) {
                const tcp::endpoint endpoint = result.endpoint();
                SocketAddress address;
                address.size = static_cast<socklen_t>(endpoint.size());
                std::memcpy(&address.storage, endpoint.data(), endpoint.size());
                addresses.push_back(address);
            }
            done(std::move(addresses));
        }
    );
}

}  // namespace belfry
