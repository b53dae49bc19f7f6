#include "app/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace belfry {
namespace {

using testing::ElementsAre;

struct Collected {
    std::vector<std::string> events;
    std::function<void(const StreamEvent&)> take = [this](const StreamEvent& event) {
        events.push_back(event.event + "|" + event.data);
    };
};

TEST(EventStream, EventsEndAtAnEmptyLine) {
    EventStreamReader reader(1000);
    Collected got;
    EXPECT_TRUE(reader.feed(
        "id: 3\ndata: {\"a\":1}\n\nid: 4\ndata:b\ndata: c\n\nid: 5\ndata: half", got.take
    ));
    EXPECT_THAT(got.events, ElementsAre("|{\"a\":1}", "|b\nc"));
    EXPECT_EQ(reader.last_id(), "4");
}

TEST(EventStream, BytesMayEndAnywhere) {
    const std::string text =
        ": hello\r\nid: 1\r\ndata: x\r\n\r\nevent: gap\rid: 9\rdata: y\r\rid: 12\n\n";
    for (std::size_t step = 1; step < text.size(); ++step) {
        EventStreamReader reader(1000);
        Collected got;
        for (std::size_t i = 0; i < text.size(); i += step) {
            ASSERT_TRUE(reader.feed(std::string_view(text).substr(i, step), got.take));
        }
        EXPECT_THAT(got.events, ElementsAre("|x", "gap|y")) << step;
        EXPECT_EQ(reader.last_id(), "12") << step;
    }
}

TEST(EventStream, AnIdCountsOnlyWithItsWholeEvent) {
    EventStreamReader reader(1000);
    Collected got;
    EXPECT_TRUE(reader.feed("id: 1\ndata: x\n\nid: 2\ndata: y", got.take));
    EXPECT_EQ(reader.last_id(), "1");
    reader.reset();
    EXPECT_TRUE(reader.feed("data: z\n\n", got.take));
    EXPECT_EQ(reader.last_id(), "1");
    EXPECT_THAT(got.events, ElementsAre("|x", "|z"));
}

TEST(EventStream, OddLinesAreIgnored) {
    EventStreamReader reader(1000);
    Collected got;
    EXPECT_TRUE(reader.feed("nonsense\nretry: 10\ndata\n\n", got.take));
    EXPECT_TRUE(reader.feed(std::string_view("id: 1\0x\ndata: a\n\n", 17), got.take));
    EXPECT_THAT(got.events, ElementsAre("|", "|a"));
    EXPECT_EQ(reader.last_id(), "");
}

TEST(EventStream, AnEventIsBoundedExactly) {
    Collected got;
    EventStreamReader exact(10);
    EXPECT_TRUE(exact.feed("data: 1234\n\n", got.take));
    EventStreamReader over(10);
    EXPECT_FALSE(over.feed("data: 12345\n\n", got.take));
    EXPECT_FALSE(over.feed("data: 1\n\n", got.take));
    EventStreamReader many(10);
    EXPECT_FALSE(many.feed("data:123\ndata:123\ndata:123\n\n", got.take));
    EXPECT_THAT(got.events, ElementsAre("|1234"));
}

}  // namespace
}  // namespace belfry
