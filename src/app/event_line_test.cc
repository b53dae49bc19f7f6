#include "app/event_line.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

class EventLine : public testing::Test {
 protected:
    Console plain_{stdout, stderr};
};

TEST_F(EventLine, ShowsWhatMatters) {
    boost::json::value event =
        boost::json::parse(R"({"type":"deploy","source":"/ci","offset":17,"data":{"v":1},)"
                           R"("recorded":"2026-01-01T12:00:01.123456Z"})");
    EXPECT_EQ(
        event_line(event, "", plain_), "2026-01-01 12:00:01.123  17  deploy  /ci  {\"v\":1}\n"
    );
}

TEST_F(EventLine, TakesTheOffsetOfTheStreamAndTheTimeOfThePublisher) {
    boost::json::value event =
        boost::json::parse(R"({"type":"t","source":"s","time":"yesterday","data":"text"})");
    EXPECT_EQ(event_line(event, "5", plain_), "yesterday  5  t  s  text\n");
}

TEST_F(EventLine, HostileEventsStayOneLineOfPlainText) {
    boost::json::value event = boost::json::parse(
        R"({"type":"a\u001b[2J\nb","source":"\u202e","offset":"\r","time":"\u0007",)"
        R"("data":"x\n\u001b]0;t\u0007"})"
    );
    std::string line = event_line(event, "", plain_);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\r'), std::string::npos);
    EXPECT_EQ(line.find('\a'), std::string::npos);
    EXPECT_EQ(line.find("\u202e"), std::string::npos);
    EXPECT_THAT(line, testing::HasSubstr("a\\x1b[2J\\nb"));
    EXPECT_THAT(line, testing::HasSubstr("\\u{202e}"));
}

TEST_F(EventLine, WhatIsNoEventIsNoCrash) {
    EXPECT_EQ(event_line(boost::json::value(3), "", plain_), "        \n");
    EXPECT_EQ(member_text(boost::json::value("x"), "y"), "");
}

TEST_F(EventLine, LongDataIsCut) {
    boost::json::object event{{"type", "t"}, {"data", std::string(10'000, 'x')}};
    EXPECT_LT(event_line(event, "", plain_).size(), 110U);
}

TEST(MemberLines, NestedMembersHaveTheirPath) {
    boost::json::value document = boost::json::parse(
        R"({"name":"chat","sink":{"url":"http://x","headers":{}},"dead":0,"a":["\u001b"]})"
    );
    EXPECT_EQ(
        member_lines(document),
        "name          chat\nsink.url      http://x\nsink.headers  {}\ndead          0\na          "
        "   [\"\\u001b\"]\n"
    );
}

}  // namespace
}  // namespace belfry
