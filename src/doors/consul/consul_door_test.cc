// The event half of the Consul door against a whole hub in memory. Behaviours that a real client
// sees are in test/e2e/consul.
#include "doors/native/closed_hub_fixture.h"
#include "event/consul_index.h"

namespace belfry {
namespace {

using namespace std::chrono_literals;

class ConsulDoorTest : public ClosedHubTest {
 protected:
    Answer fire(std::string_view name, std::string_view body = "", std::string_view query = "") {
        return ask(Method::put, "/v1/event/fire/" + std::string(name) + std::string(query), body);
    }
    Answer list(std::string_view query = "") {
        return ask(Method::get, "/v1/event/list" + std::string(query));
    }
    std::uint64_t block(std::string_view query) {
        return send(Method::get, "/v1/event/list" + std::string(query));
    }
    bool answered(std::uint64_t number) { return connection_.answer(number).status != 0; }
    static std::uint64_t index_of(const Answer& answer) {
        constexpr std::string_view kName = "X-Consul-Index: ";
        const std::size_t at = answer.headers.find(kName);
        return at == std::string::npos ? 0 : std::stoull(answer.headers.substr(at + kName.size()));
    }
    static bool is_filtered(const Answer& answer) {
        return answer.headers.contains("X-Consul-Results-Filtered-By-Acls: true\r\n");
    }
    static std::size_t count(const Answer& answer) {
        std::size_t found = 0;
        for (std::size_t at = 0; (at = answer.body.find("\"ID\":", at)) != std::string::npos;
             ++at) {
            ++found;
        }
        return found;
    }
    void restart_door() {
        router_.reset();
        router_ = std::make_unique<Router>(doors(), access_, limits_);
    }
};

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

class ConsulAclTest : public ConsulDoorTest {
 protected:
    ConsulAclTest() {
        fire("foo");
        fire("bar");
        close();
        policy("reader", R"({"event":{"foo":"read","bar":"deny"}})");
        use_reader(token("reader"));
        policy("writer", R"({"event":{"baz":"write"}})");
        writer_ = token("writer");
    }
    void use_reader(std::string secret) {
        reader_ = std::move(secret);
        reader_id_ = last_id_;
    }
    Answer list_as(const std::string& secret, std::string_view query = "") {
        return ask_as(secret, Method::get, "/v1/event/list" + std::string(query));
    }
    std::string reader_;
    std::string reader_id_;
    std::string writer_;
};

TEST_F(ConsulAclTest, FireNeedsWrite) {
    const auto fire_as = [&](const std::string& secret, std::string_view name) {
        return ask_as(secret, Method::put, "/v1/event/fire/" + std::string(name));
    };
    EXPECT_EQ(fire_as(reader_, "foo").status, 403);
    EXPECT_EQ(fire_as(reader_, "foo").body, "Permission denied");
    EXPECT_EQ(fire_as("", "foo").body, "Permission denied");
    EXPECT_EQ(fire_as(writer_, "zip").status, 403);
    EXPECT_EQ(fire_as(writer_, "baz").status, 200);
    EXPECT_EQ(fire_as(reader_, "foo?node=(").status, 500) << "filters come before permission";
    EXPECT_EQ(fire_as("belfry_" + std::string(56, '0'), "?node=(").body, "ACL not found");
    EXPECT_EQ(list_as("belfry_" + std::string(56, '0')).status, 403);
    EXPECT_EQ(list_as("belfry_" + std::string(56, '0')).body, "ACL not found");
}

TEST_F(ConsulAclTest, ListShowsWhatMayBeReadAndSaysSo) {
    EXPECT_EQ(list_as("").body, "[]");
    EXPECT_FALSE(is_filtered(list_as("")));
    const Answer some = list_as(reader_);
    EXPECT_EQ(count(some), 1U);
    EXPECT_TRUE(is_filtered(some));
    EXPECT_EQ(index_of(some), 2U);
    EXPECT_FALSE(is_filtered(list_as(reader_, "?name=foo")));
    const Answer denied = list_as(reader_, "?name=bar");
    EXPECT_EQ(denied.body, "[]");
    EXPECT_EQ(index_of(denied), 1U);
    EXPECT_TRUE(is_filtered(denied));
    EXPECT_FALSE(is_filtered(list_as(reader_, "?name=nothing")));
    const Answer all = list_as(operator_);
    EXPECT_EQ(count(all), 2U);
    EXPECT_FALSE(is_filtered(all));
    EXPECT_TRUE(all.headers.contains("X-Consul-Default-Acl-Policy: deny\r\n"));
}

TEST_F(ConsulAclTest, WhatMayNotBeReadReleasesNobody) {
    const std::uint64_t blocked =
        send_as(reader_, Method::get, "/v1/event/list?name=bar&index=1&wait=10s");
    const std::uint64_t nameless = send_as(reader_, Method::get, "/v1/event/list?index=2&wait=10s");
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/bar").status, 200);
    EXPECT_FALSE(answered(blocked));
    EXPECT_FALSE(answered(nameless));
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/foo").status, 200);
    EXPECT_FALSE(answered(blocked));
    EXPECT_TRUE(answered(nameless));
    pass(10s);
    EXPECT_EQ(connection_.answer(blocked).body, "[]");
}

TEST_F(ConsulAclTest, AHiddenNameTellsNothingOfTheFiltersOfItsEvents) {
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/bar?node=%5Eweb").status, 200);
    const Answer plain = list_as(reader_, "?name=bar");
    for (std::string_view filter : {"&node=web-1", "&node=nothing", "&service=x&tag=y"}) {
        const Answer filtered = list_as(reader_, "?name=bar" + std::string(filter));
        EXPECT_EQ(filtered.headers, plain.headers) << filter;
        EXPECT_EQ(filtered.body, "[]") << filter;
    }
    EXPECT_TRUE(is_filtered(plain));
}

TEST_F(ConsulAclTest, WhoMayReadNothingTakesNobodysPlace) {
    limits_.consul_lists = 2;
    for (std::string_view node : {"x", "y", "z"}) {
        send_as("", Method::get, "/v1/event/list?index=1&node=" + std::string(node));
    }
    EXPECT_EQ(list_as(operator_, "?name=foo").status, 200);
    const std::uint64_t waits = send_as(operator_, Method::get, "/v1/event/list?name=foo&index=2");
    EXPECT_FALSE(answered(waits));
}

TEST_F(ConsulAclTest, WhoHasTheSameRightsSharesAList) {
    const std::string other = token("reader");
    list_as(reader_);
    const std::uint64_t lists = log_.lists;
    EXPECT_EQ(count(list_as(other)), 1U);
    EXPECT_EQ(log_.lists, lists);
    EXPECT_EQ(count(list_as(writer_)), 0U);
    EXPECT_EQ(log_.lists, lists + 1) << "who sees something else does not";
}

TEST_F(ConsulAclTest, AClientThatVanishesWhileItsListIsReadAgainIsForgotten) {
    const std::uint64_t blocked = send_as(reader_, Method::get, "/v1/event/list?index=2");
    EXPECT_FALSE(answered(blocked));
    log_.holds_lists = true;
    policy("any", R"({"event":{"foo":"read"}})");
    pass(5s);  // rights changed, so it is served by those of now
    EXPECT_FALSE(answered(blocked));
    connection_.vanish(blocked);
    log_.release_lists();
    run();
    EXPECT_FALSE(answered(blocked));
    const std::uint64_t next = send_as(reader_, Method::get, "/v1/event/list?index=2");
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/foo").status, 200);
    EXPECT_TRUE(answered(next));
}

TEST_F(ConsulAclTest, WhatAPolicyTakesAwayIsNotSeenByWhoWaitsForIt) {
    policy("both", R"({"event":{"foo":"read","bar":"read"}})");
    const std::string both = token("both");
    const std::uint64_t all = send_as(both, Method::get, "/v1/event/list?index=3");
    const std::uint64_t named = send_as(both, Method::get, "/v1/event/list?name=foo&index=2");
    const Answer replaced = ask_as(
        operator_,
        Method::put,
        "/api/v1/policies/both",
        R"({"name":"both","rules":{"event":{"bar":"read"}}})"
    );
    EXPECT_EQ(replaced.status, 200) << replaced.body;
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/foo").status, 200);
    EXPECT_FALSE(answered(all));
    ASSERT_TRUE(answered(named));
    EXPECT_EQ(connection_.answer(named).body, "[]");
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/bar").status, 200);
    ASSERT_TRUE(answered(all));
    EXPECT_FALSE(connection_.answer(all).body.contains("\"foo\""));
}

TEST_F(ConsulAclTest, ARevokedTokenEndsItsBlockedLists) {
    const std::uint64_t blocked = send_as(reader_, Method::get, "/v1/event/list?name=foo&index=2");
    EXPECT_FALSE(answered(blocked));
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/" + reader_id_).status, 204);
    pass(5s);
    ASSERT_TRUE(answered(blocked));
    EXPECT_EQ(connection_.answer(blocked).status, 403);
    EXPECT_EQ(connection_.answer(blocked).body, "ACL not found");
}

TEST_F(ConsulAclTest, AnExpiredTokenEndsItsBlockedLists) {
    const std::string brief = token("reader", R"(,"expires":"10s")");
    const std::uint64_t blocked = send_as(brief, Method::get, "/v1/event/list?name=foo&index=2");
    pass(9s);
    EXPECT_FALSE(answered(blocked));
    pass(1s + 5s);
    ASSERT_TRUE(answered(blocked));
    EXPECT_EQ(connection_.answer(blocked).status, 403);
    EXPECT_EQ(connection_.answer(blocked).body, "ACL not found");
}

TEST_F(ConsulAclTest, ALostTokenEndsItsBlockedQueriesOfTheCatalog) {
    policy("agent", R"({"agent":"read"})");
    const std::string revoked = token("agent");
    const std::string revoked_id = last_id_;
    const std::string brief = token("agent", R"(,"expires":"10s")");
    const std::string staying = token("agent");
    const std::string target =
        "/v1/catalog/services?wait=5m&index=" +
        std::to_string(index_of(ask_as(staying, Method::get, "/v1/catalog/services")));
    std::vector<std::uint64_t> blocked;
    for (const std::string& secret : {revoked, brief, staying}) {
        blocked.push_back(send_as(secret, Method::get, target));
    }
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/" + revoked_id).status, 204);
    pass(5s);
    ASSERT_TRUE(answered(blocked[0]));
    EXPECT_EQ(connection_.answer(blocked[0]).status, 403);
    EXPECT_EQ(connection_.answer(blocked[0]).body, "ACL not found");
    EXPECT_FALSE(answered(blocked[1]));
    pass(5s + 5s);
    ASSERT_TRUE(answered(blocked[1]));
    EXPECT_EQ(connection_.answer(blocked[1]).status, 403);
    EXPECT_FALSE(answered(blocked[2]));
}

TEST_F(ConsulAclTest, ListsAndFiresOfATenantAreNothingToAnother) {
    policy("foreign", R"({"event_prefix":{"":"write"},"agent":"read"})", R"(,"tenant":"acme")");
    const std::string stranger = token("foreign", R"(,"tenant":"acme")");
    const Answer none = list_as(stranger, "?name=nothing");
    const Answer theirs = list_as(stranger, "?name=foo");
    EXPECT_EQ(theirs.body, none.body);
    EXPECT_EQ(theirs.headers, none.headers) << "index and verdict too";
    EXPECT_EQ(list_as(stranger).body, "[]");
    const std::uint64_t blocked =
        send_as(stranger, Method::get, "/v1/event/list?name=foo&index=1&wait=60s");
    EXPECT_EQ(ask_as(operator_, Method::put, "/v1/event/fire/foo").status, 200);
    pass(5s);
    EXPECT_FALSE(answered(blocked)) << "another tenant's event wakes nobody";
    EXPECT_EQ(ask_as(stranger, Method::put, "/v1/event/fire/foo").status, 200);
    ASSERT_TRUE(answered(blocked));
    EXPECT_EQ(count(connection_.answer(blocked)), 1U);
    EXPECT_EQ(count(list_as(operator_, "?name=foo")), 2U) << "nor the other way";
}

TEST_F(ConsulAclTest, ANewRightIsServedToWhoWaits) {
    const std::uint64_t blocked = send_as(reader_, Method::get, "/v1/event/list?name=bar&index=1");
    EXPECT_FALSE(answered(blocked));
    const Answer replaced = ask_as(
        operator_,
        Method::put,
        "/api/v1/policies/reader",
        R"({"name":"reader","rules":{"event_prefix":{"":"read"}}})"
    );
    EXPECT_EQ(replaced.status, 200) << replaced.body;
    pass(5s);
    ASSERT_TRUE(answered(blocked));
    EXPECT_EQ(count(connection_.answer(blocked)), 1U);
    EXPECT_EQ(count(list_as(reader_)), 2U) << "what was kept is made anew";
}

}  // namespace
}  // namespace belfry
