// One accepted HTTP/1.1 connection: reads, frames and dispatches requests, puts the answers into
// order, sends them gathered. Owns no buffer while idle: it reads into the server's. Lives until it
// is closed *and* its last Exchange is gone; it then deletes itself. After it is closed it does not
// touch the server. I/O thread only.
#pragma once

#include "base/limits.h"
#include "net/chunk_decoder.h"
#include "net/head_scan.h"
#include "net/http.h"
#include "net/http_server.h"
#include "net/poller.h"
#include "net/request_head.h"
#include "net/response_queue.h"
#include "net/socket.h"
#include "net/socket_address.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class ServerConnection;

// What the connections of one server share. Implemented by HttpServer.
class ServerContext {
 public:
    ServerContext(Poller& p, HttpService& s, const Limits& l) : poller(p), service(s), limits(l) {}

    Poller& poller;
    HttpService& service;
    const Limits& limits;
    HttpServerStatus status;
    std::vector<char> read_buffer;
    std::vector<HeaderField> fields;
    std::string date_line;
    MonoTime now{};  // of the last tick, or of update_time() since then
    bool stopping = false;
    std::shared_ptr<const TlsContext> tls;  // of connections to come; none: they speak plain
    std::size_t handshakes = 0;             // under way
    std::uint64_t bytes_in_flight = 0;      // what its connections hold, each as it last settled

    // What may grow large is refused until others have let go of theirs.
    [[nodiscard]] bool is_crowded() const { return bytes_in_flight >= limits.bytes_in_flight; }

    virtual void set_deadline(std::size_t index, MonoTime deadline) = 0;
    // For a deadline so near that a tick which is late would bring it forward.
    virtual void update_time() = 0;
    // It has answers to send when the turn ends.
    virtual void flush_later(ServerConnection& connection) = 0;
    // It is closed.
    virtual void forget(ServerConnection& connection) = 0;

 protected:
    ~ServerContext() = default;
};

class ServerConnection final : public HttpConnection, public Watcher {
 public:
    ServerConnection(ServerContext& server, int descriptor, const SocketAddress& peer);
    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;

    // Its place in the server's table.
    std::size_t index = 0;
    // It stands in the server's list of connections to flush.
    bool flush_is_due = false;

    // If the kernel does not watch it, it is closed at once.
    void start();
    void flush_turn();
    void on_deadline(MonoTime now);
    // Ends what idles or streams, in order where it can; the rest ends after its answers.
    void begin_stop();
    // Closes at once. `tell`: on_gone of the unanswered requests runs.
    void close(bool tell);
    [[nodiscard]] const std::string& peer() const { return peer_; }
    [[nodiscard]] bool peer_is_loopback() const { return peer_is_loopback_; }

    void on_ready(std::uint32_t events) override;
    void respond(std::uint64_t request, const HttpResponse& response) override;
    void begin_stream(std::uint64_t request, const HttpResponse& head) override;
    bool write(std::uint64_t request, const StreamPiece& piece) override;
    void end_stream(std::uint64_t request) override;
    [[nodiscard]] std::size_t unsent(std::uint64_t request) const override;
    void on_drained(std::uint64_t request, std::move_only_function<void()> callback) override;
    [[nodiscard]] bool alive(std::uint64_t request) const override;
    void on_gone(std::uint64_t request, std::move_only_function<void()> callback) override;
    void dropped(std::uint64_t request) override;

 private:
    // A body that did not come whole with its head.
    struct PendingBody {
        std::string head;
        std::string body;
        std::uint64_t missing = 0;  // not for a chunked one
        std::optional<ChunkDecoder> chunks;
        HttpService::Admission admission;
        MonoTime since{};
        MonoTime next_check{};
        bool continue_is_due = false;
    };
    // Keeps the connection allocated while one of its functions runs.
    class Hold {
     public:
        explicit Hold(ServerConnection& connection) : connection_(connection) {
            ++connection_.holds_;
        }
        ~Hold() {
            if (--connection_.holds_ > 0) {
                return;
            }
            if (connection_.open_) {
                connection_.count_bytes();
            } else {
                connection_.reap();
            }
        }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

     private:
        ServerConnection& connection_;
    };

    ~ServerConnection() = default;
    void reap();
    // Its memory, too: an assignment of an empty string would keep that.
    static void give_back(std::string& bytes) { std::string().swap(bytes); }
    void count_bytes();

    void shake_hands();
    void end_handshake();

    // server_requests.cc: bytes in, requests out.
    void read();
    void consume(std::string_view bytes);
    void keep(std::string_view bytes, std::size_t used);
    std::size_t take_head(std::string_view bytes);
    void await_body(
        const RequestHead& head, std::string_view block, const HttpService::Admission& admission
    );
    std::size_t take_body(std::string_view bytes);
    void body_is_whole();
    void dispatch(const RequestHead& head, const HttpService::Admission& admission);
    void refuse(int status, const Error& error, const HttpRequest& request);
    void refuse_pending(int status, const Error& error);
    void refuse_fault(HeadFault fault);
    std::size_t take_more_of_head(std::string_view bytes);
    void peer_finished();
    [[nodiscard]] bool must_pause() const;

    // server_streams.cc
    void append_end(ResponseQueue::Slot& slot);
    void stream_is_over(ResponseQueue::Slot& slot);
    void tell_drained();
    void stop_stream();

    // server_connection.cc: answers in, bytes out.
    [[nodiscard]] ResponseQueue::Slot* unanswered(std::uint64_t request);
    void append_answer(ResponseQueue::Slot& slot, const HttpResponse& response);
    [[nodiscard]] std::string_view send_at_once(std::string_view body);
    [[nodiscard]] bool is_too_much(const ResponseQueue::Slot& slot, const HttpResponse& response)
        const;
    void promote();
    void send_continue();
    void answers_changed();
    void settle();
    void flush();
    void update_interest();
    void update_deadline();
    [[nodiscard]] MonoTime answers_deadline();
    void begin_linger();
    void linger();
    void drop_slots(bool tell);
    void check_body_pace(MonoTime now);
    void answer_overdue();
    [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_; }

    ServerContext& server_;  // gone once open_ is false
    Socket socket_;
    const std::string peer_;
    const bool peer_is_loopback_;

    bool open_ = true;
    bool watched_ = false;
    bool handshaking_ = false;
    bool reading_ = true;     // further requests are interpreted
    bool in_burst_ = false;   // requests of one read are being handled
    bool paused_ = false;     // requests wait in buffered_ until answers have left
    bool finish_ = false;     // close when out_ is sent
    bool lingering_ = false;  // reads and drops until the peer closes
    bool peer_finished_ = false;
    std::uint32_t interest_ = 0;
    std::uint32_t holds_ = 0;
    std::uint32_t exchanges_ = 0;
    std::uint32_t streams_ = 0;  // that go on; what comes behind them waits in the socket
    std::uint64_t requests_ = 0;
    std::size_t waiting_bytes_ = 0;  // in slots, behind an older answer
    std::size_t linger_bytes_ = 0;
    MonoTime linger_since_{};
    MonoTime unsent_since_{};        // while unsent() > 0
    std::uint64_t sent_since_ = 0;   // bytes, since then
    std::size_t counted_bytes_ = 0;  // its part of server_.bytes_in_flight
    // When the first byte of buffered_ came or was taken up after a pause, or the handshake began.
    MonoTime head_since_{};
    HeadScan scan_;
    std::string buffered_;  // an incomplete head, or requests that wait
    std::unique_ptr<PendingBody> pending_;
    ResponseQueue slots_;
    std::string out_;
    std::size_t sent_ = 0;  // of out_
};

}  // namespace belfry
