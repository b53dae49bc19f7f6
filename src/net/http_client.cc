#include "net/http_client.h"

#include "base/assert.h"
#include "base/fixed_limits.h"
#include "net/client_connection.h"
#include "net/name_resolver.h"
#include "net/socket_address.h"
#include "net/tls_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace belfry {
namespace {

constexpr std::size_t kClientReadBytes = 64 * 1024;
constexpr Duration kIdleTime = std::chrono::seconds(30);
constexpr Duration kIdleCheck = std::chrono::seconds(5);
constexpr Duration kTlsTime = std::chrono::seconds(5);
// Copying so much costs less than a second piece does in sendmsg(), or a second record of TLS.
constexpr std::size_t kJoinedBytes = 2048;

struct EndpointName {
    std::string_view host;  // or the path of a socket, which no host looks like
    std::uint16_t port;
    const TlsContext* tls;  // a connection is only for calls with the same certificates
    bool operator==(const EndpointName&) const = default;
};
struct EndpointHash {
    std::size_t operator()(const EndpointName& name) const {
        return (std::hash<std::string_view>()(name.host) * 31 + name.port) * 31 +
               std::hash<const TlsContext*>()(name.tls);
    }
};

EndpointName name_of(const HttpCall& call) {
    if (!call.unix_path.empty()) {
        return {call.unix_path, 0, call.tls.get()};
    }
    return {call.host, call.port, call.tls.get()};
}

// nullopt: a name that must be resolved.
std::optional<Result<SocketAddress>> address_of(const HttpCall& call) {
    if (!call.unix_path.empty()) {
        return parse_unix_path(call.unix_path);
    }
    Result<SocketAddress> literal = parse_literal(call.host, call.port);
    return literal ? std::optional(std::move(literal)) : std::nullopt;
}

std::string seconds_text(Duration duration) {
    return fmt::format("{:g} s", std::chrono::duration<double>(duration).count());
}

void join_small_body(HttpCall& call) {
    if (call.body.size() <= kJoinedBytes) {
        call.head += call.body;
        call.body = {};
        call.body_owner.reset();
    }
}

// A handshake takes two more round trips and a signature.
Duration connect_time(const HttpCall& call) {
    return call.tls == nullptr ? call.connect_timeout : call.connect_timeout + kTlsTime;
}

}  // namespace

// Where calls go, with the connections that are there: all of them, and those that wait for a call.
struct Endpoint {
    std::string host;
    std::shared_ptr<const TlsContext> tls;
    std::vector<std::unique_ptr<ClientConnection>> connections;
    std::vector<ClientConnection*> idle;  // longest first
};

std::optional<std::string_view> HttpReply::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
        if (name == lower_case_name) {
            return value;
        }
    }
    return std::nullopt;
}

struct HttpClient::State final : ClientContext, TurnFlusher {
    State(Loop& l, const Limits& bounds, const OutboundGuard& g)
        : ClientContext(l.poller(), bounds), loop(l), guard(g), resolver(l) {
        read_buffer.resize(kClientReadBytes);
        loop.add_flusher(this);
    }
    ~State();

    std::uint64_t begin(
        HttpCall request, std::function<void(std::string_view)> on_bytes, HttpReplyDone done
    );
    void start(ClientCall& call);
    void connect(ClientCall& call);
    void connect_next(ClientCall& call);
    void expire(std::uint64_t id);
    void fail_later(ClientCall& call, Error why);
    void finish(ClientCall& call, Result<HttpReply> result);
    void release(ClientCall& call);
    void cancel(ClientCall& call);
    void drop(ClientConnection& connection);
    void keep(ClientConnection& connection);
    void check_idle();
    Endpoint& endpoint_of(const HttpCall& request);
    ClientCall* find(std::uint64_t id);

    void on_outcome(ClientConnection& connection, Outcome outcome) override;
    void on_stream_head(ClientCall& call) override;
    void flush_later(ClientConnection& connection) override { unsent.push_back(&connection); }
    void forget(ClientConnection& connection) override { std::erase(unsent, &connection); }
    bool flush_turn() override;

    Loop& loop;
    const OutboundGuard& guard;
    TlsSource tls;
    NameResolver resolver;
    // Calls keep their place and are used again; the number's high half tells one use from the
    // next.
    std::vector<std::unique_ptr<ClientCall>> calls;
    std::vector<std::uint32_t> free_calls;
    std::uint32_t generation = 0;
    std::vector<ClientConnection*> unsent;  // since the last turn; outlives the connections
    std::unordered_map<EndpointName, std::unique_ptr<Endpoint>, EndpointHash> endpoints;
    TimerId idle_timer;
};

HttpClient::State::~State() {
    loop.remove_flusher(this);
    loop.cancel(idle_timer);
    for (const auto& call : calls) {
        loop.cancel(call->deadline);
        loop.cancel(call->connect_deadline);
    }
}

// Nothing is told from a flush, so no connection goes meanwhile.
bool HttpClient::State::flush_turn() {
    const bool any = !unsent.empty();
    for (ClientConnection* connection : unsent) {
        connection->flush();
    }
    unsent.clear();
    return any;
}

// --- Calls

// A number is the generation, which starts at 1, in the high half and the place in the low half.
ClientCall* HttpClient::State::find(std::uint64_t id) {
    const std::uint64_t place = id & UINT32_MAX;
    return place < calls.size() && calls[place]->id == id ? calls[place].get() : nullptr;
}

std::uint64_t HttpClient::State::begin(
    HttpCall request, std::function<void(std::string_view)> on_bytes, HttpReplyDone done
) {
    if (free_calls.empty()) {
        free_calls.push_back(static_cast<std::uint32_t>(calls.size()));
        calls.push_back(std::make_unique<ClientCall>());
    }
    const std::uint32_t place = free_calls.back();
    free_calls.pop_back();
    ClientCall& call = *calls[place];
    call.id = (std::uint64_t{++generation} << 32) | place;
    call.request = std::move(request);
    join_small_body(call.request);
    call.on_bytes = std::move(on_bytes);
    call.done = std::move(done);
    call.deadline = loop.call_after(call.request.timeout, [this, id = call.id] { expire(id); });
    const std::uint64_t id = call.id;
    if (call.request.secure && call.request.tls == nullptr && tls) {
        call.request.tls = tls();
    }
    if (call.request.secure && call.request.tls == nullptr) {
        fail_later(call, Error{.code = Errc::unavailable, .detail = "this client has no TLS"});
    } else {
        start(call);
    }
    return id;
}

void HttpClient::State::start(ClientCall& call) {
    Endpoint& endpoint = endpoint_of(call.request);
    if (endpoint.idle.empty()) {
        connect(call);
        return;
    }
    ClientConnection& connection = *endpoint.idle.back();
    endpoint.idle.pop_back();
    connection.send(call);
}

void HttpClient::State::expire(std::uint64_t id) {
    ClientCall* call = find(id);
    ASSERT(call != nullptr);
    const bool connecting = call->connect_deadline != TimerId{};
    std::string why = "timed out after " + seconds_text(call->request.timeout);
    why += connecting ? " while connecting" : " while waiting for the answer";
    if (call->connection != nullptr) {
        drop(*call->connection);
    }
    finish(*call, fail(Errc::unavailable, std::move(why)));
}

// Through a timer, because `done` never runs from within call().
void HttpClient::State::fail_later(ClientCall& call, Error why) {
    loop.cancel(call.deadline);
    call.deadline = loop.call_at(loop.now(), [this, id = call.id, why = std::move(why)]() mutable {
        finish(*find(id), std::unexpected(std::move(why)));
    });
}

void HttpClient::State::finish(ClientCall& call, Result<HttpReply> result) {
    HttpReplyDone done = std::move(call.done);
    release(call);
    done(std::move(result));
}

void HttpClient::State::release(ClientCall& call) {
    loop.cancel(call.deadline);
    loop.cancel(call.connect_deadline);
    free_calls.push_back(static_cast<std::uint32_t>(call.id & UINT32_MAX));
    call = ClientCall{};
}

void HttpClient::State::cancel(ClientCall& call) {
    if (call.in_on_bytes) {
        call.cancelled = true;
        return;
    }
    if (call.connection != nullptr) {
        drop(*call.connection);
    }
    release(call);
}

// --- Connections

Endpoint& HttpClient::State::endpoint_of(const HttpCall& request) {
    const EndpointName asked = name_of(request);
    const auto found = endpoints.find(asked);
    if (found != endpoints.end()) {
        return *found->second;
    }
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->host = asked.host;
    endpoint->tls = request.tls;
    const EndpointName name{endpoint->host, asked.port, asked.tls};
    if (idle_timer == TimerId{}) {
        idle_timer = loop.call_after(kIdleCheck, [this] { check_idle(); });
    }
    return *endpoints.emplace(name, std::move(endpoint)).first->second;
}

void HttpClient::State::connect(ClientCall& call) {
    const Duration time = connect_time(call.request);
    call.connect_deadline = loop.call_after(time, [this, time, id = call.id] {
        ClientCall* late = find(id);
        if (late->connection != nullptr) {
            drop(*late->connection);
        }
        const std::string after = seconds_text(time);
        finish(*late, fail(Errc::unavailable, "timed out after " + after + " while connecting"));
    });
    if (std::optional<Result<SocketAddress>> address = address_of(call.request)) {
        if (*address) {
            call.addresses = {**address};
            connect_next(call);
        } else {
            loop.cancel(call.connect_deadline);
            Error& error = address->error();
            fail_later(call, {.code = Errc::unavailable, .detail = std::move(error.detail)});
        }
        return;
    }
    resolver.resolve(
        call.request.host,
        call.request.port,
        [this, id = call.id](Result<std::vector<SocketAddress>> addresses) {
            ClientCall* waiting = find(id);
            if (waiting == nullptr) {
                return;
            }
            if (!addresses) {
                finish(*waiting, std::unexpected(addresses.error()));
                return;
            }
            waiting->addresses = std::move(*addresses);
            std::ranges::reverse(waiting->addresses);
            connect_next(*waiting);
        }
    );
}

void HttpClient::State::connect_next(ClientCall& call) {
    Endpoint& endpoint = endpoint_of(call.request);
    Error refusal;
    while (!call.addresses.empty()) {
        const SocketAddress address = call.addresses.back();
        call.addresses.pop_back();
        // Here and nowhere before: this is the address that the socket gets.
        if (Result<void> allowed = guard.check(address); !allowed) {
            refusal = std::move(allowed.error());
            continue;
        }
        auto connection = std::make_unique<ClientConnection>(*this);
        connection->endpoint = &endpoint;
        if (connection->connect(address, call)) {
            endpoint.connections.push_back(std::move(connection));
            return;
        }
        call.connection = nullptr;
        call.last_failure = connection->failure();
    }
    loop.cancel(call.connect_deadline);
    if (!call.last_failure.empty()) {  // an address that was allowed, which tells more
        refusal = Error{.code = Errc::unavailable, .detail = call.last_failure};
    }
    fail_later(call, std::move(refusal));
}

void HttpClient::State::drop(ClientConnection& connection) {
    Endpoint& endpoint = *connection.endpoint;
    if (ClientCall* call = connection.call()) {
        call->connection = nullptr;
    }
    std::erase_if(endpoint.connections, [&](const auto& each) {
        return each.get() == &connection;
    });
}

void HttpClient::State::keep(ClientConnection& connection) {
    Endpoint& endpoint = *connection.endpoint;
    if (!connection.is_reusable() || endpoint.idle.size() >= kKeptConnectionsMax) {
        drop(connection);
        return;
    }
    connection.become_idle(loop.now());
    endpoint.idle.push_back(&connection);
}

void HttpClient::State::check_idle() {
    const MonoTime oldest = loop.now() - kIdleTime;
    for (auto& [name, endpoint] : endpoints) {
        while (!endpoint->idle.empty() && endpoint->idle.front()->idle_since() <= oldest) {
            ClientConnection& connection = *endpoint->idle.front();
            endpoint->idle.erase(endpoint->idle.begin());
            drop(connection);
        }
    }
    std::erase_if(endpoints, [](const auto& entry) { return entry.second->connections.empty(); });
    idle_timer = {};
    if (!endpoints.empty()) {
        idle_timer = loop.call_after(kIdleCheck, [this] { check_idle(); });
    }
}

// --- What the connections tell

void HttpClient::State::on_stream_head(ClientCall& call) {
    loop.cancel(call.deadline);
}

void HttpClient::State::on_outcome(ClientConnection& connection, Outcome outcome) {
    ClientCall* call = connection.call();
    switch (outcome) {
        case Outcome::more:
            break;
        case Outcome::connected:
            loop.cancel(std::exchange(call->connect_deadline, {}));
            connection.send(*call);
            break;
        case Outcome::connect_failed:
            call->last_failure = connection.failure();
            drop(connection);
            connect_next(*call);
            break;
        case Outcome::whole: {
            HttpReply reply = std::move(connection.reply());
            keep(connection);
            finish(*call, std::move(reply));
            break;
        }
        case Outcome::failed: {
            const std::string why = connection.failure();
            drop(connection);
            finish(*call, fail(Errc::unavailable, why));
            break;
        }
        case Outcome::cancelled:
            drop(connection);
            release(*call);
            break;
        case Outcome::stale:
            drop(connection);
            connect(*call);
            break;
        case Outcome::idle_ended:
            std::erase(connection.endpoint->idle, &connection);
            drop(connection);
            break;
    }
}

// --- HttpClient

HttpClient::HttpClient(Loop& loop, const Limits& limits, const OutboundGuard& guard)
    : state_(std::make_unique<State>(loop, limits, guard)) {}

HttpClient::~HttpClient() = default;

void HttpClient::set_tls(TlsSource tls) {
    state_->tls = std::move(tls);
}

void HttpClient::call(HttpCall call, HttpReplyDone done) {
    state_->begin(std::move(call), {}, std::move(done));
}

std::uint64_t HttpClient::stream(
    HttpCall call, std::function<void(std::string_view)> on_bytes, HttpReplyDone done
) {
    ASSERT(on_bytes != nullptr);
    return state_->begin(std::move(call), std::move(on_bytes), std::move(done));
}

void HttpClient::cancel(std::uint64_t stream) {
    if (ClientCall* call = state_->find(stream)) {
        state_->cancel(*call);
    }
}

}  // namespace belfry
