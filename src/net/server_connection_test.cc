// Time-outs and counts of one connection, with time that a test moves.
#include "net/server_connection.h"

#include "base/fixed_limits.h"
#include "net/direct_connection.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

struct ServerConnectionTest : testing::Test {
    Limits limits;
    TestService service;
};

TEST_F(ServerConnectionTest, AnIdleConnectionIsClosedSilently) {
    DirectConnection connection(service, limits);
    connection.feed(kGet);
    const std::string answered = connection.output();
    connection.advance(seconds(59));
    EXPECT_TRUE(connection.is_open());
    connection.advance(seconds(2));
    EXPECT_FALSE(connection.is_open());
    EXPECT_EQ(connection.output(), answered);
}

TEST_F(ServerConnectionTest, ASlowHeadIs408HoweverItDrips) {
    DirectConnection connection(service, limits);
    connection.feed("GET / HTTP/1.1\r\n");
    for (int i = 0; i < 9; ++i) {
        connection.advance(seconds(1));
        connection.feed("X: y\r\n");
    }
    EXPECT_EQ(connection.output(), "");
    connection.advance(milliseconds(1500));
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 408 "));
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].refused, 408);
    connection.finish_sending();
    EXPECT_FALSE(connection.is_open());
}

TEST_F(ServerConnectionTest, AHeadThatWaitedForTheEndOfAStreamIsNotSlow) {
    std::vector<Exchange> held;
    service.answer = [&](const HttpRequest& request, Exchange exchange) {
        if (request.path != "/stream") {
            exchange.respond({});
            return;
        }
        exchange.begin_stream({});
        held.push_back(std::move(exchange));
    };
    for (const bool is_whole_in_time : {true, false}) {
        DirectConnection connection(service, limits);
        connection.feed("GET /stream HTTP/1.1\r\nHost: h\r\n\r\nGET /half HTTP/1.1\r\n");
        connection.advance(std::chrono::minutes(1));
        held.back().end_stream();
        connection.settle();
        connection.advance(seconds(9));
        EXPECT_EQ(ServerFixture::answers(connection.output()), 1U) << connection.output();
        if (is_whole_in_time) {
            connection.feed("Host: h\r\n\r\n");
            EXPECT_EQ(service.seen.back().path, "/half");
        } else {
            connection.advance(seconds(2));
            EXPECT_THAT(connection.output(), HasSubstr("HTTP/1.1 408 "));
        }
        EXPECT_EQ(ServerFixture::answers(connection.output()), 2U);
    }
}

TEST_F(ServerConnectionTest, ASlowBodyIs408WithTheWordsOfItsPath) {
    DirectConnection connection(service, limits);
    connection.feed("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    connection.advance(milliseconds(4900));
    EXPECT_EQ(connection.output(), "");
    for (int i = 0; i < 20 && connection.output().empty(); ++i) {
        connection.advance(milliseconds(500));
        connection.feed("x");
    }
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 408 "));
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].path, "/slow");
}

TEST_F(ServerConnectionTest, ABodyThatKeepsPaceIsTaken) {
    DirectConnection connection(service, limits);
    connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40960\r\n\r\n");
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(connection.output(), "") << i;
        connection.advance(seconds(1));
        connection.feed(std::string(1024, 'x'));
    }
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerConnectionTest, AWholeRequestHasSixtySeconds) {
    DirectConnection connection(service, limits);
    connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 61; ++i) {
        connection.advance(seconds(1));
        connection.feed(std::string(2048, 'x'));
    }
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerConnectionTest, WhoAnsweredIsNotToldThatThePeerIsGone) {
    std::vector<Exchange> held;
    std::vector<std::string> gone;
    service.answer = [&](const HttpRequest& request, Exchange exchange) {
        exchange.on_gone([&, path = std::string(request.path)] { gone.push_back(path); });
        held.push_back(std::move(exchange));
    };
    {
        DirectConnection connection(service, limits);
        connection.feed("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_EQ(held.size(), 2U);
        held[1].respond({});
        connection.settle();
        EXPECT_EQ(connection.output(), "") << "it waits for the older one";
    }
    EXPECT_EQ(gone, std::vector<std::string>{"/1"});
}

TEST_F(ServerConnectionTest, AHandlerThatDoesNotAnswerIs408UnlessItWaitsByNature) {
    std::vector<Exchange> held;
    int gone = 0;
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        exchange.on_gone([&] { ++gone; });
        held.push_back(std::move(exchange));
    };
    DirectConnection connection(service, limits);
    connection.feed(kGet);
    connection.advance(seconds(59));
    EXPECT_EQ(connection.output(), "");
    connection.advance(seconds(2));
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 408 "));
    EXPECT_EQ(gone, 1);
    EXPECT_FALSE(held[0].alive());
    held[0].respond({});
    EXPECT_EQ(ServerFixture::answers(connection.output()), 1U);

    service.admission = [](const HttpRequest&) { return HttpService::Admission{0, true}; };
    DirectConnection waiting(service, limits);
    waiting.feed(kGet);
    waiting.advance(std::chrono::minutes(10));
    EXPECT_TRUE(held[1].alive());
    held[1].respond({200, {}, {}, "late", false});
    waiting.settle();
    EXPECT_THAT(waiting.output(), HasSubstr("late"));
}

struct BehindTheLastAnswer : ServerConnectionTest {
    BehindTheLastAnswer() {
        service.answer = [this](const HttpRequest&, Exchange exchange) {
            exchange.on_gone([this] { ++gone; });
            held.push_back(std::move(exchange));
        };
    }
    std::vector<Exchange> held;
    int gone = 0;
};

TEST_F(BehindTheLastAnswer, AnswersAreDroppedAndWaitersTold) {
    DirectConnection connection(service, limits);
    connection.feed(std::string(kGet) + std::string(kGet) + std::string(kGet));
    ASSERT_EQ(held.size(), 3U);
    held[1].respond({200, {}, {}, std::string(1024UL * 1024, 'x'), false});
    connection.settle();
    connection.advance(seconds(61));
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 408 "));
    EXPECT_TRUE(connection.is_open()) << "it lingers";
    EXPECT_EQ(gone, 2) << "the one that was overdue and the one that waited";
    EXPECT_LT(connection.bytes_in_flight, 1024UL * 1024);
    held[2].respond({});
    EXPECT_EQ(ServerFixture::answers(connection.output()), 1U);
}

TEST_F(BehindTheLastAnswer, ABodyIsNotWaitedFor) {
    DirectConnection connection(service, limits);
    connection.feed(kGet);
    connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
    held[0].respond({200, {}, {}, {}, true});
    connection.settle();
    EXPECT_EQ(ServerFixture::answers(connection.output()), 1U);
    connection.advance(seconds(2));
    EXPECT_FALSE(connection.is_open());
    EXPECT_EQ(service.seen.size(), 1U) << "nothing was refused";
}

TEST_F(BehindTheLastAnswer, AHeadDoesNotShortenTheTimeToTakeIt) {
    DirectConnection connection(service, limits);
    connection.stop_taking();
    connection.feed(kGet);
    connection.feed("GET /half");
    held[0].respond({200, {}, {}, std::string(4UL * 1024 * 1024, 'x'), true});
    connection.settle();
    connection.advance(seconds(59));
    EXPECT_TRUE(connection.is_open());
    connection.advance(seconds(1));
    EXPECT_FALSE(connection.is_open());
}

TEST_F(ServerConnectionTest, APeerThatDoesNotReadItsAnswerIsClosed) {
    const std::string big(4UL * 1024 * 1024, 'x');
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        exchange.respond({200, {}, {}, big, false});
    };
    DirectConnection connection(service, limits);
    connection.stop_taking();
    connection.feed(kGet);
    connection.advance(seconds(59));
    EXPECT_TRUE(connection.is_open());
    connection.advance(seconds(1));
    EXPECT_FALSE(connection.is_open());
}

// Whether a peer gets a long page that takes what its socket holds every 50 seconds.
bool is_served_at_leisure(std::uint64_t body_rate_bytes) {
    Limits limits;
    limits.body_rate_bytes = body_rate_bytes;
    const std::string page(8UL * 1024 * 1024, 'x');
    TestService service;
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        exchange.respond({200, {}, {}, page, false});
    };
    DirectConnection connection(service, limits);
    connection.stop_taking();
    connection.feed(kGet);
    while (connection.is_open() && !connection.output().ends_with(page)) {
        connection.advance(seconds(50));
        connection.take();
    }
    return connection.output().ends_with(page);
}

TEST_F(ServerConnectionTest, AReaderThatKeepsPaceGetsAllOfIt) {
    EXPECT_TRUE(is_served_at_leisure(1024));
}

TEST_F(ServerConnectionTest, AReaderThatTakesALittleNowAndThenIsCut) {
    EXPECT_FALSE(is_served_at_leisure(1024UL * 1024));
}

// The client that sends first and reads afterwards must find the answer, not a reset.
TEST_F(ServerConnectionTest, ABodyThatIsRefusedIsReadAndDropped) {
    service.admits_body = [](const HttpRequest&) { return false; };
    service.answer = [](const HttpRequest&, Exchange exchange) {
        exchange.respond({401, {}, {}, {}, false});
    };
    for (const auto& [length, status] : {std::pair(1'000'000, "401"), {8'000'000, "413"}}) {
        DirectConnection connection(service, limits);
        connection.feed(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n"
        );
        EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 " + std::string(status)));
        service.seen.clear();
        connection.feed(std::string(static_cast<std::size_t>(length), 'x'));
        EXPECT_TRUE(connection.is_open()) << status;
        connection.finish_sending();
        EXPECT_FALSE(connection.is_open()) << status;
        EXPECT_TRUE(service.seen.empty());
    }
}

TEST_F(ServerConnectionTest, ALingeringPeerMayBeSilentForTwoSeconds) {
    DirectConnection connection(service, limits);
    connection.feed("nonsense\r\n\r\n");
    EXPECT_THAT(connection.output(), StartsWith("HTTP/1.1 400 "));
    EXPECT_TRUE(connection.is_open());
    connection.advance(milliseconds(1900));
    connection.feed("more");
    connection.advance(milliseconds(1900));
    EXPECT_TRUE(connection.is_open()) << "it was heard since";
    connection.advance(milliseconds(100));
    EXPECT_FALSE(connection.is_open());
    EXPECT_EQ(service.seen.size(), 1U);
}

TEST_F(ServerConnectionTest, ALingeringPeerHasItsTwoSecondsAfterAStallToo) {
    DirectConnection connection(service, limits);
    connection.stall(seconds(3));
    connection.feed("nonsense\r\n\r\n");
    connection.advance({});
    EXPECT_TRUE(connection.is_open()) << "it began to linger after the stall";
    connection.stall(seconds(3));
    connection.feed("more");
    connection.advance({});
    EXPECT_TRUE(connection.is_open()) << "it was heard after the stall";
    connection.advance(seconds(2));
    EXPECT_FALSE(connection.is_open());
}

TEST_F(ServerConnectionTest, ALingeringPeerThatIsNeverSilentHasHalfAMinute) {
    DirectConnection connection(service, limits);
    connection.feed("nonsense\r\n\r\n");
    for (int second = 1; second < 30; ++second) {
        connection.advance(seconds(1));
        connection.feed("more");
        EXPECT_TRUE(connection.is_open()) << second;
    }
    connection.advance(seconds(1));
    EXPECT_FALSE(connection.is_open());
    EXPECT_EQ(service.seen.size(), 1U);
}

TEST_F(ServerConnectionTest, ALingeringPeerMaySendOnlySoMuch) {
    DirectConnection connection(service, limits);
    connection.feed("nonsense\r\n\r\n");
    connection.feed(std::string(kLingerBytesMax, 'x'));
    EXPECT_TRUE(connection.is_open());
    connection.feed("x");
    EXPECT_FALSE(connection.is_open());
}

TEST_F(ServerConnectionTest, AStopWaitsTwoSecondsForALingeringPeerHoweverItSends) {
    DirectConnection connection(service, limits);
    connection.stopping = true;
    connection.feed(kGet);
    EXPECT_THAT(connection.output(), HasSubstr("Connection: close\r\n"));
    connection.advance(milliseconds(1900));
    connection.feed("more");
    EXPECT_TRUE(connection.is_open());
    connection.advance(milliseconds(100));
    EXPECT_FALSE(connection.is_open());
}

TEST_F(ServerConnectionTest, OnlySoManyRequestsUnlessLoopback) {
    limits.requests_per_connection = 3;
    DirectConnection far(service, limits, "192.0.2.1");
    DirectConnection near(service, limits, "127.0.0.1");
    for (int i = 0; i < 4; ++i) {
        far.feed(kGet);
        near.feed(kGet);
    }
    EXPECT_EQ(ServerFixture::answers(far.output()), 3U);
    EXPECT_THAT(far.output(), HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(ServerFixture::answers(near.output()), 4U);
}

TEST_F(ServerConnectionTest, ManyRequestsWaitInTheSocketUntilAnswered) {
    std::vector<Exchange> held;
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        held.push_back(std::move(exchange));
    };
    DirectConnection connection(service, limits);
    std::string many;
    constexpr std::size_t kAll = kOutstandingRequestsMax + 500;
    for (std::size_t i = 0; i < kAll; ++i) {
        many += kGet;
    }
    connection.feed(many);
    EXPECT_EQ(held.size(), kOutstandingRequestsMax);
    // Settling adds to it. NOLINTNEXTLINE(modernize-loop-convert)
    for (std::size_t i = 0; i < held.size(); ++i) {
        held[i].respond({});
        connection.settle();
    }
    EXPECT_EQ(held.size(), kAll);
    EXPECT_EQ(ServerFixture::answers(connection.output()), kAll);
}

TEST_F(ServerConnectionTest, AnIdleConnectionIsSmall) {
    EXPECT_LE(sizeof(ServerConnection), 512U);
}

}  // namespace
}  // namespace belfry
