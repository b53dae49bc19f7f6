// One connection of the HTTP client: connects, sends one request at a time, reads its answer. Owned
// by the HttpClient, which it tells how things went as the last thing it does, so that it may be
// deleted then. I/O thread only.
#pragma once

#include "base/limits.h"
#include "net/http_client.h"
#include "net/poller.h"
#include "net/response_reader.h"
#include "net/socket.h"
#include "net/socket_address.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class ClientConnection;
struct Endpoint;

// One call on its way. `request` is sent as it is and stays here until the answer is whole.
struct ClientCall {
    std::uint64_t id = 0;
    HttpCall request;
    HttpReplyDone done;
    std::function<void(std::string_view)> on_bytes;  // empty unless the answer is streamed
    TimerId deadline;
    TimerId connect_deadline;              // none once connected
    std::vector<SocketAddress> addresses;  // still to be tried, last first
    std::string last_failure;              // of an address
    ClientConnection* connection = nullptr;
    bool in_on_bytes = false;
    bool cancelled = false;
};

// What the connections of one client share. Implemented by HttpClient.
class ClientContext {
 public:
    ClientContext(Poller& p, const Limits& l) : poller(p), limits(l) {}

    Poller& poller;
    const Limits& limits;
    std::vector<char> read_buffer;
    std::vector<HeaderField> fields;

    enum class Outcome : std::uint8_t {
        more,  // not told
        connected,
        connect_failed,
        whole,       // reply() is the answer
        failed,      // failure() says why
        cancelled,   // the call was, from within on_bytes
        stale,       // a kept connection ended before the first byte of an answer
        idle_ended,  // a kept connection ended or spoke out of turn
    };
    virtual void on_outcome(ClientConnection& connection, Outcome outcome) = 0;
    // Has its flush() called at the end of the turn.
    virtual void flush_later(ClientConnection& connection) = 0;
    // It is deleted before that.
    virtual void forget(ClientConnection& connection) = 0;
    // A streamed answer has begun: its deadline is over. Must not delete the connection.
    virtual void on_stream_head(ClientCall& call) = 0;

 protected:
    ~ClientContext() = default;
};

class ClientConnection final : public Watcher, private StreamedAnswer {
 public:
    using Outcome = ClientContext::Outcome;

    explicit ClientConnection(ClientContext& client)
        : client_(client), reader_(client.limits, client.fields) {}
    ~ClientConnection();
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    // Begins to connect for that call; false with failure() if that fails at once.
    [[nodiscard]] bool connect(const SocketAddress& address, ClientCall& call);
    // Sends the call's request on the connected, idle connection, at the end of the turn: requests
    // that leave one after the other find their receivers awake. Failures are told later by
    // on_outcome.
    void send(ClientCall& call);
    void flush();
    // After whole: the connection may take another call.
    [[nodiscard]] bool is_reusable() const;
    void become_idle(MonoTime now);

    [[nodiscard]] ClientCall* call() { return call_; }
    [[nodiscard]] HttpReply& reply() { return reader_.reply(); }
    [[nodiscard]] const std::string& failure() const { return failure_; }
    [[nodiscard]] MonoTime idle_since() const { return idle_since_; }

    void on_ready(std::uint32_t events) override;

    Endpoint* endpoint = nullptr;  // the client's: where this leads

 private:
    enum class At : std::uint8_t { connecting, handshaking, idle, exchanging };

    Outcome step(std::uint32_t events);
    Outcome finish_connecting();
    Outcome shake_hands();
    Outcome look_while_idle();
    [[nodiscard]] bool send_rest();
    [[nodiscard]] Socket::Io send_some();
    Outcome receive();
    Outcome fail(std::string why);
    void on_head() override;
    bool on_piece(std::string_view bytes) override;
    void watch(std::uint32_t events);
    [[nodiscard]] bool request_is_sent() const;

    ClientContext& client_;
    Socket socket_;
    std::uint32_t interest_ = 0;
    At at_ = At::connecting;
    ClientCall* call_ = nullptr;
    bool kept_ = false;  // has served a call before
    bool waits_for_flush_ = false;
    std::size_t sent_ = 0;  // of head and body together
    MonoTime idle_since_{};
    ResponseReader reader_;
    std::string failure_;
};

}  // namespace belfry
