#include "app/event_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ListedEvent event_at(std::uint64_t offset, std::uint64_t low = 0xabc) {
    return {.id = event_uuid(low, Offset{offset}), .json = std::to_string(offset)};
}

EventMark mark_at(std::uint64_t offset, std::uint64_t low = 0xabc) {
    return {.id = event_uuid(low, Offset{offset})};
}

std::vector<std::string> texts(const std::vector<ListedEvent>& events) {
    std::vector<std::string> out;
    for (const ListedEvent& event : events) {
        out.push_back(event.json);
    }
    return out;
}

TEST(EventList, KeepsEachEventAsItCame) {
    const std::string event = R"({"ID":"cb9a81ad-fff6-52ac-92a7-5f70687805ec","Payload":null,)"
                              R"("LTime":18446744073709551615})";
    auto events = parse_event_list("[" + event + "]");
    ASSERT_TRUE(events.has_value()) << events.error().detail;
    ASSERT_EQ(events->size(), 1U);
    EXPECT_EQ(consul_index((*events)[0].id), 6430540886266763072U);
    EXPECT_EQ((*events)[0].json, event);
    EXPECT_TRUE(parse_event_list("[]")->empty());
}

TEST(EventList, RefusesWhatIsNoList) {
    for (const auto& [body, said] : std::vector<std::pair<std::string, std::string>>{
             {"", "no list of events"},
             {"<html>", "no list of events"},
             {"{}", "not an array"},
             {"null", "not an array"},
             {"[1]", "element 0"},
             {R"([{"ID":7}])", "element 0"},
             {R"([{"ID":"cb9a81ad-fff6-52ac-92a7-5f70687805ec"},{"ID":"x"}])", "element 1"},
         }) {
        auto events = parse_event_list(body);
        ASSERT_FALSE(events.has_value()) << body;
        EXPECT_THAT(events.error().detail, HasSubstr(said)) << body;
    }
}

TEST(EventList, BehindTheMarkAreOnlyNewerEvents) {
    const std::vector<ListedEvent> events = {event_at(3), event_at(8), event_at(12)};
    EXPECT_THAT(texts(events_behind(events, std::nullopt)), ElementsAre("3", "8", "12"));
    EXPECT_THAT(texts(events_behind(events, mark_at(3))), ElementsAre("8", "12"));
    EXPECT_TRUE(events_behind(events, mark_at(12)).empty());
    // The marked event is no longer in the list.
    EXPECT_THAT(texts(events_behind(events, mark_at(1))), ElementsAre("3", "8", "12"));
    EXPECT_THAT(texts(events_behind(events, mark_at(9))), ElementsAre("12"));
}

TEST(EventList, AnotherLogIsKnownByItsIndex) {
    const std::vector<ListedEvent> events = {event_at(3), event_at(8)};
    EXPECT_FALSE(is_of_another_log(events, mark_at(8)));
    EXPECT_FALSE(is_of_another_log(events, mark_at(3)));
    EXPECT_FALSE(is_of_another_log(events, mark_at(5))) << "an event that retention dropped";
    EXPECT_TRUE(is_of_another_log(events, mark_at(9)));
    EXPECT_TRUE(is_of_another_log(events, mark_at(3, 0xdef))) << "another event in its place";
    EXPECT_FALSE(is_of_another_log({}, mark_at(9))) << "retention may have dropped all of them";
}

TEST(EventList, IsIndentedAsConsulDoes) {
    EXPECT_EQ(indented_json("[]"), "[]");
    EXPECT_EQ(
        indented_json(R"([{"ID":"a[\"{,:","Payload":null,"T":{},"L":[1, 2]},{"V":1}])"),
        R"([
    {
        "ID": "a[\"{,:",
        "Payload": null,
        "T": {},
        "L": [
            1,
            2
        ]
    },
    {
        "V": 1
    }
])"
    );
    EXPECT_EQ(indented_json(R"(["[",[]])"), "[\n    \"[\",\n    []\n]");
    EXPECT_EQ(indented_json(R"(["\\"])"), "[\n    \"\\\\\"\n]");
}

}  // namespace
}  // namespace belfry
