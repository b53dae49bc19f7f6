// Who may fire and see what by the Consul door, and what happens to whoever waits when that
// changes.
#include "doors/consul/consul_door_fixture.h"

namespace belfry {
namespace {

using namespace std::chrono_literals;

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
