#include "hub/match_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace belfry {
namespace {

Filter types(const std::vector<std::string>& patterns) {
    Filter filter;
    for (const std::string& pattern : patterns) {
        filter.types.push_back(parse_type_pattern(pattern).value());
    }
    return filter;
}

Filter exact(Filter filter, const std::string& attribute, const std::string& value) {
    filter.filters.push_back(
        FilterExpression{.kind = FilterExpression::Kind::exact, .terms = {{attribute, value}}}
    );
    return filter;
}

Event event(std::string_view type, std::string_view source = "/a", std::string_view subject = "") {
    Event event;
    event.source = source;
    event.type = type;
    event.subject = subject;
    return event;
}

std::vector<MatchIndex::Id> matches(MatchIndex& index, const Event& event) {
    std::vector<MatchIndex::Id> ids;
    index.match(event, ids);
    std::ranges::sort(ids);
    return ids;
}

using Ids = std::vector<MatchIndex::Id>;

TEST(MatchIndex, FindsExactTypesPrefixesAndEverything) {
    MatchIndex index;
    index.insert(0, "default", types({"deploy"}));
    index.insert(1, "default", types({"deploy*"}));
    index.insert(2, "default", types({"deploy.web.*"}));
    index.insert(3, "default", Filter{});
    EXPECT_EQ(matches(index, event("deploy")), (Ids{0, 1, 3}));
    EXPECT_EQ(matches(index, event("deploy.web.done")), (Ids{1, 2, 3}));
    EXPECT_EQ(matches(index, event("dep")), (Ids{3}));
    EXPECT_EQ(matches(index, event("other")), (Ids{3}));
}

TEST(MatchIndex, OffersASubscriptionOnceThoughSeveralPatternsMatch) {
    MatchIndex index;
    index.insert(0, "default", types({"deploy", "dep*", "*"}));
    EXPECT_EQ(matches(index, event("deploy")), (Ids{0}));
}

TEST(MatchIndex, KeepsTenantsApart) {
    MatchIndex index;
    index.insert(0, "default", Filter{});
    index.insert(1, "other", Filter{});
    Event theirs = event("deploy");
    theirs.tenant = "other";
    EXPECT_EQ(matches(index, event("deploy")), (Ids{0}));
    EXPECT_EQ(matches(index, theirs), (Ids{1}));
}

TEST(MatchIndex, EvaluatesEveryTermOfAFilter) {
    MatchIndex index;
    Filter both = exact(exact(types({"*"}), "source", "/a"), "subject", "s");
    index.insert(0, "default", both);
    EXPECT_EQ(matches(index, event("t", "/a", "s")), (Ids{0}));
    EXPECT_EQ(matches(index, event("t", "/a", "x")), Ids{});
    EXPECT_EQ(matches(index, event("t", "/b", "s")), Ids{});
    EXPECT_EQ(matches(index, event("t", "/a")), Ids{}) << "an absent attribute matches nothing";
}

TEST(MatchIndex, ForgetsWhatIsErasedAndReusesItsNumber) {
    MatchIndex index;
    index.insert(0, "default", exact(types({"deploy"}), "source", "/a"));
    index.erase(0);
    EXPECT_EQ(matches(index, event("deploy")), Ids{});
    index.insert(0, "default", types({"build"}));
    EXPECT_EQ(matches(index, event("deploy")), Ids{});
    EXPECT_EQ(matches(index, event("build")), (Ids{0}));
}

// Subscriptions that do not match must cost nothing, however many there are.
class MatchIndexOfManyTest : public testing::Test {
 protected:
    static constexpr MatchIndex::Id kMany = 10'000;

    template <typename MakeFilter>
    void insert_many(MakeFilter filter_of, const std::string& tenant = "default") {
        for (MatchIndex::Id id = 0; id < kMany; ++id) {
            index_.insert(next_++, tenant, filter_of(std::to_string(id)));
        }
    }
    // How much one event costs.
    std::uint64_t cost(const Event& event, const Ids& expected) {
        const std::uint64_t before = index_.looked_at();
        EXPECT_EQ(matches(index_, event), expected);
        return index_.looked_at() - before;
    }
    MatchIndex index_;
    MatchIndex::Id next_ = 0;
};

TEST_F(MatchIndexOfManyTest, LooksAtAFewOfTenThousandTypes) {
    insert_many([](const std::string& n) { return types({"team" + n + ".deploy"}); });
    EXPECT_LE(cost(event("team4711.deploy"), {4711}), 12U);
    EXPECT_LE(cost(event("team10000.deploy"), {}), 12U);
    EXPECT_LE(cost(event("other"), {}), 12U);
}

TEST_F(MatchIndexOfManyTest, LooksAtAFewOfTenThousandPrefixes) {
    insert_many([](const std::string& n) { return types({"team" + n + ".*", "old" + n + ".*"}); });
    EXPECT_LE(cost(event("team4711.deploy"), {4711}), 12U);
    EXPECT_LE(cost(event("old4711.deploy"), {4711}), 12U);
    EXPECT_LE(cost(event("team4711"), {}), 12U);
}

TEST_F(MatchIndexOfManyTest, LooksAtAFewOfTenThousandExactTerms) {
    insert_many([](const std::string& n) { return exact(types({"*"}), "source", "/" + n); });
    insert_many([](const std::string& n) { return exact(types({"t"}), "subject", n); });
    EXPECT_LE(cost(event("t", "/4711", "17"), {4711, kMany + 17}), 12U);
    EXPECT_LE(cost(event("t", "/none", "none"), {}), 12U);
}

TEST_F(MatchIndexOfManyTest, LooksAtNoneOfAnotherTenants) {
    insert_many([](const std::string&) { return Filter{}; }, "other");
    index_.insert(next_, "default", Filter{});
    EXPECT_LE(cost(event("t"), {next_}), 12U);
}

TEST_F(MatchIndexOfManyTest, LooksAtAFewAfterTenThousandCameAndWent) {
    insert_many([](const std::string& n) { return exact(types({"t"}), "subject", n); });
    for (MatchIndex::Id id = 0; id < kMany; ++id) {
        index_.erase(id);
    }
    EXPECT_LE(cost(event("t", "/a", "17"), {}), 12U);
}

// The measure itself: what no index can tell apart is looked at one by one.
TEST_F(MatchIndexOfManyTest, CountsEveryOneThatItHasToLookAt) {
    insert_many([](const std::string& n) {
        Filter filter;
        filter.filters.push_back(
            FilterExpression{.kind = FilterExpression::Kind::suffix, .terms = {{"source", "/" + n}}}
        );
        return filter;
    });
    EXPECT_GE(cost(event("t", "/4711"), {4711}), kMany);
}

// Against the plain meaning of a filter, over random subscriptions that come and go.
TEST(MatchIndex, AgreesWithAScanOverAllSubscriptions) {
    std::mt19937 random(7);
    auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    auto text = [&](int length) {
        std::string result;
        for (int i = 0; i < length; ++i) {
            result += static_cast<char>('a' + pick(2));
        }
        return result;
    };
    MatchIndex index;
    std::map<MatchIndex::Id, Filter> model;
    std::size_t found = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto id = static_cast<MatchIndex::Id>(pick(200));
        if (model.contains(id)) {
            index.erase(id);
            model.erase(id);
        } else {
            Filter filter;
            for (int i = pick(3); i > 0; --i) {
                filter.types.push_back(TypePattern{.text = text(pick(6)), .prefix = pick(2) == 0});
            }
            if (pick(2) == 0) {
                filter = exact(filter, pick(2) == 0 ? "source" : "subject", text(1));
            }
            if (pick(4) == 0) {
                filter.filters.push_back(FilterExpression{
                    .kind = FilterExpression::Kind::prefix, .terms = {{"source", text(1)}}
                });
            }
            index.insert(id, "default", filter);
            model.emplace(id, filter);
        }
        std::string type = text(pick(7));
        std::string source = text(1 + pick(2));
        std::string subject = text(pick(2));
        Event one = event(type, source, subject);
        Ids expected;
        for (const auto& [number, filter] : model) {
            if (filter.matches(one)) {
                expected.push_back(number);
            }
        }
        ASSERT_EQ(matches(index, one), expected) << "round " << round;
        found += expected.size();
    }
    EXPECT_GT(found, 10'000U) << "the rounds must find something to prove something";
}

}  // namespace
}  // namespace belfry
