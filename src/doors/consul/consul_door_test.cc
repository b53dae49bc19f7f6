// The event half of the Consul door against a whole hub in memory. Behaviours that a real client
// sees are in test/e2e/consul.
#include "doors/consul/consul_door_fixture.h"
#include "event/consul_index.h"

namespace belfry {
namespace {

using namespace std::chrono_literals;

TEST_F(ConsulDoorTest, FireAnswersTheEventAndListShowsIt) {
    const Answer fired = fire("deploy", "now", "?node=web&service=%3Cx%3E&tag=t");
    EXPECT_EQ(fired.status, 200);
    EXPECT_EQ(fired.content_type, "application/json");
    EXPECT_EQ(
        fired.body.substr(44),
        R"(,"Name":"deploy","Payload":"bm93","NodeFilter":"web","ServiceFilter":"\u003cx\u003e",)"
        R"("TagFilter":"t","Version":1,"LTime":0})"
    );
    EXPECT_EQ(index_of(fired), 0U);
    fire("deploy", "", "?node=%5Eweb");
    const Answer listed = list("?name=deploy");
    EXPECT_EQ(count(listed), 1U) << "the first one is for nodes with a service that is not here";
    EXPECT_TRUE(listed.body.contains(R"("Payload":null,"NodeFilter":"^web")")) << listed.body;
    EXPECT_TRUE(listed.body.contains(R"("LTime":2})")) << listed.body;
    EXPECT_EQ(index_of(listed), 3U);
}

TEST_F(ConsulDoorTest, WhatIsWrongIsSaidInConsulsOrder) {
    EXPECT_EQ(fire("").body, "Missing name");
    EXPECT_EQ(fire("").status, 400);
    EXPECT_EQ(fire("_x").body, "Event names starting with '_' are reserved");
    const Answer tag = fire("x", "", "?tag=a&node=(");
    EXPECT_EQ(tag.status, 500);
    EXPECT_EQ(tag.body, "Cannot provide tag filter without service filter");
    EXPECT_EQ(
        fire("x", "", "?node=(").body,
        "Invalid node filter: error parsing regexp: missing closing ): `(`"
    );
    EXPECT_EQ(fire("x", "", "?dc=dc9").body, "No path to datacenter");
    EXPECT_EQ(fire("x", "", "?dc=DC1").status, 200);
    EXPECT_EQ(fire(std::string(256, 'x')).status, 400);
    const Answer query = fire("y", "", "?node=%zz");
    EXPECT_EQ(query.status, 500);
    EXPECT_EQ(query.body, "");
    EXPECT_EQ(
        fire("x", "", "?node=a%FF").body,
        "Invalid node filter: error parsing regexp: invalid UTF-8: `\xff`"
    );
    EXPECT_EQ(fire("x", "", "?node=a%00b").status, 400);
    EXPECT_EQ(fire("x", "", "?dc=%FF").body, "No path to datacenter");
    EXPECT_EQ(list("?name=%FF&nonsense=%00").body, "[]");
    EXPECT_EQ(list("?wait=%FF").body, "Invalid wait time");
    EXPECT_EQ(list("?name=a;index=1").status, 500);
    EXPECT_EQ(list("?name=a%3Bb").status, 200);
    EXPECT_EQ(list("?wait=10").body, "Invalid wait time");
    EXPECT_EQ(list("?wait=10&index=x").body, "Invalid wait time");
    EXPECT_EQ(list("?index=18446744073709551616").body, "Invalid index");
    EXPECT_EQ(list("?node=(").status, 400);
    EXPECT_EQ(count(list()), 1U) << "nothing is stored with an error";
}

TEST_F(ConsulDoorTest, StrictStatusIs400) {
    consul_options_.strict_status = true;
    restart_door();
    EXPECT_EQ(fire("x", "", "?node=(").status, 400);
    EXPECT_EQ(fire("x", "", "?tag=a").status, 400);
}

TEST_F(ConsulDoorTest, PathsAreGosAndNamesHaveSlashes) {
    EXPECT_EQ(ask(Method::put, "/v1/event/fire?x=1").status, 301);
    EXPECT_EQ(ask(Method::put, "/v1/event/fire?x=1").headers, "Location: /v1/event/fire/?x=1\r\n");
    EXPECT_EQ(ask(Method::get, "/v1//event%2F/list").headers, "Location: /v1/event/list\r\n");
    EXPECT_EQ(ask(Method::get, "/v1/event/list/").status, 404);
    EXPECT_EQ(
        ask(Method::get, "/v1/nothing").body,
        "Invalid URL path: not a recognized HTTP API endpoint\n"
    );
    EXPECT_EQ(fire("a%2Fb").status, 200);
    EXPECT_EQ(fire("a/b%20c").status, 200);
    EXPECT_EQ(count(list("?name=a/b")), 1U);
    EXPECT_EQ(count(list("?name=a%2Fb+c")), 1U);
    for (std::string_view odd : {"a%00b", "a%0Ab", "a%E2%80%8Bb", "a%C2%A0b", "%FF"}) {
        EXPECT_EQ(fire(odd).status, 400) << odd;
        EXPECT_EQ(fire(odd).body, "") << odd;
    }
}

// The server refuses them before there is a path.
TEST_F(ConsulDoorTest, TargetsThatAreNotTakenAreAnsweredLikeGo) {
    const auto refuse = [&](std::string_view target) {
        HttpRequest head;
        head.target = target;
        auto [exchange, number] = connection_.open();
        router_->refuse(
            head, 400, Error{.code = Errc::bad_request, .detail = "no target"}, std::move(exchange)
        );
        return connection_.answer(number);
    };
    for (const auto& [target, location] : std::vector<std::pair<std::string_view, std::string>>{
             {"/v1/event/./list?name=a%20b", "/v1/event/list?name=a%20b"},
             {"/v1/agent/../event/list", "/v1/event/list"},
             {"/v1/event/fire/a/%2e%2E/b", "/v1/event/fire/b"},
             {"/v1/event/fire/a/./b/", "/v1/event/fire/a/b/"},
             {"/v1/../../..", "/"},
             {"/v1/..//evil.example", "/evil.example"}
         }) {
        const Answer moved = refuse(target);
        EXPECT_EQ(moved.status, 301) << target;
        EXPECT_EQ(moved.headers, "Location: " + location + "\r\n");
    }
    const Answer zero = refuse("/v1/event/fire/a%00b");
    EXPECT_EQ(zero.status, 400);
    EXPECT_EQ(zero.body, "");
    EXPECT_EQ(refuse("/v1/event/./list?a\rb").body, "no target");
    EXPECT_EQ(refuse("/elsewhere/./x").content_type, "application/problem+json");
}

TEST_F(ConsulDoorTest, MethodsAreConsuls) {
    const Answer post = ask(Method::post, "/v1/event/fire/x");
    EXPECT_EQ(post.status, 405);
    EXPECT_EQ(post.body, "method POST not allowed");
    EXPECT_TRUE(post.headers.contains("Allow: OPTIONS,PUT\r\n"));
    EXPECT_EQ(ask(Method::head, "/v1/event/list").status, 405);
    const Answer options = ask(Method::options, "/v1/event/list");
    EXPECT_EQ(options.status, 200);
    EXPECT_EQ(options.body, "");
    EXPECT_TRUE(options.headers.contains("Allow: OPTIONS,GET\r\n"));
    EXPECT_TRUE(options.headers.contains("X-Consul-Default-Acl-Policy: allow\r\n"));
}

TEST_F(ConsulDoorTest, AListWaitsWhileItsIndexIsTheClients) {
    const std::uint64_t empty = block("?name=a&index=1");
    EXPECT_FALSE(answered(empty));
    fire("b");
    EXPECT_FALSE(answered(empty)) << "another name";
    fire("a");
    ASSERT_TRUE(answered(empty));
    EXPECT_EQ(index_of(connection_.answer(empty)), 3U);
    EXPECT_EQ(index_of(list("?name=a&index=2")), 3U) << "any other index is answered at once";
    const std::uint64_t timed = block("?name=a&index=3&wait=200ms");
    pass(199ms);
    EXPECT_FALSE(answered(timed));
    fire("b");
    pass(1ms);
    ASSERT_TRUE(answered(timed)) << "others do not move the deadline";
    EXPECT_EQ(connection_.answer(timed).status, 200);
    EXPECT_EQ(index_of(connection_.answer(timed)), 3U);
    EXPECT_EQ(count(connection_.answer(timed)), 1U);
}

TEST_F(ConsulDoorTest, AListWaitsTenMinutesAtMost) {
    for (std::string_view wait : {"", "&wait=20m", "&wait=0", "&wait=-5s"}) {
        const std::uint64_t number = block("?name=quiet&index=1" + std::string(wait));
        pass(599s);
        EXPECT_FALSE(answered(number)) << wait;
        pass(1s);
        EXPECT_TRUE(answered(number)) << wait;
    }
}

TEST_F(ConsulDoorTest, AClientThatVanishesLeavesNothing) {
    const std::uint64_t number = block("?name=a&index=1");
    connection_.vanish(number);
    EXPECT_EQ(fire("a").status, 200);
    EXPECT_FALSE(answered(number));
}

TEST_F(ConsulDoorTest, StoppingAnswersWhoWaits) {
    const std::uint64_t number = block("?name=a&index=1");
    router_->release_waiting();
    ASSERT_TRUE(answered(number));
    EXPECT_EQ(connection_.answer(number).body, "[]");
}

TEST_F(ConsulDoorTest, AListHoldsTheNewestInOrder) {
    consul_options_.list = {.events = 3, .bytes = 100'000};
    restart_door();
    list("?name=a");
    for (int i = 0; i < 5; ++i) {
        fire("a", std::to_string(i));
        fire("b");
    }
    const Answer live = list("?name=a");
    EXPECT_EQ(count(live), 3U);
    EXPECT_LT(live.body.find("Mg=="), live.body.find("Mw=="));
    EXPECT_LT(live.body.find("Mw=="), live.body.find("NA=="));
    restart_door();
    EXPECT_EQ(list("?name=a").body, live.body) << "found again";
    EXPECT_EQ(count(list()), 3U);
}

TEST_F(ConsulDoorTest, AListOfManyBytesLeavesOutTheOldest) {
    consul_options_.list = {.events = 256, .bytes = 5'000};
    restart_door();
    list("?name=a");
    for (char c = 'a'; c < 'f'; ++c) {
        fire("a", std::string(1'200, c));
    }
    const Answer live = list("?name=a");
    EXPECT_EQ(count(live), 2U);
    EXPECT_LE(live.body.size(), 5'000U);
    restart_door();
    EXPECT_TRUE(list("?name=a").body == live.body);
}

TEST_F(ConsulDoorTest, AListMayBeAsLongAsItsBoundAndNotAByteLonger) {
    fire("a", "1");
    fire("a", "2");
    const std::size_t both = list("?name=a").body.size();
    for (const std::size_t bound : {both, both - 1}) {
        consul_options_.list = {.events = 256, .bytes = bound};
        restart_door();
        const std::string found = list("?name=a").body;
        EXPECT_EQ(found.size() == both, bound == both);
        fire("a", "1");
        fire("a", "2");
        EXPECT_EQ(list("?name=a").body.size(), found.size()) << "kept up, not loaded";
    }
}

TEST_F(ConsulDoorTest, EventsForOtherNodesDoNotHideOlderOnes) {
    fire("a", "mine");
    const std::vector<Event> others(
        13'000, Event{.source = "/s", .type = "a", .data = "x", .elsewhere = true}
    );
    log_.append(others, [](auto) {});
    run();
    restart_door();
    EXPECT_EQ(count(list("?name=a")), 1U);
    EXPECT_EQ(count(list()), 1U);
    EXPECT_EQ(index_of(list("?name=a")), 2U);
}

TEST_F(ConsulDoorTest, NoMoreDifferentListsAreKeptThanMayBe) {
    limits_.consul_lists = 2;
    const std::uint64_t first = block("?name=a&index=1");
    block("?name=b&index=1");
    const Answer third = list("?name=c");
    EXPECT_EQ(third.status, 503);
    EXPECT_EQ(third.body, "too many different event lists are waited for");
    EXPECT_EQ(list("?name=a").status, 200) << "one that is there is shared";
    connection_.vanish(first);
    EXPECT_EQ(list("?name=c").status, 200);
    const std::uint64_t waiting = block("?name=b&index=1");
    fire("b");
    EXPECT_TRUE(answered(waiting)) << "who waits is not dropped for others";
}

TEST_F(ConsulDoorTest, WhatListsHoldIsBounded) {
    limits_.consul_list_bytes = 40'000;
    fire("a", std::string(12'000, 'x'));
    fire("b", std::string(12'000, 'x'));
    EXPECT_EQ(list("?name=a").status, 200);
    const std::uint64_t waits = block("?name=a&index=2");
    EXPECT_FALSE(answered(waits));
    EXPECT_EQ(list("?name=b").status, 503) << "it waits for a, so there is no room for b";
    EXPECT_EQ(list("?name=c").status, 200) << "which is empty";
    fire("a", std::string(12'000, 'y'));
    ASSERT_TRUE(answered(waits));
    EXPECT_EQ(count(connection_.answer(waits)), 2U);
    EXPECT_EQ(list("?name=b").status, 200) << "nobody waits for a";
}

TEST_F(ConsulDoorTest, ListsThatAreReadAtTheSameTimeAreBoundedTogether) {
    limits_.consul_list_bytes = 40'000;
    fire("a", std::string(12'000, 'x'));
    log_.holds_lists = true;
    std::vector<std::uint64_t> numbers;
    for (std::string_view node : {"x", "y", "z"}) {
        numbers.push_back(block("?name=a&index=2&node=" + std::string(node)));
    }
    log_.release_lists();
    EXPECT_FALSE(answered(numbers[0]));
    EXPECT_FALSE(answered(numbers[1]));
    EXPECT_EQ(connection_.answer(numbers[2]).status, 503);
}

TEST_F(ConsulDoorTest, AStopAnswersAListThatIsStillRead) {
    log_.holds_lists = true;
    const std::uint64_t number = block("?name=a&index=1");
    router_->release_waiting();
    EXPECT_FALSE(answered(number));
    log_.release_lists();
    EXPECT_TRUE(answered(number));
}

TEST_F(ConsulDoorTest, TheVerdictOfThenStays) {
    services_.put(Service{.id = "web", .name = "web", .tags = {"v1"}}, [](auto) {});
    run();
    fire("a", "here", "?service=we&tag=v1");
    fire("a", "other", "?service=mysql");
    services_.remove("web", [](auto) {});
    services_.put(Service{.id = "mysql", .name = "mysql"}, [](auto) {});
    run();
    restart_door();
    const Answer listed = list("?name=a");
    EXPECT_EQ(count(listed), 1U);
    EXPECT_TRUE(listed.body.contains("aGVyZQ==")) << listed.body;
}

TEST_F(ConsulDoorTest, ListsAreSearchedByTheFiltersOfTheirEvents) {
    fire("a", "1", "?node=web-1");
    fire("a", "2", "?node=%5Eweb");
    fire("a", "3");
    EXPECT_EQ(count(list("?name=a&node=web-1")), 2U) << "one without a filter is for all";
    EXPECT_EQ(index_of(list("?name=a&node=nothing")), 4U);
    const std::uint64_t blocked = block("?name=a&node=web-1&index=4");
    fire("a", "4", "?node=web-.");
    EXPECT_FALSE(answered(blocked));
    fire("a", "5", "?node=(web-1%7Cweb-2)");
    EXPECT_TRUE(answered(blocked));
}

TEST_F(ConsulDoorTest, EventsOfOtherDoorsAreListed) {
    publish("deploy", "native");
    const Answer listed = list("?name=deploy");
    EXPECT_TRUE(listed.body.contains("bmF0aXZl")) << listed.body;
    EXPECT_EQ(index_of(listed), 2U);
}

TEST_F(ConsulDoorTest, OldEventsThatTheLogDroppedAreNotListed) {
    fire("a", "1");
    fire("a", "2");
    EXPECT_EQ(count(list("?name=a")), 2U);
    log_.trim(Offset{1}, [](auto) {});
    run();
    EXPECT_EQ(count(list("?name=a")), 1U);
}

TEST_F(ConsulDoorTest, AQueryOfTheCatalogWaitsForAnotherService) {
    const std::string target = "/v1/catalog/services?wait=10s&index=";
    const std::string index = std::to_string(index_of(get("/v1/catalog/services")));
    const std::uint64_t changed = send(Method::get, target + index);
    const std::uint64_t gone = send(Method::get, target + index);
    connection_.vanish_silently(gone);
    pass(5s);
    EXPECT_FALSE(answered(changed));
    services_.put(Service{.id = "web", .name = "web"}, [](auto) {});
    run();
    pass(1s);
    ASSERT_TRUE(answered(changed));
    EXPECT_EQ(connection_.answer(changed).body, R"({"web":[]})");
    EXPECT_FALSE(answered(gone));
    EXPECT_EQ(get(target + index).body, R"({"web":[]})") << "at once";
    EXPECT_EQ(get("/v1/catalog/services?wait=10&index=1").body, "Invalid wait time");

    const std::string next = std::to_string(index_of(get("/v1/catalog/services")));
    const std::uint64_t timed = send(Method::get, target + next);
    pass(9s);
    EXPECT_FALSE(answered(timed));
    pass(1s);
    EXPECT_TRUE(answered(timed));
    const std::uint64_t stopped = send(Method::get, target + next);
    router_->release_waiting();
    EXPECT_TRUE(answered(stopped));
}

}  // namespace
}  // namespace belfry
