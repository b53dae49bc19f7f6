#include "net/name_resolver.h"

#include "base/fixed_limits.h"
#include "net/poller.h"

#include <fmt/format.h>

#include <ares.h>
#include <cstring>
#include <list>
#include <netinet/in.h>
#include <unordered_map>
#include <utility>

namespace belfry {
namespace {

constexpr int kTries = 3;
// What c-ares knows of resolv.conf it reads once, so a channel takes new names for this long.
constexpr Duration kChannelTime = std::chrono::seconds(1);

struct Waiter {
    std::uint16_t port;
    NameResolver::Done done;
};

std::vector<SocketAddress> addresses_of(const ares_addrinfo& result) {
    std::vector<SocketAddress> addresses;
    for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
        SocketAddress address;
        address.size = static_cast<socklen_t>(node->ai_addrlen);
        std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
        addresses.push_back(address);
    }
    return addresses;
}

Result<std::vector<SocketAddress>> with_port(
    Result<std::vector<SocketAddress>> addresses, std::uint16_t port
) {
    if (addresses) {
        for (SocketAddress& address : *addresses) {
            if (address.family() == AF_INET6) {
                reinterpret_cast<sockaddr_in6*>(address.get())->sin6_port = htons(port);
            } else {
                reinterpret_cast<sockaddr_in*>(address.get())->sin_port = htons(port);
            }
        }
    }
    return addresses;
}

std::unexpected<Error> cannot_resolve(const std::string& host, std::string_view why) {
    return fail(Errc::unavailable, fmt::format("cannot resolve {}: {}", host, why));
}

}  // namespace

struct NameResolver::State : std::enable_shared_from_this<NameResolver::State> {
    class Channel;
    struct Lookup {
        Channel* channel;
        std::string host;
        std::vector<Waiter> waiters;
    };

    State(Loop& l, NameServers s) : loop(l), servers(std::move(s)) {}

    void resolve(const std::string& host, Waiter waiter);
    Result<Channel*> channel_for_new_names();
    void end_if_idle(Channel& channel);
    static void on_answer(void* of_lookup, int status, int timeouts, ares_addrinfo* result);
    void tell_later(std::vector<Waiter> waiters, Result<std::vector<SocketAddress>> addresses);

    Loop& loop;
    const NameServers servers;
    std::unordered_map<std::string, std::unique_ptr<Lookup>> lookups;
    // The newest is last. They end before the lookups, of which c-ares then speaks once more.
    std::list<std::unique_ptr<Channel>> channels;
};

// Lookups that began within the same second: what c-ares calls a channel, its sockets in the loop's
// set, and its next timeout.
class NameResolver::State::Channel {
 public:
    explicit Channel(State& owner) : owner_(owner), began_(owner.loop.now()) {}
    ~Channel() {
        owner_.loop.cancel(timer_);
        if (ares_ != nullptr) {
            ares_destroy(ares_);
        }
    }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // ARES_SUCCESS, or why there is none.
    int open() {
        ares_options options{};
        options.timeout = static_cast<int>(owner_.servers.timeout.count());
        options.tries = kTries;
        options.sock_state_cb = [](void* channel, ares_socket_t socket, int reads, int writes) {
            static_cast<Channel*>(channel)->watch(socket, reads != 0, writes != 0);
        };
        options.sock_state_cb_data = this;
        options.udp_port = owner_.servers.port;
        options.tcp_port = owner_.servers.port;
        std::string order = "fb";  // the hosts file first, whatever nsswitch.conf calls DNS
        options.lookups = order.data();
        std::string path = owner_.servers.resolv_conf;
        options.resolvconf_path = path.data();
        return ares_init_options(
            &ares_,
            &options,
            ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_UDP_PORT |
                ARES_OPT_TCP_PORT | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF
        );
    }

    // May end the channel.
    void begin(Lookup& lookup) {
        ++lookups_;
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        ares_getaddrinfo(ares_, lookup.host.c_str(), nullptr, &hints, on_answer, &lookup);
        after_step();
    }
    void ended_one() { --lookups_; }

    [[nodiscard]] State& owner() { return owner_; }
    [[nodiscard]] bool idle() const { return lookups_ == 0; }
    [[nodiscard]] bool takes_new_names() const { return owner_.loop.now() - began_ < kChannelTime; }

 private:
    struct Socket final : Watcher {
        Socket(Channel& c, int d) : channel(c), descriptor(d) {}
        void on_ready(std::uint32_t events) override {
            const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
            channel.on_socket(
                broken || (events & EPOLLIN) != 0 ? descriptor : ARES_SOCKET_BAD,
                broken || (events & EPOLLOUT) != 0 ? descriptor : ARES_SOCKET_BAD
            );
        }
        Channel& channel;
        const int descriptor;
    };

    void watch(int descriptor, bool reads, bool writes) {
        Poller& poller = owner_.loop.poller();
        const auto found = sockets_.find(descriptor);
        if (!reads && !writes) {
            if (found != sockets_.end()) {
                poller.remove(descriptor, found->second.get());
                sockets_.erase(found);
            }
            return;
        }
        const std::uint32_t events = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U);
        if (found != sockets_.end()) {
            poller.change(descriptor, events, found->second.get());
            return;
        }
        auto socket = std::make_unique<Socket>(*this, descriptor);
        // One that cannot be watched is as silent as its server: the next timeout tells.
        if (poller.add(descriptor, events, socket.get())) {
            sockets_.emplace(descriptor, std::move(socket));
        }
    }

    // May end the channel, and the socket that called.
    void on_socket(ares_socket_t readable, ares_socket_t writable) {
        ares_process_fd(ares_, readable, writable);
        after_step();
    }
    void on_timer() {
        timer_ = {};
        ares_process_fd(ares_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        timeval left{};
        if (!idle() && ares_timeout(ares_, nullptr, &left) != nullptr) {
            // What is a part of a millisecond early is not late yet for c-ares.
            arm(owner_.loop.now() + std::chrono::seconds(left.tv_sec) +
                std::chrono::microseconds(left.tv_usec) + std::chrono::milliseconds(1));
        }
        owner_.end_if_idle(*this);
    }

    // c-ares looks at every question to say when the next is due: only a timer that ran asks it.
    // What was sent just now is due no sooner than this.
    void after_step() {
        const MonoTime soonest = owner_.loop.now() + owner_.servers.timeout;
        if (!idle() && (timer_ == TimerId{} || timer_at_ > soonest)) {
            arm(soonest);
        }
        owner_.end_if_idle(*this);
    }

    void arm(MonoTime when) {
        owner_.loop.cancel(timer_);
        timer_at_ = when;
        timer_ = owner_.loop.call_at(when, [this] { on_timer(); });
    }

    State& owner_;
    const MonoTime began_;
    ares_channel ares_ = nullptr;
    std::unordered_map<int, std::unique_ptr<Socket>> sockets_;
    TimerId timer_;
    MonoTime timer_at_;
    std::size_t lookups_ = 0;
};

Result<NameResolver::State::Channel*> NameResolver::State::channel_for_new_names() {
    if (channels.empty() || !channels.back()->takes_new_names()) {
        auto channel = std::make_unique<Channel>(*this);
        if (const int status = channel->open(); status != ARES_SUCCESS) {
            return fail(Errc::unavailable, ares_strerror(status));
        }
        channels.push_back(std::move(channel));
    }
    return channels.back().get();
}

void NameResolver::State::end_if_idle(Channel& channel) {
    if (channel.idle()) {
        channels.remove_if([&](const auto& one) { return one.get() == &channel; });
    }
}

// From within c-ares, which may not be ended there: who waits is told from the loop. At its end
// c-ares calls, too, with success where half of the answer has come.
void NameResolver::State::on_answer(
    void* of_lookup, int status, int /*timeouts*/, ares_addrinfo* result
) {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(
        result, &ares_freeaddrinfo
    );
    if (status == ARES_EDESTRUCTION) {
        return;
    }
    const Lookup& lookup = *static_cast<Lookup*>(of_lookup);
    Result<std::vector<SocketAddress>> addresses;
    if (result != nullptr) {
        addresses = addresses_of(*result);
    }
    if (addresses->empty()) {
        addresses = cannot_resolve(lookup.host, ares_strerror(status));
    }
    lookup.channel->ended_one();
    State& state = lookup.channel->owner();
    const auto ended = state.lookups.extract(lookup.host);
    state.tell_later(std::move(ended.mapped()->waiters), std::move(addresses));
}

void NameResolver::State::tell_later(
    std::vector<Waiter> waiters, Result<std::vector<SocketAddress>> addresses
) {
    loop.post([alive = weak_from_this(),
               waiters = std::move(waiters),
               addresses = std::move(addresses)]() mutable {
        for (Waiter& waiter : waiters) {
            if (alive.expired()) {
                return;
            }
            waiter.done(with_port(addresses, waiter.port));
        }
    });
}

void NameResolver::State::resolve(const std::string& host, Waiter waiter) {
    const auto found = lookups.find(host);
    if (found != lookups.end()) {
        found->second->waiters.push_back(std::move(waiter));
        return;
    }
    std::vector<Waiter> waiters;
    waiters.push_back(std::move(waiter));
    if (lookups.size() >= kNamesLookedUpMax) {
        tell_later(std::move(waiters), cannot_resolve(host, "too many other names wait already"));
        return;
    }
    const Result<Channel*> channel = channel_for_new_names();
    if (!channel) {
        tell_later(std::move(waiters), cannot_resolve(host, channel.error().detail));
        return;
    }
    auto lookup = std::make_unique<Lookup>(*channel, host, std::move(waiters));
    (*channel)->begin(*lookups.emplace(host, std::move(lookup)).first->second);
}

NameResolver::NameResolver(Loop& loop, NameServers servers)
    : state_(std::make_shared<State>(loop, std::move(servers))) {}

NameResolver::~NameResolver() = default;

void NameResolver::resolve(const std::string& host, std::uint16_t port, Done done) {
    state_->resolve(host, {.port = port, .done = std::move(done)});
}

}  // namespace belfry
