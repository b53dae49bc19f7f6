// What the connections of one server may hold together, and who is refused when they hold it.
#include "base/fixed_limits.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace belfry {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMiB = 1024 * 1024;

std::string head_of(std::size_t length) {
    return "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

struct BytesInFlight : ServerFixture {
    BytesInFlight() { limits.bytes_in_flight = kMiB; }

    // Sends all of it, as the server takes it; it may close when it has refused it.
    void send_all(TestPeer& peer, std::string_view bytes) {
        EXPECT_TRUE(until([&] {
            bytes.remove_prefix(peer.send(bytes));
            return bytes.empty() || peer.ended();
        }));
    }
    // A peer whose body lacks its last byte.
    TestPeer almost_whole(std::size_t length) {
        TestPeer peer = connect();
        send_all(peer, head_of(length) + std::string(length - 1, 'x'));
        EXPECT_TRUE(until([&] { return server.status().bytes_in_flight >= length; }));
        return peer;
    }
    bool is_answered(TestPeer& peer) {
        return until([&] { return peer.received().contains("\r\n\r\n"); });
    }
};

TEST_F(BytesInFlight, FurtherBodiesAreRefusedBeforeTheyAreRead) {
    TestPeer holder = almost_whole(kMiB);
    TestPeer late = connect();
    late.send(head_of(1000));
    ASSERT_TRUE(is_answered(late));
    EXPECT_THAT(
        late.received(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Connection: close"))
    );
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].refused, 503);
    EXPECT_EQ(service.seen[0].path, "/p");
    EXPECT_EQ(server.status().refused.of(RefusalReason::no_room), 1U);

    holder.send("x");
    ASSERT_TRUE(is_answered(holder));
    EXPECT_THAT(holder.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(BytesInFlight, AnExpectantPeerIsNotToldToContinue) {
    TestPeer holder = almost_whole(kMiB);
    TestPeer late = connect();
    late.send("POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    ASSERT_TRUE(is_answered(late));
    EXPECT_THAT(late.received(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(BytesInFlight, RequestsInOnePieceAreServedAllTheSame) {
    TestPeer holder = almost_whole(kMiB);
    TestPeer other = connect();
    other.send(head_of(5) + "hello");
    ASSERT_TRUE(is_answered(other));
    EXPECT_THAT(other.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(BytesInFlight, ABodyThatGrowsPastTheBoundIsRefusedLengthKnownOrNot) {
    const std::string part(kMiB * 3 / 8, 'x');
    const std::string chunked = "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& begin : {head_of(kMiB) + part, chunked + "a0000\r\n" + part}) {
        service.seen.clear();
        std::vector<TestPeer> peers;
        while (service.seen.empty() && peers.size() < 4) {
            peers.push_back(connect());
            send_all(peers.back(), begin);
            ASSERT_TRUE(until([&] {
                return !service.seen.empty() ||
                       server.status().bytes_in_flight >= peers.size() * part.size();
            }));
        }
        EXPECT_GE(peers.size(), 2U);
        ASSERT_EQ(service.seen.size(), 1U);
        EXPECT_EQ(service.seen[0].refused, 503);
        // Whose bytes were read last: the kernel may have held some of an earlier one's.
        const auto is_refused = [](TestPeer& peer) {
            return peer.received().starts_with("HTTP/1.1 503 ");
        };
        ASSERT_TRUE(until([&] { return std::ranges::any_of(peers, is_refused); }));
        peers.clear();
        ASSERT_TRUE(until([&] { return server.status().connections == 0; }));
    }
}

// Those who show an Authorization are known.
struct StrangersBodies : BytesInFlight {
    StrangersBodies() {
        service.admits_body = [this](const HttpRequest& head) {
            ++asked;
            return head.header("Authorization").has_value();
        };
        service.answer = [](const HttpRequest& request, Exchange exchange) {
            const bool is_known = request.header("Authorization").has_value();
            exchange.respond({is_known ? 200 : 401, "text/plain", {}, "it is said", false});
        };
    }
    int asked = 0;
};

TEST_F(StrangersBodies, AreNotKeptSoThatTheyFillNothing) {
    std::vector<TestPeer> strangers;
    const std::string chunked = "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < 8; ++i) {
        const std::string part(kMiB / 4, 'x');
        TestPeer& stranger = strangers.emplace_back(connect());
        send_all(stranger, i % 2 == 0 ? head_of(kMiB) + part : chunked + "40000\r\n" + part);
        ASSERT_TRUE(is_answered(stranger));
        EXPECT_THAT(
            stranger.received(), AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("Connection: close"))
        );
        EXPECT_EQ(service.seen.back().body, "");
        EXPECT_LT(server.status().bytes_in_flight, kMiB / 8);
    }
    EXPECT_EQ(asked, 8);
    EXPECT_EQ(service.seen.size(), 8U) << "nothing behind the heads was taken for a request";
    TestPeer known = connect();
    send_all(
        known,
        "POST /p HTTP/1.1\r\nHost: h\r\nAuthorization: x\r\nContent-Length: 100000\r\n\r\n" +
            std::string(99'999, 'x')
    );
    ASSERT_TRUE(until([&] { return server.status().bytes_in_flight >= 99'999; }));
    known.send("x");
    ASSERT_TRUE(is_answered(known));
    EXPECT_THAT(known.received(), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(service.seen.back().body.size(), 100'000U);
}

TEST_F(StrangersBodies, AnExpectantStrangerIsNotToldToContinue) {
    TestPeer stranger = connect();
    stranger.send(
        "POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n"
    );
    ASSERT_TRUE(is_answered(stranger));
    EXPECT_THAT(stranger.received(), StartsWith("HTTP/1.1 401 "));
}

TEST_F(StrangersBodies, OfLittleLengthAreTakenAndNobodyIsAsked) {
    const std::size_t most = kStrangersBodyBytesMax;
    for (const std::size_t length : {most, most + 1}) {
        TestPeer peer = connect();
        send_all(peer, head_of(length) + "x");
        ASSERT_TRUE(until([&] {
            return length > most ? asked == 1 : server.status().bytes_in_flight > 0;
        }));
        EXPECT_EQ(asked, length > most ? 1 : 0);
        send_all(peer, std::string(length - 1, 'x'));
        ASSERT_TRUE(is_answered(peer));
        EXPECT_EQ(service.seen.back().body.size(), length > most ? 0 : length);
    }
}

TEST_F(StrangersBodies, ThatCameWithTheirHeadAreNoMatterOfMemory) {
    TestPeer peer = connect();
    ASSERT_EQ(
        peer.send(head_of(30'000) + std::string(30'000, 'x')), head_of(30'000).size() + 30'000
    );
    ASSERT_TRUE(is_answered(peer));
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(service.seen.back().body.size(), 30'000U);
}

TEST_F(BytesInFlight, ALongHeadInPiecesIsRefusedAShortOneIsNot) {
    TestPeer holder = almost_whole(kMiB);
    TestPeer longer = connect();
    longer.send("GET /p HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'y') + "\r\n");
    ASSERT_TRUE(is_answered(longer));
    EXPECT_THAT(longer.received(), StartsWith("HTTP/1.1 503 "));
    TestPeer shorter = connect();
    shorter.send("GET /p HTTP/1.1\r\nHost: h\r\n");
    ASSERT_TRUE(until([&] { return server.status().bytes_in > kMiB + 5000; }));
    shorter.send("\r\n");
    ASSERT_TRUE(is_answered(shorter));
    EXPECT_THAT(shorter.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(BytesInFlight, WhatAConnectionHeldIsFreeWhenItLeaves) {
    const std::uint64_t before = server.status().bytes_in_flight;
    std::vector<TestPeer> peers;
    for (int i = 0; i < 4; ++i) {
        peers.push_back(almost_whole(kMiB / 8));
    }
    peers[0].send("x");
    peers[1].abort();
    peers[2].close();
    peers[3].send("x");
    peers[3].finish_sending();
    ASSERT_TRUE(is_answered(peers[0]));
    peers[0].close();
    EXPECT_TRUE(until([&] { return server.status().connections == 0; }));
    EXPECT_EQ(server.status().bytes_in_flight, before);
}

// --- Answers

struct AnswersInFlight : BytesInFlight {
    AnswersInFlight() {
        service.answer = [this](const HttpRequest& request, Exchange exchange) {
            const std::size_t bytes = request.path == "/big" ? 8 * kMiB : 10;
            page.assign(bytes, 'x');
            exchange.respond({200, "text/plain", {}, page, false});
        };
    }
    std::string page;
};

TEST_F(AnswersInFlight, APageIsRefusedWhileOthersAreNotTakenAndSmallAnswersAreNot) {
    TestPeer slow(server.address(), 4096);
    slow.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(until([&] { return server.status().bytes_in_flight >= kMiB; }));
    TestPeer peer = connect();
    peer.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(is_answered(peer));
    EXPECT_THAT(peer.received(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1")));
    peer.forget();
    peer.send("GET /small HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(is_answered(peer));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 200 "));
    peer.forget();
    // What was done is said, however long that is.
    peer.send("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(is_answered(peer));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AnswersInFlight, APageThatWasTakenLeavesNothingOnItsConnection) {
    std::vector<TestPeer> peers;
    for (int i = 0; i < 3; ++i) {
        TestPeer& peer = peers.emplace_back(connect());
        peer.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
        std::string taken(kMiB, ' ');
        std::size_t got = 0;
        ASSERT_TRUE(until([&] {
            got += peer.take(taken.data(), taken.size());
            return got > 8 * kMiB;
        })) << "of page "
            << i << " came " << got;
        ASSERT_TRUE(until([&] { return server.status().bytes_in_flight < kMiB; }));
    }
    EXPECT_EQ(server.status().connections, peers.size());
}

// As when an event comes that many have waited for.
TEST_F(BytesInFlight, OneAnswerToManyInATurnReachesThemAll) {
    std::vector<Exchange> waiting;
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        waiting.push_back(std::move(exchange));
    };
    const std::string page(kMiB / 10, 'x');
    std::vector<TestPeer> peers;
    for (std::size_t i = 0; i < 16; ++i) {
        peers.push_back(connect());
        peers.back().send("GET /p HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_TRUE(until([&] { return waiting.size() == i + 1; }));
    }
    for (Exchange& exchange : waiting) {
        exchange.respond({200, "text/plain", {}, page, false});
    }
    for (TestPeer& peer : peers) {
        ASSERT_TRUE(until([&] { return peer.received().size() > page.size(); }));
        EXPECT_THAT(peer.received(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith(page)));
    }
}

}  // namespace
}  // namespace belfry
