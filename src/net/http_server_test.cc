#include "net/http_server.h"

#include "net/test_peer.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGetQuery = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";

struct HttpServerTest : ServerFixture {};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
    TestPeer peer = connect();
    peer.send(kGetQuery);
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(peer.received(), HasSubstr("Content-Length: 0\r\n"));
    EXPECT_THAT(peer.received(), Not(HasSubstr("Connection")));
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].target, "/a?b=c");
    EXPECT_EQ(service.seen[0].path, "/a");
    EXPECT_EQ(service.seen[0].query, "b=c");
    peer.forget();
    peer.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("hello"); }));
    EXPECT_EQ(server.status().connections, 1U);
    EXPECT_EQ(server.status().requests, 2U);
    peer.close();
    EXPECT_TRUE(until([&] { return server.status().connections == 0; }));
}

TEST_F(HttpServerTest, RequestsOfOneReadAreAnsweredInOneSend) {
    TestPeer peer = connect();
    std::string many;
    for (int i = 0; i < 50; ++i) {
        many += kGetQuery;
    }
    peer.send(many);
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 50; }));
    EXPECT_EQ(server.status().requests, 50U);
    EXPECT_EQ(server.status().sends, 1U);
}

TEST_F(HttpServerTest, AnswersOfACommitLeaveInOneSendWhenTheTurnEnds) {
    hold_exchanges();
    loop.on_turn_end([this] {
        for (Exchange& exchange : held) {
            exchange.respond({200, {}, {}, "done", false});
        }
        held.clear();
    });
    TestPeer peer = connect();
    peer.send(get_request("/1") + get_request("/2") + get_request("/3"));
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 3; }));
    EXPECT_EQ(server.status().sends, 1U);
}

TEST_F(HttpServerTest, AnswersLeaveInTheOrderOfTheRequests) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get_request("/1") + get_request("/2") + get_request("/3"));
    ASSERT_TRUE(until([&] { return held.size() == 3; }));
    answer(2, "third");
    answer(1, "second");
    loop.post([this] { loop.stop(); });
    loop.run();
    EXPECT_EQ(peer.received(), "");
    answer(0, "first");
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 3; }));
    const std::string& received = peer.received();
    EXPECT_LT(received.find("first"), received.find("second"));
    EXPECT_LT(received.find("second"), received.find("third"));
}

TEST_F(HttpServerTest, HeadGetsTheHeadersOnly) {
    service.answer = [](const HttpRequest&, Exchange exchange) {
        exchange.respond({200, "text/plain", "ETag: \"1\"\r\n", "hello", false});
    };
    TestPeer peer = connect();
    peer.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(peer.received(), HasSubstr("ETag: \"1\"\r\n"));
    peer.send(kGetQuery);
    EXPECT_TRUE(until([&] { return peer.received().ends_with("hello"); }));
}

TEST_F(HttpServerTest, NoContentHasNoLength) {
    service.answer = [](const HttpRequest&, Exchange exchange) {
        exchange.respond({204, {}, {}, {}, false});
    };
    TestPeer peer = connect();
    peer.send(kGetQuery);
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(peer.received(), Not(HasSubstr("Content-Length")));
}

TEST_F(HttpServerTest, Http10ClosesUnlessAskedToStay) {
    TestPeer peer = connect();
    peer.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_FALSE(peer.ended());
    peer.forget();
    peer.send("GET / HTTP/1.0\r\n\r\n" + get_request("/never"));
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_THAT(peer.received(), HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(service.seen.size(), 2U);
}

TEST_F(HttpServerTest, ConnectionCloseIsHonouredByBothSides) {
    TestPeer peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + get_request("/never"));
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_THAT(peer.received(), HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(service.seen.size(), 1U);
    service.answer = [](const HttpRequest&, Exchange exchange) {
        exchange.respond({200, {}, {}, {}, true});
    };
    TestPeer other = connect();
    other.send(get_request("/1") + get_request("/2"));
    ASSERT_TRUE(until([&] { return other.ended(); }));
    EXPECT_EQ(answers(other.received()), 1U);
}

TEST_F(HttpServerTest, ADroppedExchangeIs500) {
    service.answer = [](const HttpRequest&, Exchange) {};
    TestPeer peer = connect();
    peer.send(kGetQuery);
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 1; }));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
}

TEST_F(HttpServerTest, AnExchangeMayOutliveItsConnectionAndItsServer) {
    auto other = std::make_unique<HttpServer>(loop, service, limits);
    ASSERT_TRUE(other->listen("127.0.0.1:0").has_value());
    hold_exchanges();
    TestPeer peer(other->address());
    TestPeer second(other->address());
    peer.send(kGetQuery);
    second.send(kGetQuery);
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    EXPECT_TRUE(held[0].alive());
    peer.abort();
    ASSERT_TRUE(until([&] { return other->status().connections == 1; }));
    other.reset();
    EXPECT_FALSE(held[0].alive());
    EXPECT_FALSE(held[1].alive());
    answer(0, "nowhere");
    held.clear();
}

TEST_F(HttpServerTest, SendsContinueWhenTheBodyIsAwaited) {
    TestPeer peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    ASSERT_TRUE(until([&] { return peer.received() == "HTTP/1.1 100 Continue\r\n\r\n"; }));
    peer.send("hello");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\nhello"); }));
    peer.forget();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\nhi"); }));
    EXPECT_THAT(peer.received(), Not(HasSubstr("100 Continue")));
}

TEST_F(HttpServerTest, ContinueWaitsForTheAnswersBeforeIt) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(
        get_request("/1") +
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    );
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    EXPECT_EQ(peer.received(), "");
    answer(0, "one");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("oneHTTP/1.1 100 Continue\r\n\r\n"); })
    );
}

TEST_F(HttpServerTest, ATooLongBodyIsRefusedAndCounted) {
    TestPeer peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n");
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 1; }));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
    EXPECT_EQ(server.status().refused.of(RefusalReason::body_too_large), 1U);
    EXPECT_EQ(server.status().refused.all(), 1U);
}

TEST_F(HttpServerTest, CountsWhyItRefuses) {
    const std::string big = "X: " + std::string(7000, 'y') + "\r\n";
    for (const std::string& request :
         {std::string("GET / HTTP/1.1\r\n\r\n"),
          "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\n" + big + big + big + big + big + "\r\n",
          std::string("GET / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n"),
          std::string("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")}) {
        TestPeer peer = connect();
        peer.send(request);
        ASSERT_TRUE(until([&] { return answers(peer.received()) == 1; }));
    }
    for (RefusalReason reason :
         {RefusalReason::malformed,
          RefusalReason::request_line_too_long,
          RefusalReason::headers_too_large,
          RefusalReason::expectation,
          RefusalReason::unsupported}) {
        EXPECT_EQ(server.status().refused.of(reason), 1U) << static_cast<int>(reason);
    }
    EXPECT_EQ(server.status().refused.all(), 5U);
}

TEST_F(HttpServerTest, ALongBodyArrivesInPieces) {
    std::string body(900000, 'x');
    body += "end";
    TestPeer peer = connect();
    peer.send(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"
    );
    std::size_t sent = 0;
    ASSERT_TRUE(until([&] {
        sent += peer.send(std::string_view(body).substr(sent));
        return peer.received().ends_with("end");
    }));
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].body, body);
}

// Every tick that is left over would be a turn of its own, again and again.
TEST_F(HttpServerTest, HoweverManyConnectionsThereWereOneTickGoesOn) {
    for (int i = 0; i < 100; ++i) {
        TestPeer peer = connect();
        ASSERT_TRUE(until([&] { return server.status().connections == 1; }));
        peer.close();
        ASSERT_TRUE(until([&] { return server.status().connections == 0; }));
    }
    TestPeer stays = connect();
    ASSERT_TRUE(until([&] { return server.status().connections == 1; }));
    std::uint64_t turns = 0;
    loop.on_turn_end([&] { ++turns; });
    loop.call_after(std::chrono::milliseconds(500), [&] { loop.stop(); });
    loop.run();
    EXPECT_LT(turns, 50U);
}

// --- Peers that do not read, and peers that leave

TEST_F(HttpServerTest, APeerThatDoesNotReadIsNotReadEither) {
    limits.pending_response_bytes = 256 * 1024;
    const std::string big(64UL * 1024, 'x');
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        exchange.respond({200, {}, {}, big, false});
    };
    TestPeer peer(server.address(), 4096);
    std::string many;
    for (int i = 0; i < 500; ++i) {
        many += get_request("/" + std::to_string(i));
    }
    ASSERT_EQ(peer.send(many), many.size());
    ASSERT_TRUE(until([&] { return service.seen.size() > 4; }));
    for (int i = 0; i < 20; ++i) {
        loop.post([this] { loop.stop(); });
        loop.run();
    }
    EXPECT_LT(service.seen.size(), 400U);
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 500; }));
    EXPECT_EQ(service.seen.size(), 500U);
    EXPECT_EQ(service.seen.back().path, "/499");
}

TEST_F(HttpServerTest, AWaitingHandlerLearnsThatItsClientLeft) {
    hold_exchanges();
    service.admission = [](const HttpRequest&) { return HttpService::Admission{0, true}; };
    int gone = 0;
    TestPeer peer = connect();
    peer.send(get_request("/1"));
    TestPeer other = connect();
    other.send(get_request("/2"));
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    for (Exchange& exchange : held) {
        exchange.on_gone([&] { ++gone; });
    }
    peer.close();
    other.abort();
    ASSERT_TRUE(until([&] { return gone == 2; }));
    EXPECT_FALSE(held[0].alive());
    answer(0, "nowhere");
    held.clear();
    EXPECT_EQ(gone, 2);
}

TEST_F(HttpServerTest, AHalfClosedPeerStillGetsItsAnswers) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get_request("/1") + get_request("/2"));
    peer.finish_sending();
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    loop.post([this] { loop.stop(); });
    loop.run();
    answer(1, "second");
    answer(0, "first");
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_EQ(answers(peer.received()), 2U);
    EXPECT_TRUE(until([&] { return server.status().connections == 0; }));
}

// --- Listening and stopping

TEST_F(HttpServerTest, ListensOnIpv6) {
    HttpServer six(loop, service, limits);
    const auto listening = six.listen("[::1]:0");
    if (!listening && listening.error().detail.contains("Cannot assign")) {
        GTEST_SKIP() << "this machine has no IPv6";
    }
    ASSERT_TRUE(listening.has_value());
    EXPECT_THAT(six.address(), StartsWith("[::1]:"));
    EXPECT_TRUE(six.is_loopback());
    std::string seen;
    service.answer = [&](const HttpRequest& request, Exchange exchange) {
        seen = request.peer;
        exchange.respond({});
    };
    TestPeer peer(six.address());
    peer.send(kGetQuery);
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 1; }));
    EXPECT_EQ(seen, "::1");
}

TEST_F(HttpServerTest, AnAddressInUseIsNamed) {
    HttpServer other(loop, service, limits);
    const auto listening = other.listen(server.address());
    ASSERT_FALSE(listening.has_value());
    EXPECT_THAT(listening.error().detail, HasSubstr(server.address()));
    EXPECT_THAT(listening.error().detail, HasSubstr("in use"));
    EXPECT_FALSE(other.listen("localhost:80").has_value());
}

TEST_F(HttpServerTest, StoppingAnswersWhatWasAskedAndClosesTheRest) {
    hold_exchanges();
    TestPeer idle = connect();
    TestPeer asking = connect();
    TestPeer streaming = connect();
    streaming.send(get_request("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    bool gone = false;
    held[0].on_gone([&] { gone = true; });
    asking.send(get_request("/1"));
    ASSERT_TRUE(until([&] { return held.size() == 2 && server.status().connections == 3; }));
    bool done = false;
    server.stop(kLongEnough, [&] { done = true; });
    ASSERT_TRUE(until([&] { return idle.ended() && streaming.ended() && gone; }));
    EXPECT_FALSE(done);
    answer(1, "bye");
    ASSERT_TRUE(until([&] { return asking.ended(); }));
    EXPECT_THAT(asking.received(), HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(asking.received(), HasSubstr("bye"));
    asking.close();
    EXPECT_TRUE(until([&] { return done; }));
}

TEST_F(HttpServerTest, StoppingCutsWhatDoesNotEnd) {
    hold_exchanges();
    bool gone = false;
    TestPeer peer = connect();
    peer.send(get_request("/1"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].on_gone([&] { gone = true; });
    bool done = false;
    server.stop(std::chrono::milliseconds(20), [&] { done = true; });
    ASSERT_TRUE(until([&] { return done; }));
    EXPECT_TRUE(gone);
    EXPECT_TRUE(until([&] { return peer.ended(); }));
}

TEST_F(HttpServerTest, StoppingWithoutConnectionsIsDoneAtOnce) {
    bool done = false;
    server.stop(kLongEnough, [&] { done = true; });
    EXPECT_FALSE(done) << "never from within stop()";
    EXPECT_TRUE(until([&] { return done; }));
}

}  // namespace
}  // namespace belfry
