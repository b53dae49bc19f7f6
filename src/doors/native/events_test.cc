#include "doors/native/events.h"

#include "doors/native/native_door_fixture.h"

namespace belfry {
namespace {

class EventReadsTest : public NativeDoorTest {};

TEST_F(EventReadsTest, ListsAPageOfEvents) {
    publish("a");
    publish("b");
    Answer answer = get("/api/v1/events?limit=1");
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body.starts_with(R"({"events":[{)")) << answer.body;
    EXPECT_TRUE(answer.body.contains(R"("type":"a")"));
    EXPECT_FALSE(answer.body.contains(R"("type":"b")"));
    EXPECT_EQ(
        get("/api/v1/events?since=1h").body.find("\"type\":\"b\"") == std::string::npos, false
    );
}

TEST_F(EventReadsTest, AnEmptyLogIsAnEmptyList) {
    EXPECT_EQ(get("/api/v1/events").body, R"({"events":[]})");
}

TEST_F(EventReadsTest, AReaderBehindTheLogHearsWhereItStarts) {
    for (int i = 0; i < 5; ++i) {
        publish("a");
    }
    log_.trim(Offset{3}, [](auto) {});
    Answer answer = get("/api/v1/events?after=1");
    EXPECT_EQ(answer.status, 410);
    EXPECT_TRUE(answer.body.contains(R"("code":"offset_expired")")) << answer.body;
    EXPECT_TRUE(answer.body.contains(R"("first":3)")) << answer.body;
    EXPECT_EQ(get("/api/v1/events?after=2").status, 200);
    EXPECT_EQ(get("/api/v1/events").status, 200);
    EXPECT_EQ(get("/api/v1/events/1").status, 410);
}

TEST_F(EventReadsTest, FindsByOffsetIdAndUuid) {
    publish("a", "x", "&id=mine");
    publish("b");
    EXPECT_TRUE(get("/api/v1/events/1").body.contains(R"("type":"b")"));
    EXPECT_TRUE(get("/api/v1/events/mine").body.contains(R"("type":"a")"));
    std::string body = get("/api/v1/events/1").body;
    std::size_t at = body.find(R"("uuid":")") + 8;
    EXPECT_EQ(get("/api/v1/events/" + body.substr(at, 36)).body, body);
    EXPECT_EQ(get("/api/v1/events/2").status, 404);
    EXPECT_EQ(get("/api/v1/events/nobody").status, 404);
}

TEST_F(EventReadsTest, OfAnOffsetAndAnIdOfDigitsTheNewerWins) {
    publish("first", "x", "&id=1");  // offset 0, id 1
    publish("second");               // offset 1
    EXPECT_TRUE(get("/api/v1/events/1").body.contains(R"("type":"second")"));
    publish("third", "x", "&id=1");  // offset 2, id 1
    EXPECT_TRUE(get("/api/v1/events/1").body.contains(R"("type":"third")"));
}

TEST_F(EventReadsTest, DataLeavesAsAnInertDownload) {
    publish("page", "<script>alert(1)</script>");
    Answer answer = get("/api/v1/events/0/data");
    EXPECT_EQ(answer.body, "<script>alert(1)</script>");
    EXPECT_EQ(answer.content_type, "text/plain");
    EXPECT_TRUE(answer.headers.contains("Content-Disposition: attachment; filename=\"event-0\"\r\n")
    );
    EXPECT_TRUE(answer.headers.contains("X-Content-Type-Options: nosniff\r\n"));
    EXPECT_TRUE(answer.headers.contains("sandbox"));
    publish("empty", "");
    EXPECT_EQ(get("/api/v1/events/1/data").status, 404);
}

TEST_F(EventReadsTest, OffsetsLostToDamageAreNotFound) {
    publish("a");
    log_.gaps.push_back(Gap{.from = Offset{0}, .to = Offset{1}});
    Answer answer = get("/api/v1/events/0");
    EXPECT_EQ(answer.status, 404);
    EXPECT_TRUE(answer.body.contains("damaged")) << answer.body;
    answer = get("/api/v1/events/1");
    EXPECT_EQ(answer.status, 404);
    EXPECT_FALSE(answer.body.contains("damaged")) << "nothing was ever there: " << answer.body;
}

}  // namespace
}  // namespace belfry
