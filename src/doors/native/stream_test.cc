#include "doors/native/stream.h"

#include "doors/native/native_door_fixture.h"

namespace belfry {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStream = "/api/v1/events/stream";

// The values of the `id:` lines.
std::vector<std::uint64_t> ids(std::string_view text) {
    std::vector<std::uint64_t> found;
    for (std::size_t at = 0; at < text.size();) {
        std::string_view line = text.substr(at, text.find('\n', at) - at);
        if (line.starts_with("id: ")) {
            found.push_back(std::stoull(std::string(line.substr(4))));
        }
        at += line.size() + 1;
    }
    return found;
}
using Ids = std::vector<std::uint64_t>;

class EventStreamsTest : public NativeDoorTest {
 protected:
    std::uint64_t open(std::string_view query = "", Headers headers = {}) {
        std::uint64_t number =
            send(Method::get, std::string(kStream) + std::string(query), {}, std::move(headers));
        EXPECT_EQ(connection_.answer(number).status, 200) << connection_.answer(number).body;
        EXPECT_TRUE(connection_.answer(number).streams);
        return number;
    }
    std::string taken(std::uint64_t reader) { return connection_.taken(reader); }
};

TEST_F(EventStreamsTest, BeginNowAndShowWhatBecomesDurable) {
    publish("old");
    std::uint64_t reader = open();
    EXPECT_EQ(taken(reader), "retry: 2000\nid: 0\n\n");
    EXPECT_EQ(connection_.answer(reader).content_type, "text/event-stream");
    publish("deploy", R"({"a":1})");
    std::string text = taken(reader);
    EXPECT_EQ(ids(text), Ids{1});
    EXPECT_TRUE(text.contains(R"("type":"deploy")")) << text;
}

TEST_F(EventStreamsTest, BeginBehindAnOffsetAndThenGoOnLive) {
    for (int i = 0; i < 600; ++i) {
        publish("deploy");
    }
    std::uint64_t reader = open("?after=9");
    Ids expected{9};
    for (std::uint64_t id = 10; id < 600; ++id) {
        expected.push_back(id);
    }
    EXPECT_EQ(ids(taken(reader)), expected);
    publish("deploy");
    EXPECT_EQ(ids(taken(reader)), Ids{600});
}

TEST_F(EventStreamsTest, LastEventIdWinsOverAfter) {
    publish("a");
    publish("b");
    publish("c");
    std::uint64_t reader = open("?after=0", {{"last-event-id", "1"}});
    EXPECT_EQ(ids(taken(reader)), (Ids{1, 2}));
    std::uint64_t fresh = open("?after=0", {{"Last-Event-ID", ""}});
    EXPECT_EQ(ids(taken(fresh)), (Ids{0, 1, 2}));
}

TEST_F(EventStreamsTest, RefuseOffsetsThatAreNoneOrBeyondTheEnd) {
    publish("a");
    for (std::string_view query : {"?after=1", "?after=x", "?type=a*b", "?topic=a"}) {
        EXPECT_EQ(get(std::string(kStream) + std::string(query)).status, 400) << query;
    }
    EXPECT_EQ(ask(Method::get, kStream, {}, {{"Last-Event-ID", "seven"}}).status, 400);
    EXPECT_EQ(get("/metrics").body.find("belfry_stream_readers 0\n") == std::string::npos, false);
}

TEST_F(EventStreamsTest, FiltersHoldForOldAndNewEvents) {
    publish("deploy.web", "x", "&source=/a&subject=s");
    publish("deploy.db", "x", "&source=/b&subject=s");
    publish("other", "x", "&source=/a&subject=s");
    std::uint64_t by_type = open("?type=deploy.*&after=0");
    std::uint64_t by_source = open("?source=/a&after=0");
    std::uint64_t by_subject = open("?subject=none&after=0");
    EXPECT_EQ(ids(taken(by_type)), (Ids{0, 1}));
    EXPECT_EQ(ids(taken(by_source)), (Ids{0, 2}));
    EXPECT_EQ(ids(taken(by_subject)), Ids{0});
    publish("deploy.x", "x", "&source=/a&subject=none");
    EXPECT_EQ(ids(taken(by_type)), Ids{3});
    EXPECT_EQ(ids(taken(by_source)), Ids{3});
    EXPECT_EQ(ids(taken(by_subject)), Ids{3});
}

TEST_F(EventStreamsTest, ShowTheirPositionEveryFifteenSeconds) {
    std::uint64_t reader = open("?type=never");
    EXPECT_EQ(taken(reader), "retry: 2000\n: waiting\n\n");
    publish("deploy");
    publish("deploy");
    EXPECT_EQ(taken(reader), "");
    pass(14s);
    EXPECT_EQ(taken(reader), "");
    pass(1s);
    EXPECT_EQ(taken(reader), "id: 1\n\n");
    pass(15s);
    EXPECT_EQ(taken(reader), "id: 1\n\n");
}

TEST_F(EventStreamsTest, TellWhatRetentionTookFromALateReader) {
    for (int i = 0; i < 10; ++i) {
        publish("deploy");
    }
    log_.trim(Offset{6}, [](auto) {});
    std::uint64_t reader = open("?after=1");
    std::string text = taken(reader);
    EXPECT_TRUE(
        text.contains("event: gap\nid: 5\ndata: {\"from\":2,\"to\":5,\"reason\":\"retention\"}\n\n")
    ) << text;
    EXPECT_EQ(ids(text), (Ids{1, 5, 6, 7, 8, 9}));
}

TEST_F(EventStreamsTest, TellWhatDamageTook) {
    for (int i = 0; i < 5; ++i) {
        publish("deploy");
    }
    log_.gaps.push_back(Gap{.from = Offset{2}, .to = Offset{4}});
    std::uint64_t reader = open("?after=0");
    std::string text = taken(reader);
    EXPECT_TRUE(
        text.contains("event: gap\nid: 3\ndata: {\"from\":2,\"to\":3,\"reason\":\"damage\"}\n\n")
    ) << text;
    EXPECT_EQ(ids(text), (Ids{0, 1, 3, 4}));
}

TEST_F(EventStreamsTest, ASlowClientCatchesUpByItselfAndLosesNothing) {
    std::uint64_t slow = open();
    std::uint64_t fast = open();
    taken(slow);
    taken(fast);
    connection_.stall(slow);
    std::string data(50'000, 'x');
    for (int i = 0; i < 40; ++i) {  // 2 MB, eight times what a reader may have unsent
        publish("deploy", data);
        EXPECT_LE(connection_.unsent(slow), limits_.stream_buffer_bytes);
    }
    EXPECT_EQ(ids(taken(fast)).size(), 40U);
    EXPECT_LT(ids(connection_.answer(slow).body).size(), 6U);
    EXPECT_FALSE(connection_.answer(slow).dropped);
    connection_.drain(slow);
    run();
    Ids all = ids(taken(slow));
    ASSERT_EQ(all.size(), 40U);
    for (std::uint64_t i = 0; i < 40; ++i) {
        EXPECT_EQ(all[i], i);
    }
    publish("deploy");
    EXPECT_EQ(ids(taken(slow)), Ids{40});
    EXPECT_EQ(ids(taken(fast)), Ids{40});
}

TEST_F(EventStreamsTest, AnEventLargerThanTheBufferLeavesInPieces) {
    std::uint64_t reader = open();
    taken(reader);
    publish("deploy", std::string(limits_.body_bytes, 'x'));
    std::string text = taken(reader);
    EXPECT_EQ(ids(text), Ids{0});
    EXPECT_GT(text.size(), limits_.body_bytes);
    EXPECT_TRUE(text.ends_with("}\n\n"));
}

TEST_F(EventStreamsTest, AClientThatTakesNothingForAMinuteIsGivenUp) {
    std::uint64_t stuck = open();
    connection_.stall(stuck);
    publish("deploy");
    pass(45s);
    EXPECT_FALSE(connection_.answer(stuck).dropped);
    pass(30s);
    EXPECT_TRUE(connection_.answer(stuck).dropped) << "cut: there was more for it";
    EXPECT_FALSE(connection_.answer(stuck).ended);
    EXPECT_TRUE(get("/metrics").body.contains("belfry_stream_readers 0\n"));
}

TEST_F(EventStreamsTest, AClientThatTakesALittleIsNotGivenUp) {
    std::uint64_t slow = open();
    connection_.stall(slow);
    for (int i = 0; i < 20; ++i) {
        publish("deploy", std::string(60'000, 'x'));
    }
    for (int i = 0; i < 10; ++i) {
        pass(14s);
        connection_.drain_once(slow);
        run();
        EXPECT_FALSE(connection_.answer(slow).dropped) << i;
    }
}

TEST_F(EventStreamsTest, ClientsThatGoAreForgotten) {
    std::uint64_t told = open();
    std::uint64_t silent = open();
    std::uint64_t stays = open();
    connection_.vanish(told);
    EXPECT_TRUE(connection_.answer(told).dropped);
    connection_.vanish_silently(silent);
    publish("deploy");
    EXPECT_TRUE(connection_.answer(silent).dropped);
    EXPECT_TRUE(get("/metrics").body.contains("belfry_stream_readers 1\n"));
    EXPECT_EQ(ids(taken(stays)), Ids{0});
}

TEST_F(EventStreamsTest, AReadUnderWayMayOutliveItsReader) {
    publish("deploy");
    publish("deploy");
    std::uint64_t number = 0;
    {
        // The read is asked for but not answered when the client goes.
        HttpRequest request;
        Headers headers{{"Host", "localhost"}};
        request.method = Method::get;
        request.path = kStream;
        request.query = "after=0";
        request.headers = headers;
        request.peer_is_loopback = true;
        auto [exchange, opened] = connection_.open();
        number = opened;
        router_->handle(request, std::move(exchange));
        clock_.advance(Duration::zero());
        EXPECT_EQ(loop_.size(), 1U);
    }
    connection_.vanish(number);
    run();
    EXPECT_TRUE(connection_.answer(number).dropped);
    EXPECT_EQ(ids(taken(number)), Ids{0});
}

TEST_F(EventStreamsTest, ReadersOutsideTheTailReadTheLog) {
    log_.tail_events = 0;
    std::uint64_t reader = open();
    taken(reader);
    publish("deploy");
    publish("deploy");
    EXPECT_EQ(ids(taken(reader)), (Ids{0, 1}));
}

TEST_F(EventStreamsTest, HeadGetsTheHeadOfAStreamThatEndsThere) {
    Answer answer = ask(Method::head, kStream);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "text/event-stream");
    EXPECT_TRUE(answer.streams) << "no length is promised";
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(answer.body, "");
    EXPECT_TRUE(get("/metrics").body.contains("belfry_stream_readers 0\n"));
}

TEST_F(EventStreamsTest, AForeignPageGetsNoStream) {
    EXPECT_EQ(ask(Method::get, kStream, {}, {{"Origin", "http://evil.example"}}).status, 403);
}

}  // namespace
}  // namespace belfry
