// For tests and fuzzing: one ServerConnection on a socket pair, driven without a loop, so that a
// test decides in which pieces its bytes arrive. Time stands still until a test moves it.
#pragma once

#include "base/assert.h"
#include "net/poller.h"
#include "net/response_writer.h"
#include "net/server_connection.h"
#include "net/socket_address.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace belfry {

class DirectConnection final : public ServerContext {
 public:
    DirectConnection(HttpService& to, const Limits& l, const std::string& from = "127.0.0.1")
        : ServerContext(own_poller_, to, l) {
        read_buffer.resize(16UL * 1024);
        date_line = make_date_line({});
        now = MonoTime(std::chrono::hours(1));
        int pair[2];
        ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
        peer_ = pair[0];
        auto& connection = *new ServerConnection(*this, pair[1], *parse_literal(from, 1));
        connection_ = &connection;
        connection.start();
    }
    ~DirectConnection() {
        if (connection_ != nullptr) {
            connection_->close(true);
        }
        ::close(peer_);
    }
    DirectConnection(const DirectConnection&) = delete;
    DirectConnection& operator=(const DirectConnection&) = delete;

    // Lets the connection read `bytes` as they come, or less if it closes.
    void feed(std::string_view bytes) {
        while (!bytes.empty() && is_open()) {
            const ssize_t sent =
                ::send(peer_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
            settle();
        }
    }
    void feed_in_pieces(std::string_view bytes, std::size_t piece) {
        for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
            feed(bytes.substr(0, piece));
        }
    }
    void finish_sending() {
        ::shutdown(peer_, SHUT_WR);
        settle();
    }
    // From now on the peer takes what was sent to it only when it is told to.
    void stop_taking() { takes_ = false; }
    void take() {
        takes_ = true;
        drain();
        takes_ = false;
        settle();
    }
    // Everything that the connection has to do now.
    void settle() {
        while (own_poller_.poll() > 0 || flush_due_) {
            if (flush_due_ && connection_ != nullptr) {
                flush_due_ = false;
                connection_->flush_is_due = false;
                connection_->flush_turn();
            }
            drain();
        }
        drain();
    }
    // Time that has passed without a tick.
    void stall(Duration by) { since_tick_ += by; }
    void advance(Duration by) {
        update_time();
        now += by;
        if (is_open() && deadline_ <= now) {
            connection_->on_deadline(now);
        }
        settle();
    }
    [[nodiscard]] const std::string& output() {
        drain();
        return output_;
    }
    [[nodiscard]] bool is_open() const { return connection_ != nullptr; }

    void set_deadline(std::size_t /*index*/, MonoTime deadline) override { deadline_ = deadline; }
    void update_time() override { now += std::exchange(since_tick_, Duration{}); }
    void flush_later(ServerConnection& connection) override {
        connection.flush_is_due = true;
        flush_due_ = true;
    }
    void forget(ServerConnection& /*connection*/) override {
        connection_ = nullptr;
        flush_due_ = false;
    }

 private:
    void drain() {
        char buffer[16384];
        ssize_t got = 0;
        while (takes_ && (got = ::recv(peer_, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
            output_.append(buffer, static_cast<std::size_t>(got));
        }
    }

    Poller own_poller_;
    ServerConnection* connection_ = nullptr;  // deletes itself
    int peer_ = -1;
    MonoTime deadline_ = MonoTime::max();
    Duration since_tick_{};
    bool flush_due_ = false;
    bool takes_ = true;
    std::string output_;
};

}  // namespace belfry
