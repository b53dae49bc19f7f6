#include "doors/route_trie.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

constexpr std::uint32_t kNone = RouteTrie::Entry::kNone;

std::uint32_t route_at(const RouteTrie::Match& match, Method method) {
    return match.entry == nullptr ? kNone : match.entry->routes[static_cast<std::size_t>(method)];
}

class RouteTrieTest : public testing::Test {
 protected:
    RouteTrieTest() {
        trie_.add(Method::get, "/", 0);
        trie_.add(Method::get, "/events", 1);
        trie_.add(Method::post, "/events", 2);
        trie_.add(Method::get, "/events/{id}", 3);
        trie_.add(Method::get, "/events/{id}/data", 4);
        trie_.add(Method::get, "/events/stream", 5);
        trie_.add(Method::put, "/fire/{name*}", 6);
        trie_.add(Method::get, "/fire/list/all", 7);
    }
    RouteTrie::Match find(
        std::string_view path, RouteTrie::Slash slash = RouteTrie::Slash::separates
    ) {
        Result<RouteTrie::Match> match = trie_.find(path, slash, memory_);
        EXPECT_TRUE(match) << path;
        return match.value();
    }
    std::uint32_t get(std::string_view path) { return route_at(find(path), Method::get); }

    RouteTrie trie_;
    std::string memory_;
};

TEST_F(RouteTrieTest, LiteralsWinOverParametersAndGiveWay) {
    EXPECT_EQ(get("/"), 0U);
    EXPECT_EQ(get("/events"), 1U);
    EXPECT_EQ(route_at(find("/events"), Method::post), 2U);
    EXPECT_EQ(get("/events/17"), 3U);
    EXPECT_EQ(get("/events/stream"), 5U);
    EXPECT_EQ(get("/events/stream/data"), 4U);
    EXPECT_EQ(find("/events/stream/data").parameters.get("id"), "stream");
    EXPECT_EQ(get("/%65vents"), 1U);
}

TEST_F(RouteTrieTest, NothingElseMatches) {
    for (std::string_view path :
         {"/event", "/events/", "/events//data", "//events", "/events/1/data/", "/Events"}) {
        EXPECT_EQ(find(path).entry, nullptr) << path;
    }
}

TEST_F(RouteTrieTest, TheRestOfThePathMayHoldSlashes) {
    RouteTrie::Match match = find("/fire/a/b%20c//d");
    EXPECT_EQ(route_at(match, Method::put), 6U);
    EXPECT_EQ(match.parameters.get("name"), "a/b c//d");
    EXPECT_EQ(find("/fire/list/al").parameters.get("name"), "list/al");
    EXPECT_EQ(route_at(find("/fire/list/all"), Method::put), kNone);
    EXPECT_EQ(find("/fire/").entry, nullptr);
    std::string deep = "/fire";
    for (int i = 0; i < 100; ++i) {
        deep += "/x%41";
    }
    EXPECT_EQ(find(deep).parameters.get("name").size(), 299U);
    EXPECT_EQ(find("/events" + deep).entry, nullptr);
}

TEST_F(RouteTrieTest, PathsThatCouldBeReadInTwoWaysAreRefused) {
    for (std::string_view path :
         {"",
          "events",
          "*",
          "/events/..",
          "/events/%2e%2e/x",
          "/./events",
          "/events/a%2fb",
          "/events/a%5cb",
          "/events/a\\b",
          "/events/%00",
          "/events/%",
          "/events/%4",
          "/events/%ff"}) {
        Result<RouteTrie::Match> match = trie_.find(path, RouteTrie::Slash::separates, memory_);
        ASSERT_FALSE(match) << path;
        EXPECT_EQ(match.error().code, Errc::bad_request);
    }
}

TEST_F(RouteTrieTest, EncodedSlashesCountAsTextWhereADoorAsksForThat) {
    RouteTrie::Match match = find("/events/a%2Fb", RouteTrie::Slash::may_be_encoded);
    EXPECT_EQ(match.parameters.get("id"), "a/b");
    EXPECT_FALSE(trie_.find("/events/%2e%2e/x", RouteTrie::Slash::may_be_encoded, memory_));
}

TEST_F(RouteTrieTest, AllowNamesEveryMethod) {
    EXPECT_EQ(find("/events").entry->allow, "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(find("/fire/x").entry->allow, "PUT, OPTIONS");
}

TEST_F(RouteTrieTest, APathWithoutEscapesTakesNoMemory) {
    RouteTrie::Match match = find("/events/17");
    EXPECT_EQ(memory_.capacity(), std::string().capacity());
    EXPECT_EQ(match.parameters.get("id"), "17");
}

TEST(RouteTrieDeathTest, TwoRoutesOfOnePathAndMethodAreAProgrammerError) {
    RouteTrie trie;
    trie.add(Method::get, "/a/{b}", 0);
    EXPECT_DEATH(trie.add(Method::get, "/a/{b}", 1), "");
    EXPECT_DEATH(trie.add(Method::put, "/a/{c}", 1), "");
    EXPECT_DEATH(trie.add(Method::put, "/a/{b*}/c", 1), "");
}

}  // namespace
}  // namespace belfry
