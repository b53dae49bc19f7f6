#include "doors/native/sse.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace belfry {
namespace {

StoredEvent stored(
    std::optional<std::string_view> data, std::string_view type = "application/json"
) {
    StoredEvent stored;
    stored.event.id = "i";
    stored.event.source = "/s";
    stored.event.type = "deploy";
    stored.event.datacontenttype = type;
    stored.event.data = data;
    stored.offset = Offset{17};
    return stored;
}

TEST(Sse, AnEventIsItsOffsetAndItsCloudEvent) {
    std::string out;
    append_sse_event(stored("{\"a\":1}"), out);
    EXPECT_TRUE(out.starts_with("id: 17\ndata: {")) << out;
    EXPECT_TRUE(out.contains("\"data\":{\"a\":1}")) << out;
    EXPECT_TRUE(out.ends_with("}\n\n"));
    EXPECT_FALSE(out.contains("offset"));
}

TEST(Sse, LineBreaksInDataStayWithinTheLine) {
    std::string out;
    append_sse_event(stored("{\r\n\"a\":\r1,\n\n\"b\":2}"), out);
    EXPECT_EQ(std::ranges::count(out, '\n'), 3);
    EXPECT_FALSE(out.contains('\r'));
}

TEST(Sse, DataCannotForgeAnEvent) {
    std::string out;
    append_sse_event(stored("x\n\nid: 99\ndata: forged\n\n", "text/plain"), out);
    EXPECT_EQ(out.find("\n\n"), out.size() - 2);
    EXPECT_FALSE(out.contains("\nid: 99"));
}

TEST(Sse, AGapNamesItsFirstAndLastOffset) {
    std::string out;
    append_sse_gap(Offset{3}, Offset{8}, MissingBy::retention, out);
    EXPECT_EQ(out, "event: gap\nid: 7\ndata: {\"from\":3,\"to\":7,\"reason\":\"retention\"}\n\n");
    out.clear();
    append_sse_gap(Offset{0}, Offset{1}, MissingBy::damage, out);
    EXPECT_EQ(out, "event: gap\nid: 0\ndata: {\"from\":0,\"to\":0,\"reason\":\"damage\"}\n\n");
}

TEST(Sse, APositionIsTheLastExaminedOffset) {
    std::string out;
    append_sse_position(Offset{5}, out);
    EXPECT_EQ(out, "id: 4\n\n");
    out.clear();
    append_sse_position(Offset{0}, out);
    EXPECT_EQ(out, ": waiting\n\n");
}

}  // namespace
}  // namespace belfry
