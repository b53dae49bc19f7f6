#include "net/http_server.h"

#include "base/assert.h"
#include "base/logging.h"
#include "net/response_writer.h"
#include "net/server_connection.h"
#include "net/tls_context.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace belfry {
namespace {

constexpr std::size_t kServerReadBytes = 64 * 1024;
constexpr int kBacklog = 4096;
constexpr std::size_t kAcceptsPerTurn = 64;
constexpr Duration kTick = std::chrono::milliseconds(250);
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
constexpr std::string_view kOverloaded =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
    "close\r\n\r\n";

int open_spare() {
    return ::eventfd(0, EFD_CLOEXEC);
}

// Best effort: the peer may be gone, and nothing waits for it. Who expects TLS could not read it.
void reject(int descriptor, bool is_tls) {
    if (!is_tls) {
        [[maybe_unused]] const auto sent =
            ::send(descriptor, kOverloaded.data(), kOverloaded.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        ::shutdown(descriptor, SHUT_WR);
    }
    ::close(descriptor);
}

Error system_error(const std::string& what, const std::string& address) {
    return Error{
        Errc::unavailable, what + " " + address + ": " + std::strerror(errno), "http.listen"
    };
}

}  // namespace

struct HttpServer::State final : ServerContext, Watcher, TurnFlusher {
    State(Loop& l, HttpService& service, const Limits& bounds)
        : ServerContext(l.poller(), service, bounds), loop(l), spare(open_spare()) {
        read_buffer.resize(kServerReadBytes);
        loop.add_flusher(this);
        update_time();
    }
    ~State();

    void on_ready(std::uint32_t events) override;  // of the listening socket
    void set_deadline(std::size_t index, MonoTime deadline) override {
        table[index].deadline = deadline;
    }
    void update_time() override;
    void flush_later(ServerConnection& connection) override;
    bool flush_turn() override;
    void forget(ServerConnection& connection) override;

    [[nodiscard]] Result<void> bind_and_listen(const Result<SocketAddress>& address);
    void close_listener();
    void pause_accepting();
    void out_of_descriptors();
    void take(int descriptor, const SocketAddress& peer);
    [[nodiscard]] bool is_one_too_many(const std::string& host);
    void tick();
    void stop_is_done();

    // Deadlines lie beside one another, so that a tick over 10,000 connections touches few cache
    // lines.
    struct Entry {
        MonoTime deadline;
        ServerConnection* connection;
    };

    Loop& loop;
    int listener = -1;
    bool accepting = false;
    int spare;  // given up to take and answer a connection when descriptors run out
    SocketAddress bound;
    std::vector<Entry> table;
    std::unordered_map<std::string, std::uint64_t> per_address;  // not loopback
    std::vector<ServerConnection*> to_flush;
    std::vector<ServerConnection*> flushing;
    std::chrono::sys_seconds date{};
    TimerId tick_timer;
    TimerId accept_timer;
    TimerId stop_timer;
    Task stop_done;
};

HttpServer::State::~State() {
    loop.remove_flusher(this);
    loop.cancel(tick_timer);
    loop.cancel(accept_timer);
    loop.cancel(stop_timer);
    close_listener();
    stop_done = {};
    while (!table.empty()) {
        table.back().connection->close(false);
    }
    if (spare >= 0) {
        ::close(spare);
    }
}

// --- Accepting

void HttpServer::State::on_ready(std::uint32_t /*events*/) {
    for (std::size_t i = 0; i < kAcceptsPerTurn; ++i) {
        SocketAddress peer;
        peer.size = sizeof(peer.storage);
        const int descriptor =
            ::accept4(listener, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            take(descriptor, peer);
        } else if (errno == EMFILE || errno == ENFILE) {
            out_of_descriptors();
            return;
        } else if (errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting();
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

// Without this the listening socket would stay ready and the loop would spin.
void HttpServer::State::out_of_descriptors() {
    if (spare >= 0) {
        ::close(spare);
        const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            ++status.rejected;
            reject(descriptor, tls != nullptr);
        }
        spare = open_spare();
    }
    log_warn("no descriptors left: connections are answered 503", {{"open", table.size()}});
    pause_accepting();
}

void HttpServer::State::pause_accepting() {
    poller.change(listener, 0, this);
    accept_timer = loop.call_after(kAcceptPause, [this] {
        accept_timer = {};
        if (listener >= 0) {
            poller.change(listener, EPOLLIN, this);
        }
    });
}

void HttpServer::State::take(int descriptor, const SocketAddress& peer) {
    ++status.accepted;
    const std::string host = peer.is_loopback() ? std::string() : peer.host();
    if (table.size() >= limits.connections || is_one_too_many(host)) {
        ++status.rejected;
        reject(descriptor, tls != nullptr);
        return;
    }
    if (handshakes >= limits.tls_handshakes) {
        ++status.rejected;
        ::close(descriptor);
        return;
    }
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (tick_timer == TimerId{}) {
        update_time();
        tick_timer = loop.call_after(kTick, [this] { tick(); });
    }
    auto& connection = *new ServerConnection(*this, descriptor, peer);  // deletes itself
    connection.index = table.size();
    table.push_back({MonoTime::max(), &connection});
    if (!host.empty()) {
        ++per_address[host];
    }
    connection.start();
}

bool HttpServer::State::is_one_too_many(const std::string& host) {
    if (host.empty()) {
        return false;
    }
    const auto found = per_address.find(host);
    return found != per_address.end() && found->second >= limits.connections_per_address;
}

void HttpServer::State::forget(ServerConnection& connection) {
    if (!connection.peer_is_loopback()) {
        if (const auto found = per_address.find(connection.peer());
            found != per_address.end() && --found->second == 0) {
            per_address.erase(found);
        }
    }
    if (connection.flush_is_due) {
        std::ranges::replace(to_flush, &connection, nullptr);
        std::ranges::replace(flushing, &connection, nullptr);
    }
    table[connection.index] = table.back();
    table[connection.index].connection->index = connection.index;
    table.pop_back();
    if (stopping && table.empty()) {
        stop_is_done();
    }
}

void HttpServer::State::close_listener() {
    if (listener >= 0) {
        poller.remove(listener, this);
        ::close(std::exchange(listener, -1));
    }
}

// --- Turns and ticks

void HttpServer::State::flush_later(ServerConnection& connection) {
    connection.flush_is_due = true;
    to_flush.push_back(&connection);
}

bool HttpServer::State::flush_turn() {
    const bool any = !to_flush.empty();
    while (!to_flush.empty()) {
        flushing.swap(to_flush);
        for (ServerConnection*& due : flushing) {
            if (ServerConnection* connection = std::exchange(due, nullptr)) {
                connection->flush_is_due = false;
                connection->flush_turn();
            }
        }
        flushing.clear();
    }
    return any;
}

void HttpServer::State::update_time() {
    now = loop.now();
    const auto second = std::chrono::floor<std::chrono::seconds>(loop.wall());
    if (second != date) {
        date = second;
        date_line = make_date_line(second);
    }
}

// The time that requests see, and every time-out of every connection: no clock is read for a
// request, and no timer set. From the back, because a connection that closes puts the last one in
// its place.
void HttpServer::State::tick() {
    update_time();
    for (std::size_t i = table.size(); i-- > 0;) {
        if (i < table.size() && table[i].deadline <= now) {
            table[i].connection->on_deadline(now);
        }
    }
    tick_timer = {};
    if (!table.empty()) {
        tick_timer = loop.call_after(kTick, [this] { tick(); });
    }
}

void HttpServer::State::stop_is_done() {
    loop.cancel(std::exchange(stop_timer, {}));
    if (stop_done) {
        loop.post(std::exchange(stop_done, {}));
    }
}

// --- HttpServer

HttpServer::HttpServer(Loop& loop, HttpService& service, const Limits& limits)
    : state_(std::make_unique<State>(loop, service, limits)) {}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::State::bind_and_listen(const Result<SocketAddress>& address) {
    ASSERT(listener < 0);
    if (!address) {
        return std::unexpected(address.error());
    }
    const int descriptor =
        ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return std::unexpected(system_error("cannot open a socket for", address->text()));
    }
    const int on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->family() == AF_INET6) {  // `::` is IPv4, too, whatever bindv6only says
        const int off = 0;
        ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    SocketAddress taken;
    taken.size = sizeof(taken.storage);
    if (::bind(descriptor, address->get(), address->size) != 0 ||
        ::listen(descriptor, kBacklog) != 0 ||
        ::getsockname(descriptor, taken.get(), &taken.size) != 0 ||
        !poller.add(descriptor, EPOLLIN, this)) {
        const Error error = system_error("cannot listen on", address->text());
        ::close(descriptor);
        return std::unexpected(error);
    }
    listener = descriptor;
    bound = taken;
    return {};
}

Result<void> HttpServer::listen(const std::string& address) {
    return state_->bind_and_listen(parse_listen_address(address));
}

Result<void> HttpServer::listen_unix(const std::string& path) {
    return state_->bind_and_listen(parse_unix_path(path));
}

void HttpServer::set_tls(std::shared_ptr<const TlsContext> tls) {
    state_->tls = std::move(tls);
}

std::string HttpServer::address() const {
    return state_->bound.text();
}

bool HttpServer::is_loopback() const {
    return state_->bound.is_loopback();
}

void HttpServer::stop(Duration wait, Task done) {
    ASSERT(!state_->stopping);
    state_->stopping = true;
    state_->close_listener();
    state_->stop_done = std::move(done);
    if (state_->table.empty()) {
        state_->stop_is_done();
        return;
    }
    State* state = state_.get();
    state->stop_timer = state->loop.call_after(wait, [state] {
        state->stop_timer = {};
        while (!state->table.empty()) {
            state->table.back().connection->close(true);
        }
    });
    // From the back, as in tick().
    for (std::size_t i = state->table.size(); i-- > 0;) {
        if (i < state->table.size()) {
            state->table[i].connection->begin_stop();
        }
    }
}

HttpServerStatus HttpServer::status() const {
    HttpServerStatus status = state_->status;
    status.connections = state_->table.size();
    if (state_->tls != nullptr) {
        status.certificate_expires = state_->tls->expires();
    }
    status.bytes_in_flight = state_->bytes_in_flight;
    return status;
}

}  // namespace belfry
