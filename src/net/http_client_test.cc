#include "net/http_client.h"

#include "net/http_client_fixture.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Pair;

TEST_F(HttpClientTest, KeepsAndUsesItsConnectionAgain) {
    for (int i = 0; i < 3; ++i) {
        begin(post(server.address(), "hello"));
        ASSERT_TRUE(wait());
        ASSERT_TRUE(reply->has_value()) << failure();
        EXPECT_EQ((*reply)->status, 200);
        EXPECT_EQ((*reply)->body, "hello");
        EXPECT_EQ((*reply)->header("content-type"), "text/plain");
    }
    EXPECT_EQ(server.status().accepted, 1U);
}

TEST_F(HttpClientTest, ManyCallsAtOnceEachGetTheirOwnAnswer) {
    int right = 0;
    std::vector<std::string> bodies;
    for (int i = 0; i < 200; ++i) {
        bodies.push_back(std::to_string(i));
    }
    for (const std::string& body : bodies) {
        client.call(post(server.address(), body), [&](const Result<HttpReply>& r) {
            right += r.has_value() && r->body == body ? 1 : 0;
        });
    }
    ASSERT_TRUE(until([&] { return right == 200; }));
    // No more than 64 stay.
    EXPECT_TRUE(until([&] { return server.status().connections == 64; }));
}

TEST_F(HttpClientTest, ADoneMayCallAgain) {
    int left = 50;
    std::function<void()> next = [&] {
        client.call(post(server.address(), "x"), [&](const Result<HttpReply>& r) {
            ASSERT_TRUE(r.has_value());
            if (--left > 0) {
                next();
            }
        });
    };
    next();
    ASSERT_TRUE(until([&] { return left == 0; }));
    EXPECT_EQ(server.status().accepted, 1U);
}

TEST_F(HttpClientTest, SendsALongBodyToASlowReader) {
    const std::string body(1000UL * 1000, 'x');
    begin(post(server.address(), body));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].body, body);
    EXPECT_TRUE((*reply)->body_truncated);
    EXPECT_EQ((*reply)->body.size(), limits.response_body_bytes);
    begin(post(server.address(), "again"));
    ASSERT_TRUE(wait());
    EXPECT_EQ(server.status().accepted, 1U) << "the rest of a long answer is read to keep it";
}

TEST_F(HttpClientTest, ACallSaysHowMuchOfItsAnswerItKeeps) {
    const std::string body(300UL * 1000, 'x');
    HttpCall call = post(server.address(), body);
    call.body_most = body.size();
    begin(std::move(call));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_FALSE((*reply)->body_truncated);
    EXPECT_EQ((*reply)->body, body);
    call = post(server.address(), body);
    call.body_most = 7;
    begin(std::move(call));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_TRUE((*reply)->body_truncated);
    EXPECT_EQ((*reply)->body, "xxxxxxx");
    begin(post(server.address(), body));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->body.size(), limits.response_body_bytes) << "the next call has its own";
}

TEST_F(HttpClientTest, ARefusalBeforeTheBodyIsSentIsTheAnswer) {
    const std::string body(6UL * 1000 * 1000, 'x');
    begin(post(server.address(), body));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->status, 413);
}

// --- Kept connections that ended

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(HttpClientTest, AKeptConnectionThatEndedIsNotUsed) {
    begin(post(script.address(), "1"));
    TestPeer* first = next_request();
    ASSERT_NE(first, nullptr);
    first->send(kOk);
    ASSERT_TRUE(wait());
    first->finish_sending();
    ASSERT_TRUE(until([&] { return first->ended(); }));
    begin(post(script.address(), "2"));
    TestPeer* second = next_request();
    ASSERT_NE(second, nullptr);
    second->send(kOk);
    ASSERT_TRUE(wait());
    EXPECT_TRUE(reply->has_value()) << failure();
}

TEST_F(HttpClientTest, ARequestOnAStaleConnectionIsSentOnceMore) {
    for (const bool with_reset : {false, true}) {
        script.peers.clear();
        begin(post(script.address(), "1"));
        TestPeer* first = next_request();
        ASSERT_NE(first, nullptr);
        first->send(kOk);
        ASSERT_TRUE(wait());
        first->forget();
        begin(post(script.address(), "2"));
        ASSERT_TRUE(until([&] { return first->received().ends_with("\r\n\r\n2"); }));
        with_reset ? first->abort() : first->close();
        TestPeer* second = next_request();
        ASSERT_NE(second, nullptr);
        EXPECT_TRUE(until([&] { return second->received().ends_with("\r\n\r\n2"); }));
        second->close();
        ASSERT_TRUE(wait());
        EXPECT_THAT(failure(), HasSubstr("closed before an answer")) << "but not a third time";
        EXPECT_FALSE(script.accept());
    }
}

TEST_F(HttpClientTest, AKeptConnectionThatSpeaksOutOfTurnIsNotUsed) {
    begin(post(script.address(), "1"));
    TestPeer* first = next_request();
    ASSERT_NE(first, nullptr);
    first->send(std::string(kOk) + std::string(kOk));
    ASSERT_TRUE(wait());
    begin(post(script.address(), "2"));
    TestPeer* second = next_request();
    ASSERT_NE(second, nullptr);
    second->send(kOk);
    ASSERT_TRUE(wait());
    EXPECT_TRUE(reply->has_value());
    second->send("HTTP/1.1 200 OK\r\n");
    ASSERT_TRUE(until([&] { return second->ended(); }));
    begin(post(script.address(), "3"));
    EXPECT_NE(next_request(), nullptr);
}

TEST_F(HttpClientTest, WhatComesBeforeTheRequestHasLeftIsNoAnswerToIt) {
    begin(post(script.address(), "1"));
    TestPeer* first = next_request();
    ASSERT_NE(first, nullptr);
    first->send(kOk);
    ASSERT_TRUE(wait());
    first->send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    begin(post(script.address(), "2"));
    TestPeer* second = next_request();
    ASSERT_NE(second, nullptr);
    second->send(kOk);
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->status, 200);
}

TEST_F(HttpClientTest, AnAnswerThatClosesIsNotKept) {
    const auto r =
        answer_with("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    ASSERT_TRUE(r.has_value());
    begin(post(script.address(), "2"));
    EXPECT_NE(next_request(), nullptr);
}

// --- Answers

TEST_F(HttpClientTest, AnswersOfEveryKindAreRead) {
    struct Row {
        std::string bytes;
        int status;
        std::string body;
        bool head_request = false;
    };
    const std::vector<Row> rows = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "", true},
        {"HTTP/1.1 500 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nX: "
         "y\r\n\r\n",
         500,
         "abc"},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end"},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 "
         "Created\r\nContent-Length: 1\r\n\r\n!",
         201,
         "!"},
    };
    for (const Row& row : rows) {
        const auto r = answer_with(row.bytes, row.head_request);
        ASSERT_TRUE(r.has_value()) << row.bytes << r.error().detail;
        EXPECT_EQ(r->status, row.status) << row.bytes;
        EXPECT_EQ(r->body, row.body) << row.bytes;
    }
}

TEST_F(HttpClientTest, HeaderNamesComeInLowerCase) {
    const auto r = answer_with("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(r.has_value());
    EXPECT_THAT(
        r->headers, testing::ElementsAre(Pair("retry-after", "7"), Pair("content-length", "0"))
    );
    EXPECT_EQ(r->header("retry-after"), "7");
    EXPECT_EQ(r->header("date"), std::nullopt);
}

TEST_F(HttpClientTest, BadAnswersFailTheirCallWithAReason) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"", "closed before an answer"},
        {"HTTP/1.1 200 OK\r\nContent-", "middle of the answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "middle of the answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "middle of the answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\n", "chunk size"},
        {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "LF without CR"},
        {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "folded"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", ""},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP/1.1"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "switches protocols"},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), "headers over 16384 bytes"},
        {"HTTP/1.1 200 OK" + std::string(20'000, 'x'), "headers over 16384 bytes"},
    };
    for (const auto& [bytes, reason] : rows) {
        const auto r = answer_with(bytes);
        ASSERT_FALSE(r.has_value()) << bytes;
        EXPECT_EQ(r.error().code, Errc::unavailable);
        EXPECT_THAT(r.error().detail, HasSubstr(reason)) << bytes;
        EXPECT_FALSE(r.error().detail.empty());
    }
}

TEST_F(HttpClientTest, HeadersMayBeAsLongAsTheLimitAndNotALetterLonger) {
    const std::string before = "HTTP/1.1 204 No Content\r\nX: ";
    const std::string most(limits.response_headers_bytes - 5, 'x');
    EXPECT_TRUE(answer_with(before + most + "\r\n\r\n"));
    EXPECT_THAT(
        answer_with(before + most + "x\r\n\r\n").error().detail,
        HasSubstr("headers over 16384 bytes")
    );
}

TEST_F(HttpClientTest, EndlessHeadersAndEndlessInterimAnswersFail) {
    std::string headers = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 2000; ++i) {
        headers += "X: yyyyyyyyyyyy\r\n";
    }
    EXPECT_THAT(answer_with(headers).error().detail, HasSubstr("headers over 16384 bytes"));
    std::string interim;
    for (int i = 0; i < 1000; ++i) {
        interim += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    EXPECT_THAT(answer_with(interim).error().detail, HasSubstr("too many interim answers"));
}

TEST_F(HttpClientTest, ABodyTooLongEvenToDropEndsTheConnection) {
    const std::string body(3UL * 1024 * 1024, 'x');
    for (const std::string& head :
         {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n",
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n"),
          std::string("HTTP/1.1 200 OK\r\n\r\n")}) {
        const auto r = answer_with(head + body);
        ASSERT_TRUE(r.has_value()) << r.error().detail;
        EXPECT_TRUE(r->body_truncated);
        EXPECT_EQ(r->body.size(), limits.response_body_bytes);
    }
}

// --- Time-outs and dead peers

// A time-out that is waited for.
constexpr Duration kShort = std::chrono::seconds(1);

TEST_F(HttpClientTest, ARefusedConnectionSaysSo) {
    std::string address;
    {
        const Script gone;
        address = gone.address();
    }
    begin(post(address, ""));
    ASSERT_TRUE(wait());
    EXPECT_EQ(failure(), "connection refused");
}

TEST_F(HttpClientTest, AnAnswerThatDoesNotComeTimesOut) {
    HttpCall call = post(script.address(), "");
    call.timeout = kShort;
    begin(std::move(call));
    ASSERT_TRUE(wait());
    EXPECT_EQ(failure(), "timed out after 1 s while waiting for the answer");
    ASSERT_TRUE(until([&] { return script.accept(); }));
    EXPECT_TRUE(until([&] { return script.peers[0].ended(); }));
}

TEST_F(HttpClientTest, ADrippingAnswerTimesOut) {
    HttpCall call = post(script.address(), "");
    call.timeout = kShort;
    begin(std::move(call));
    ASSERT_TRUE(until([&] { return script.accept(); }));
    TestPeer& peer = script.peers[0];
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    ASSERT_TRUE(until([&] {
        peer.send("x");
        return reply.has_value();
    }));
    EXPECT_EQ(failure(), "timed out after 1 s while waiting for the answer");
}

TEST_F(HttpClientTest, ADrippingAnswerDelaysNobody) {
    begin(post(script.address(), ""));
    TestPeer* peer = next_request();
    ASSERT_NE(peer, nullptr);
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    int others = 0;
    std::function<void()> other = [&] {
        client.call(post(server.address(), "x"), [&](const Result<HttpReply>& r) {
            others += r.has_value() ? 1 : 0;
            other();
        });
    };
    other();
    EXPECT_TRUE(until([&] {
        peer->send("x");
        return others > 20;
    }));
    EXPECT_FALSE(reply.has_value()) << "it drips on";
}

TEST_F(HttpClientTest, ConnectingTimesOut) {
    // A full accept queue leaves further connections hanging.
    const Script full(0);
    std::vector<int> fillers;
    for (int i = 0; i < 4; ++i) {
        const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const SocketAddress to = *parse_literal("127.0.0.1", port_of(full.address()));
        (void)::connect(filler, to.get(), to.size);
        fillers.push_back(filler);
    }
    HttpCall call = post(full.address(), "");
    call.connect_timeout = milliseconds(30);
    begin(std::move(call));
    ASSERT_TRUE(wait());
    EXPECT_EQ(failure(), "timed out after 0.03 s while connecting");
    for (const int filler : fillers) {
        ::close(filler);
    }
}

TEST_F(HttpClientTest, AResetFailsTheCall) {
    begin(post(script.address(), ""));
    TestPeer* peer = next_request();
    ASSERT_NE(peer, nullptr);
    peer->send("HTTP/1.1 200 OK\r\n");
    peer->abort();
    ASSERT_TRUE(wait());
    EXPECT_THAT(failure(), HasSubstr("connection reset"));
}

TEST_F(HttpClientTest, NamesAreResolved) {
    HttpCall call = post(server.address(), "hello");
    call.host = "localhost";
    begin(std::move(call));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->body, "hello");
    HttpCall unknown = post(server.address(), "");
    unknown.host = "nowhere.onion";  // which no server is asked for (RFC 7686)
    begin(std::move(unknown));
    ASSERT_TRUE(wait());
    EXPECT_THAT(failure(), HasSubstr("cannot resolve nowhere.onion"));
}

// The address is judged, not the name: what a name resolves to, literals, and every try anew.
TEST_F(HttpClientTest, ConnectsOnlyWhereTheGuardAllows) {
    const OutboundGuard closed{OutboundRules{}};
    HttpClient guarded(loop, limits, closed);
    for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
        reply.reset();
        HttpCall call = post(script.address(), "");
        call.host = host;
        guarded.call(std::move(call), [this](Result<HttpReply> r) { reply = std::move(r); });
        EXPECT_FALSE(reply.has_value()) << "never from within call()";
        ASSERT_TRUE(wait());
        EXPECT_EQ(reply->error().code, Errc::denied) << host << ": " << failure();
        EXPECT_THAT(failure(), testing::StartsWith("blocked_address: ")) << host;
        EXPECT_FALSE(script.accept()) << host;
    }
    const OutboundGuard open({.loopback = true});
    HttpClient allowed(loop, limits, open);
    HttpCall call = post(server.address(), "hello");
    call.host = "localhost";
    reply.reset();
    allowed.call(std::move(call), [this](Result<HttpReply> r) { reply = std::move(r); });
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->body, "hello");
}

TEST_F(HttpClientTest, ItsEndDropsTheCallsInFlight) {
    auto held = std::make_shared<int>(1);
    {
        HttpClient other(loop, limits, unrestricted);
        other.call(post(script.address(), ""), [held](const Result<HttpReply>&) { FAIL(); });
        HttpCall named = post(script.address(), "");
        named.host = "localhost";
        other.call(std::move(named), [held](const Result<HttpReply>&) { FAIL(); });
        EXPECT_EQ(held.use_count(), 3);
    }
    EXPECT_EQ(held.use_count(), 1);
    loop.call_after(milliseconds(20), [this] { loop.stop(); });
    loop.run();
}

// --- Streamed answers

TEST_F(HttpClientTest, AStreamIsHandedOnAsItComes) {
    HttpCall call = post(script.address(), "");
    call.timeout = 2 * kShort;  // covers the head only
    std::string got;
    client.stream(
        std::move(call),
        [&](std::string_view bytes) { got += bytes; },
        [&](Result<HttpReply> r) { reply = std::move(r); }
    );
    TestPeer* peer = next_request();
    ASSERT_NE(peer, nullptr);
    peer->send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    ASSERT_TRUE(until([&] { return got == "data: 1\n\n"; }));
    bool later = false;
    loop.call_after(2 * kShort, [&] { later = true; });
    ASSERT_TRUE(until([&] { return later; }));
    peer->send("data: 2\n\n");
    ASSERT_TRUE(until([&] { return got == "data: 1\n\ndata: 2\n\n"; }));
    EXPECT_FALSE(reply.has_value());
    peer->close();
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->status, 200);
    EXPECT_EQ((*reply)->body, "");
    EXPECT_EQ((*reply)->header("content-type"), "text/event-stream");
}

TEST_F(HttpClientTest, AStreamCanBeCancelledAlsoFromWithin) {
    for (const bool within : {false, true}) {
        script.peers.clear();
        std::uint64_t number = 0;
        int pieces = 0;
        number = client.stream(
            post(script.address(), ""),
            [&](std::string_view) {
                ++pieces;
                if (within) {
                    client.cancel(number);
                }
            },
            [](const Result<HttpReply>&) { FAIL(); }
        );
        TestPeer* peer = next_request();
        ASSERT_NE(peer, nullptr);
        peer->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        ASSERT_TRUE(until([&] { return pieces == 1; }));
        client.cancel(number);
        peer->send("1\r\ny\r\n");
        EXPECT_TRUE(until([&] { return peer->ended(); }));
        EXPECT_EQ(pieces, 1);
        client.cancel(number);
    }
}

}  // namespace
}  // namespace belfry
