// For the tests of the HTTP client: a server whose every byte a test writes, and a client with one
// call under way.
#pragma once

#include "net/http_client.h"
#include "net/test_peer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// A server whose every byte a test writes.
class Script {
 public:
    explicit Script(int backlog = 16, SocketAddress address = *parse_literal("127.0.0.1", 0))
        : descriptor_(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        EXPECT_EQ(::bind(descriptor_, address.get(), address.size), 0);
        EXPECT_EQ(::listen(descriptor_, backlog), 0);
        EXPECT_EQ(::getsockname(descriptor_, address.get(), &address.size), 0);
        address_ = address.text();
    }
    ~Script() { ::close(descriptor_); }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    // Takes one more connection if there is one.
    bool accept() {
        const int peer = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer >= 0) {
            peers.emplace_back(peer);
        }
        return peer >= 0;
    }
    [[nodiscard]] const std::string& address() const { return address_; }

    std::vector<TestPeer> peers;

 private:
    int descriptor_;
    std::string address_;
};

inline std::uint16_t port_of(const std::string& address) {
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

struct HttpClientTest : ServerFixture {
    static HttpCall post(const std::string& address, std::string_view body) {
        HttpCall call;
        call.host = "127.0.0.1";
        call.port = port_of(address);
        call.head =
            "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n";
        call.body = body;
        call.timeout = kLongEnough;
        call.connect_timeout = kLongEnough;
        return call;
    }
    // Begins a call whose outcome goes to `reply`.
    void begin(HttpCall call) {
        reply.reset();
        client.call(std::move(call), [this](Result<HttpReply> r) {
            EXPECT_FALSE(reply.has_value()) << "done runs once";
            reply = std::move(r);
        });
        EXPECT_FALSE(reply.has_value()) << "never from within call()";
    }
    bool wait() {
        return until([this] { return reply.has_value(); });
    }
    // The script's next connection, once its request is there.
    TestPeer* next_request() {
        if (!until([this] { return script.accept(); })) {
            return nullptr;
        }
        TestPeer& peer = script.peers.back();
        return until([&] { return peer.received().contains("\r\n\r\n"); }) ? &peer : nullptr;
    }
    // What a call makes of an answer of these bytes, after which the peer closes.
    Result<HttpReply> answer_with(const std::string& bytes, bool head_request = false) {
        HttpCall call = post(script.address(), "");
        call.head_request = head_request;
        begin(std::move(call));
        TestPeer* peer = next_request();
        if (peer == nullptr) {
            return fail(Errc::internal, "no request came");
        }
        std::size_t sent = 0;
        EXPECT_TRUE(until([&] {
            sent += peer->send(std::string_view(bytes).substr(sent));
            return sent == bytes.size() || reply.has_value();
        }));
        peer->finish_sending();
        EXPECT_TRUE(wait());
        peer->close();
        return *reply;
    }
    std::string failure() { return reply->has_value() ? "" : reply->error().detail; }

    Script script;
    const OutboundGuard unrestricted = OutboundGuard::unrestricted();
    HttpClient client{loop, limits, unrestricted};
    std::optional<Result<HttpReply>> reply;
};

}  // namespace belfry
