#include "auth/rule_set.h"

#include "base/seeded_rng.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace belfry {
namespace {

using enum Permission;

PolicyRules events(EventRules exact, EventRules prefixes = {}) {
    PolicyRules rules;
    rules.event = std::move(exact);
    rules.event_prefix = std::move(prefixes);
    return rules;
}

RuleSet set_of(const std::vector<PolicyRules>& policies, DefaultPolicy otherwise) {
    std::vector<const PolicyRules*> pointers;
    for (const PolicyRules& policy : policies) {
        pointers.push_back(&policy);
    }
    return {pointers, otherwise};
}

RuleSet set_of(const PolicyRules& policy) {
    return set_of(std::vector{policy}, DefaultPolicy::deny);
}

bool reads(const RuleSet& set, std::string_view type) {
    return set.allows(Resource::event, Verb::read, type);
}
bool writes(const RuleSet& set, std::string_view type) {
    return set.allows(Resource::event, Verb::write, type);
}

TEST(RuleSet, AnExactTypeBeatsAPrefixAndALongerPrefixAShorter) {
    RuleSet set = set_of(events({{"deploy.secret", deny}}, {{"", read}, {"deploy.", write}}));
    EXPECT_TRUE(writes(set, "deploy.done"));
    EXPECT_FALSE(reads(set, "deploy.secret"));
    EXPECT_TRUE(writes(set, "deploy.secrets"));
    EXPECT_TRUE(reads(set, "build"));
    EXPECT_FALSE(writes(set, "build"));
}

TEST(RuleSet, DenyWinsWherePoliciesSpeakOfTheSameElseTheHigher) {
    RuleSet set = set_of(
        {events({{"a", write}, {"b", read}}, {{"p", read}}),
         events({{"a", deny}, {"b", write}}, {{"p", write}})},
        DefaultPolicy::deny
    );
    EXPECT_FALSE(reads(set, "a"));
    EXPECT_TRUE(writes(set, "b"));
    EXPECT_TRUE(writes(set, "px"));
}

TEST(RuleSet, WhatNoRuleNamesFallsToTheDefaultButNeverTokensAndOperator) {
    PolicyRules none;
    RuleSet closed = set_of({none}, DefaultPolicy::deny);
    RuleSet open = set_of({none}, DefaultPolicy::allow);
    EXPECT_FALSE(reads(closed, "x"));
    EXPECT_TRUE(writes(open, "x"));
    EXPECT_TRUE(open.allows(Resource::subscription, Verb::write, {}));
    EXPECT_FALSE(closed.allows(Resource::subscription, Verb::read, {}));
    EXPECT_FALSE(open.allows(Resource::token, Verb::read, {}));
    EXPECT_FALSE(open.allows(Resource::op, Verb::read, {}));
    EXPECT_TRUE(closed.allows(Resource::none, Verb::read, {}));
}

TEST(RuleSet, AnEmptyNameAsksForAnyTypeAtAll) {
    EXPECT_FALSE(set_of(events({}, {{"", deny}})).allows(Resource::event, Verb::read, ""));
    RuleSet one = set_of(events({{"only", read}}, {{"", deny}}));
    EXPECT_TRUE(one.allows(Resource::event, Verb::read, ""));
    EXPECT_FALSE(one.allows(Resource::event, Verb::write, ""));
}

TEST(RuleSet, CoversAPatternOnlyIfNothingInItIsLeftOut) {
    RuleSet set = set_of(events({{"deploy.secret", deny}}, {{"deploy", read}, {"deploy.x", deny}}));
    EXPECT_TRUE(set.covers(Verb::read, {.text = "deploy.done", .prefix = false}));
    EXPECT_FALSE(set.covers(Verb::read, {.text = "deploy.secret", .prefix = false}));
    EXPECT_FALSE(set.covers(Verb::read, {.text = "deploy", .prefix = true}));
    EXPECT_FALSE(set.covers(Verb::read, {.text = "deploy.se", .prefix = true}));
    EXPECT_FALSE(set.covers(Verb::read, {.text = "deploy.x", .prefix = true}));
    EXPECT_TRUE(set.covers(Verb::read, {.text = "deploy.a", .prefix = true}));
    EXPECT_FALSE(set.covers(Verb::read, {.text = "", .prefix = true}));
    EXPECT_FALSE(set.covers(Verb::write, {.text = "deploy.a", .prefix = true}));
}

TEST(RuleSet, BeyondNamesTheRuleThatWouldBeNeeded) {
    RuleSet mine = set_of(events({{"deploy.secret", deny}}, {{"deploy", write}}));
    EXPECT_EQ(set_of(events({{"deploy.a", write}})).beyond(mine), "");
    EXPECT_EQ(set_of(events({}, {{"dep", read}})).beyond(mine), "event_prefix \"dep\": read");
    EXPECT_EQ(
        set_of(events({}, {{"deploy", write}})).beyond(mine), "event \"deploy.secret\": write"
    );
    PolicyRules token;
    token.token = read;
    EXPECT_EQ(set_of(token).beyond(mine), "token: read");
    EXPECT_TRUE(mine.is_within(set_of(operator_rules())));
    EXPECT_FALSE(set_of(operator_rules()).is_within(mine));
    EXPECT_TRUE(set_of(operator_rules()).is_within(set_of(operator_rules())));
}

// The same questions, asked of the rules one by one.
struct Naive {
    std::vector<PolicyRules> policies;
    DefaultPolicy otherwise;

    [[nodiscard]] Permission of(std::string_view type) const {
        std::optional<Permission> best;
        std::size_t best_length = 0;
        bool best_exact = false;
        auto consider = [&](Permission permission, std::size_t length, bool exact) {
            if (!best || std::pair(exact, length) > std::pair(best_exact, best_length)) {
                best = permission;
                best_length = length;
                best_exact = exact;
            } else if (std::pair(exact, length) == std::pair(best_exact, best_length)) {
                best = *best == deny || permission == deny ? deny : std::max(*best, permission);
            }
        };
        for (const PolicyRules& policy : policies) {
            for (const auto& [name, permission] : policy.event) {
                if (name == type) {
                    consider(permission, name.size(), true);
                }
            }
            for (const auto& [prefix, permission] : policy.event_prefix) {
                if (type.starts_with(prefix)) {
                    consider(permission, prefix.size(), false);
                }
            }
        }
        return best.value_or(otherwise == DefaultPolicy::allow ? write : deny);
    }
};

// Rules over the letters a and b and lengths up to 4 meet one another often. Names over a, b and c
// reach into what is left of every prefix, so that what holds for all of them holds for every name.
class RandomRules {
 public:
    explicit RandomRules(std::uint64_t seed) : rng_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return rng_.next() % bound; }
    std::string name(std::size_t longest) {
        std::string name(below(longest + 1), 'a');
        for (char& c : name) {
            c = below(2) == 0 ? 'a' : 'b';
        }
        return name;
    }
    Naive rules() {
        Naive naive{.policies = std::vector<PolicyRules>(1 + below(3)), .otherwise = {}};
        naive.otherwise = below(4) == 0 ? DefaultPolicy::allow : DefaultPolicy::deny;
        for (PolicyRules& policy : naive.policies) {
            for (std::uint64_t i = below(4); i > 0; --i) {
                policy.event[name(3) + "a"] = static_cast<Permission>(below(3));
            }
            for (std::uint64_t i = below(4); i > 0; --i) {
                policy.event_prefix[name(4)] = static_cast<Permission>(below(3));
            }
        }
        return naive;
    }

 private:
    SeededRng rng_;
};

// Of 1 to 5 letters.
std::vector<std::string> every_name() {
    std::vector<std::string> names{""};
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (char c : {'a', 'b', 'c'}) {
            if (names[i].size() < 5) {
                names.push_back(names[i] + c);
            }
        }
    }
    names.erase(names.begin());
    return names;
}

std::uint64_t cases() {
    const char* wanted = std::getenv("BELFRY_RULE_CASES");
    return wanted == nullptr ? 100'000 : std::strtoull(wanted, nullptr, 10);
}

std::string dump(const Naive& naive) {
    std::string text = naive.otherwise == DefaultPolicy::allow ? "allow" : "deny";
    for (const PolicyRules& policy : naive.policies) {
        text += " " + policy_rules_json(policy);
    }
    return text;
}

TEST(RuleSet, SaysWhatTheRulesSayOneByOne) {
    const std::vector<std::string> names = every_name();
    RandomRules random(7);
    for (std::uint64_t done = 0; done < cases();) {
        const Naive naive = random.rules();
        const RuleSet set = set_of(naive.policies, naive.otherwise);
        for (int i = 0; i < 32; ++i, ++done) {
            const std::string& type = names[random.below(names.size())];
            const Permission expected = naive.of(type);
            ASSERT_EQ(reads(set, type), expected >= read) << type << " by " << dump(naive);
            ASSERT_EQ(writes(set, type), expected == write) << type << " by " << dump(naive);
        }
    }
}

TEST(RuleSet, IsWithinAnotherExactlyIfNoNameTellsThemApart) {
    const std::vector<std::string> names = every_name();
    RandomRules random(11);
    std::uint64_t within = 0;
    const std::uint64_t count = cases() / 100;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Naive one = random.rules();
        const Naive other = random.rules();
        bool expected = one.otherwise != DefaultPolicy::allow ||
                        other.otherwise == DefaultPolicy::allow;  // of the other resources
        for (const std::string& name : names) {
            expected = expected && one.of(name) <= other.of(name);
        }
        within += expected ? 1 : 0;
        ASSERT_EQ(
            set_of(one.policies, one.otherwise).is_within(set_of(other.policies, other.otherwise)),
            expected
        ) << dump(one)
          << " in " << dump(other);
    }
    EXPECT_GT(within, count / 100) << "the cases say something only if both answers occur";
    EXPECT_LT(within, count);
}

TEST(RuleSet, CoversAPatternExactlyIfEveryNameInItIsAllowed) {
    const std::vector<std::string> names = every_name();
    RandomRules random(13);
    for (std::uint64_t i = 0; i < cases() / 100; ++i) {
        const Naive naive = random.rules();
        const TypePattern pattern{.text = random.name(3), .prefix = true};
        bool expected = true;
        for (const std::string& name : names) {
            expected = expected && (!name.starts_with(pattern.text) || naive.of(name) >= read);
        }
        ASSERT_EQ(set_of(naive.policies, naive.otherwise).covers(Verb::read, pattern), expected)
            << pattern.to_string() << " by " << dump(naive);
    }
}

}  // namespace
}  // namespace belfry
