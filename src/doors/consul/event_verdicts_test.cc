// Events that came by the native door with what a fire's filters become. The whole way, up to what
// a command of Consul's format is told, is in test/e2e/consul/filters.test.mjs.
#include "base/fixed_limits.h"
#include "doors/consul/consul_door_fixture.h"

namespace belfry {
namespace {

class EventVerdictsTest : public ConsulDoorTest {
 protected:
    Answer publish_event(std::string_view extensions) {
        return ask(Method::post, "/api/v1/events", event(extensions), {{kType, kStructured}});
    }
    Answer publish_batch(const std::string& events) {
        return ask(
            Method::post,
            "/api/v1/events",
            "[" + events + "]",
            {{kType, "application/cloudevents-batch+json"}}
        );
    }
    static std::string event(std::string_view extensions) {
        return R"({"specversion":"1.0","source":"/a","type":"deploy")" + std::string(extensions) +
               "}";
    }
    // `count` events, each with a filter of its own of so many bytes.
    static std::string different(std::size_t count, std::size_t bytes) {
        std::string events;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string number = std::to_string(1000 + i);
            events += (i == 0 ? "" : ",") +
                      event(R"(,"nodefilter":"web|)" + number + std::string(bytes - 8, 'x') + '"');
        }
        return events;
    }

    static constexpr std::string_view kType = "Content-Type";
    static constexpr std::string_view kStructured = "application/cloudevents+json";
};

TEST_F(EventVerdictsTest, AnEventForOtherNodesIsStoredAndNotListed) {
    EXPECT_EQ(publish_event(R"(,"nodefilter":"^nobody$")").status, 200);
    EXPECT_EQ(publish_event(R"(,"servicefilter":"db")").status, 200);
    EXPECT_EQ(publish_event(R"(,"nodefilter":"web","servicefilter":"db")").status, 200);
    EXPECT_EQ(count(list()), 0U);
    EXPECT_EQ(count(list("?node=nobody")), 0U);
    EXPECT_EQ(log_.next_offset(), Offset{3});
    EXPECT_TRUE(get("/api/v1/events/0").body.contains(R"("nodefilter":"^nobody$")"));
}

TEST_F(EventVerdictsTest, AnEventForThisNodeIsListed) {
    services_.put({.id = "db", .name = "mysql", .tags = {"v5"}}, [](Result<void>) {});
    run();
    EXPECT_EQ(publish_event(R"(,"nodefilter":"^web")").status, 200);
    EXPECT_EQ(publish_event(R"(,"servicefilter":"sql","tagfilter":"v[5-7]")").status, 200);
    EXPECT_EQ(publish_event(R"(,"servicefilter":"sql","tagfilter":"v6")").status, 200);
    EXPECT_EQ(publish_event(R"(,"tagfilter":"v6")").status, 200) << "asks for no service";
    EXPECT_EQ(publish_event(R"(,"nodefilter":"")").status, 200);
    EXPECT_EQ(publish_event("").status, 200);
    const std::string listed = list().body;
    EXPECT_EQ(count(list()), 5U) << listed;
    EXPECT_FALSE(listed.contains(R"("ServiceFilter":"sql","TagFilter":"v6")")) << listed;
}

TEST_F(EventVerdictsTest, BinaryModeIsJudgedToo) {
    const Answer answer =
        ask(Method::post,
            "/api/v1/events",
            "x",
            {{"ce-specversion", "1.0"},
             {"ce-id", "1"},
             {"ce-source", "/a"},
             {"ce-type", "deploy"},
             {"ce-nodefilter", "^db"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(count(list()), 0U);
}

TEST_F(EventVerdictsTest, AFilterThatCannotBeReadIsForOtherNodesAndLosesNoEvent) {
    EXPECT_EQ(publish_event(R"(,"nodefilter":"(")").status, 200);
    EXPECT_EQ(publish_event(R"(,"nodefilter":"web","tagfilter":"*")").status, 200);
    const std::string longer(limits_.filter_value_bytes + 1, 'w');
    EXPECT_EQ(publish_event(R"(,"nodefilter":"web|)" + longer + '"').status, 200);
    EXPECT_EQ(count(list()), 0U);
    EXPECT_EQ(log_.next_offset(), Offset{3});
}

TEST_F(EventVerdictsTest, EachEventOfABatchIsJudged) {
    const std::string events = event(R"(,"subject":"1","nodefilter":"web")") + "," +
                               event(R"(,"subject":"2","nodefilter":"db")") + "," +
                               event(R"(,"subject":"3","nodefilter":"web")") + "," + event("");
    EXPECT_EQ(publish_batch(events).status, 200);
    EXPECT_EQ(count(list()), 3U);
    EXPECT_FALSE(list().body.contains(R"("NodeFilter":"db")"));
}

TEST_F(EventVerdictsTest, ABatchHasSoManyDifferentFiltersAndNoMore) {
    EXPECT_EQ(publish_batch(different(kFiltersOfRequestMax, 20)).status, 200);
    EXPECT_EQ(count(list()), kFiltersOfRequestMax);
    const Answer more = publish_batch(different(kFiltersOfRequestMax + 1, 20));
    EXPECT_EQ(more.status, 413);
    EXPECT_TRUE(more.body.contains(R"("index":32)")) << more.body;
    EXPECT_TRUE(more.body.contains(R"("limit":32)")) << more.body;
    EXPECT_EQ(publish_batch(different(3, 1024)).status, 200);
    EXPECT_EQ(publish_batch(different(4, 1024)).status, 413);
    std::string same;
    for (int i = 0; i < 100; ++i) {
        same += (i == 0 ? "" : ",") + event(R"(,"nodefilter":"web")");
    }
    EXPECT_EQ(publish_batch(same).status, 200) << "what is the same is judged once";
    EXPECT_EQ(log_.next_offset(), Offset{kFiltersOfRequestMax + 3 + 100}) << "nothing of a refused";
}

// As long as these names and tags are, a search for a small pattern takes a millisecond, and one
// for a hostile one half a second. There is no stopwatch here: instructions times bytes are
// counted.
TEST_F(EventVerdictsTest, WhatWouldBeSearchedForTooLongIsNotSearchedFor) {
    const std::vector<std::string> tags(64, std::string(128, 't'));
    services_.put({.id = "db", .name = "mysql", .tags = tags}, [](Result<void>) {});
    run();
    const std::string small = R"(,"servicefilter":"sql","tagfilter":"^t+$")";
    const std::string hostile = R"(,"servicefilter":"sql","tagfilter":"(?:[ -~]?){600}")";
    EXPECT_EQ(publish_event(small).status, 200);
    EXPECT_EQ(publish_event(hostile).status, 200);
    EXPECT_EQ(count(list()), 1U) << "one that passes a limit is for other nodes";
    const Answer both = publish_batch(event(small) + "," + event(hostile));
    EXPECT_EQ(both.status, 413);
    EXPECT_TRUE(both.body.contains(R"("index":1)")) << both.body;
    // Each of these may be; together they take as long as a hostile one.
    std::string many;
    for (int i = 0; i < 4; ++i) {
        many +=
            (i == 0 ? "" : ",") +
            event(R"(,"servicefilter":"sql","tagfilter":"[0-9]{20)" + std::to_string(i) + "}\"");
    }
    EXPECT_EQ(publish_batch(many).status, 413);
    EXPECT_EQ(publish_batch(event(small) + "," + event(small)).status, 200);
    EXPECT_EQ(log_.next_offset(), Offset{4});

    const Answer fired =
        ask(Method::put, "/v1/event/fire/deploy?service=sql&tag=(%3F:%5B%20-~%5D%3F)%7B600%7D");
    EXPECT_EQ(fired.status, 500);
    EXPECT_TRUE(fired.body.contains("too long")) << fired.body;
    EXPECT_EQ(ask(Method::put, "/v1/event/fire/deploy?service=sql&tag=%5Et%2B$").status, 200);
}

TEST_F(EventVerdictsTest, WhatIsNotSearchedForDoesNotCount) {
    const std::vector<std::string> tags(64, std::string(128, 't'));
    services_.put({.id = "db", .name = "mysql", .tags = tags}, [](Result<void>) {});
    run();
    const std::string hostile = R"("tagfilter":"(?:[ -~]?){600}")";
    const std::string elsewhere = R"(,"nodefilter":"^db-","servicefilter":"sql",)" + hostile;
    EXPECT_EQ(publish_event("," + hostile).status, 200);
    EXPECT_EQ(count(list()), 1U) << "asks for no service, so no tag is looked at";
    EXPECT_EQ(publish_batch(event("," + hostile) + "," + event(elsewhere)).status, 200);
    EXPECT_EQ(count(list()), 2U) << "another node's services are not looked at";
    const std::string fire = "/v1/event/fire/deploy?service=sql&tag=(%3F:%5B%20-~%5D%3F)%7B600%7D";
    EXPECT_EQ(ask(Method::put, fire + "&node=%5Edb-").status, 200);
    EXPECT_EQ(ask(Method::put, fire + "&node=web").status, 500);
}

TEST_F(EventVerdictsTest, WhatMayNotBePublishedIsDeniedWithoutALook) {
    close();
    policy("reader", R"({"event":{"deploy":"read"}})");
    const std::string authorization = "Bearer " + token("reader");
    const Answer denied =
        ask(Method::post,
            "/api/v1/events",
            "[" + different(kFiltersOfRequestMax + 1, 20) + "]",
            {{kType, "application/cloudevents-batch+json"}, {"Authorization", authorization}});
    EXPECT_EQ(denied.status, 403) << denied.body;
}

}  // namespace
}  // namespace belfry
