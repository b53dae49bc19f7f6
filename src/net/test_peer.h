// For the tests of this room: a loop that runs until a condition holds, a service whose handlers a
// test gives, and a peer that sends and reads raw bytes. Everything on one thread; nothing sleeps.
#pragma once

#include "base/limits.h"
#include "net/http.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/socket_address.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace belfry {

// What no test comes near that passes, on a machine that stalls for some seconds either.
inline constexpr Duration kLongEnough = std::chrono::minutes(1);

// A whole request.
inline constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
inline std::string get_request(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

// Turns the loop until `done` holds; false if that takes too long.
inline bool run_until(Loop& loop, std::function<bool()> done) {
    const MonoTime deadline = loop.now() + kLongEnough;
    bool held = false;
    TimerId timer;
    std::function<void()> look = [&] {
        held = done();
        if (held || loop.now() > deadline) {
            loop.stop();
            return;
        }
        timer = loop.call_after(std::chrono::microseconds(200), look);
    };
    look();
    loop.run();
    loop.cancel(timer);
    return held;
}

// A socket that a test reads and writes byte by byte. Never blocks but for connecting to a
// listening socket.
class TestPeer {
 public:
    explicit TestPeer(const std::string& address, int receive_buffer = 0) {
        const auto to = parse_listen_address(address);
        EXPECT_TRUE(to.has_value()) << address;
        descriptor_ = ::socket(to->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receive_buffer > 0) {
            ::setsockopt(
                descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer)
            );
        }
        EXPECT_EQ(::connect(descriptor_, to->get(), to->size), 0) << address;
    }
    explicit TestPeer(int descriptor) : descriptor_(descriptor) {}
    TestPeer(TestPeer&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          received_(std::move(other.received_)) {}
    TestPeer& operator=(TestPeer&&) = delete;
    TestPeer(const TestPeer&) = delete;
    ~TestPeer() { close(); }

    // What the socket takes; how much that was.
    std::size_t send(std::string_view bytes) {
        const ssize_t sent =
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }
    // Everything that came so far.
    const std::string& received() {
        char buffer[16384];
        ssize_t got = 0;
        while (descriptor_ >= 0 &&
               (got = ::recv(descriptor_, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
            received_.append(buffer, static_cast<std::size_t>(got));
        }
        if (descriptor_ >= 0 && (got == 0 || (errno != EAGAIN && errno != EINTR))) {
            ended_ = true;
            reset_ = got < 0;
        }
        return received_;
    }
    // At most so much of what came; how much that was.
    std::size_t take(char* to, std::size_t bytes) {
        const ssize_t got = ::recv(descriptor_, to, bytes, MSG_DONTWAIT);
        return got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    // The other side closed.
    bool ended() {
        received();
        return ended_;
    }
    [[nodiscard]] bool was_reset() const { return reset_; }
    void forget() { received_.clear(); }
    void close() {
        if (descriptor_ >= 0) {
            ::close(std::exchange(descriptor_, -1));
        }
    }
    // With a reset instead of an end.
    void abort() {
        const linger now{1, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close();
    }

 private:
    int descriptor_ = -1;
    std::string received_;
    bool ended_ = false;
    bool reset_ = false;
};

// Remembers what it was asked; answers 200 with the body it got, unless a test says otherwise.
class TestService final : public HttpService {
 public:
    struct Seen {
        std::string method;
        std::string target;
        std::string path;
        std::string query;
        std::string body;
        std::vector<std::pair<std::string, std::string>> headers;
        int refused = 0;  // status
        std::string detail;

        bool operator==(const Seen&) const = default;
    };

    Admission admit(const HttpRequest& head) override { return admission(head); }
    bool admit_body(const HttpRequest& head) override { return admits_body(head); }
    void handle(const HttpRequest& request, Exchange exchange) override {
        seen.push_back(record(request));
        answer(request, std::move(exchange));
    }
    void refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange)
        override {
        Seen one = record(head);
        one.refused = status;
        one.detail = error.detail;
        seen.push_back(std::move(one));
        exchange.respond({status, "text/plain", {}, error.detail, false});
    }

    std::vector<Seen> seen;
    std::function<Admission(const HttpRequest&)> admission = [](const HttpRequest&) {
        return Admission{1024 * 1024, false};
    };
    std::function<bool(const HttpRequest&)> admits_body = [](const HttpRequest&) { return true; };
    std::function<void(const HttpRequest&, Exchange)> answer = [](const HttpRequest& request,
                                                                  Exchange exchange) {
        exchange.respond({200, "text/plain", {}, request.body, false});
    };

 private:
    static Seen record(const HttpRequest& request) {
        Seen one;
        one.method = request.method_text;
        one.target = request.target;
        one.path = request.path;
        one.query = request.query;
        one.body = request.body;
        for (const HeaderField& field : request.headers) {
            one.headers.emplace_back(field.name, field.value);
        }
        return one;
    }
};

// A server on a port of its own. Its time-outs leave a test alone that does not shorten them: those
// of a connection are tested with time that stands still (direct_connection.h).
struct ServerFixture : testing::Test {
    ServerFixture() {
        constexpr std::uint64_t kLongEnoughMs = kLongEnough / std::chrono::milliseconds(1);
        limits.header_read_ms = kLongEnoughMs;
        limits.body_grace_ms = kLongEnoughMs;
        limits.request_ms = kLongEnoughMs;
        limits.idle_ms = kLongEnoughMs;
        limits.tls_handshake_ms = kLongEnoughMs;
        EXPECT_TRUE(server.listen("127.0.0.1:0").has_value());
    }
    TestPeer connect() { return TestPeer(server.address()); }
    bool until(std::function<bool()> done) { return run_until(loop, std::move(done)); }
    // Handlers that answer when the test says so.
    void hold_exchanges() {
        service.answer = [this](const HttpRequest&, Exchange exchange) {
            held.push_back(std::move(exchange));
        };
    }
    void answer(std::size_t index, std::string_view body) {
        held[index].respond({200, "text/plain", {}, body, false});
    }
    // How many answers there are in `received`.
    static std::size_t answers(const std::string& received) {
        std::size_t count = 0;
        for (std::size_t at = received.find("HTTP/1.1 "); at != std::string::npos;
             at = received.find("HTTP/1.1 ", at + 1)) {
            ++count;
        }
        return count;
    }

    Limits limits;
    Loop loop;
    TestService service;
    HttpServer server{loop, service, limits};
    std::vector<Exchange> held;
};

}  // namespace belfry
