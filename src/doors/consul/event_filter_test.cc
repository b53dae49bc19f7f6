#include "doors/consul/event_filter.h"

#include "base/manual_clock.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

#include <string>

namespace belfry {
namespace {

const Limits kLimits;

// A node named web-1 with these services.
class EventFilterTest : public testing::Test {
 protected:
    EventFilterTest() {
        services_ = std::make_unique<Services>(
            kv_,
            kLimits,
            std::vector<Service>{
                {.id = "db", .name = "mysql", .tags = {"master", "v5"}},
                {.id = "cache", .name = "redis", .tags = {"slave"}},
                {.id = "plain", .name = "plain"},
            }
        );
    }

    bool accepts(EventFilterTexts texts) {
        Result<EventFilter> filter = EventFilter::parse(texts, kLimits);
        EXPECT_TRUE(filter) << (filter ? "" : filter.error().detail);
        return filter && filter->accepts(node_, *services_);
    }

    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    NodeIdentity node_{.name = "web-1", .id = "x"};
    std::unique_ptr<Services> services_;
};

bool admits(EventFilterTexts wanted, EventFilterTexts stored) {
    Result<EventFilter> filter = EventFilter::parse_search(wanted, kLimits);
    EXPECT_TRUE(filter) << (filter ? "" : filter.error().detail);
    return filter && filter->admits(stored);
}

// What the parse of a node filter says is wrong.
std::string refusal(std::string_view pattern) {
    Result<EventFilter> filter = EventFilter::parse({.node = pattern}, kLimits);
    if (filter) {
        return "none";
    }
    EXPECT_EQ(filter.error().code, Errc::invalid_filter);
    EXPECT_EQ(filter.error().field, "node");
    return filter.error().detail;
}

std::string repeat(std::string_view piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) {
        text += piece;
    }
    return text;
}

TEST(EventFilter, AnyByteIsNoExpressionOfGo) {
    EXPECT_EQ(
        refusal(R"(a\C)"),
        R"(Invalid node filter: error parsing regexp: invalid escape sequence: `\C`)"
    );
    EXPECT_EQ(refusal(R"(a\\C)"), "none") << "a backslash and a C";
}

TEST_F(EventFilterTest, NoFilterIsForEverybody) {
    EXPECT_TRUE(accepts({}));
    node_.name.clear();
    EXPECT_TRUE(accepts({}));
}

TEST_F(EventFilterTest, NodeIsSearchedUnanchoredAndByCase) {
    EXPECT_TRUE(accepts({.node = "eb-"}));
    EXPECT_TRUE(accepts({.node = "^web"}));
    EXPECT_TRUE(accepts({.node = "(?i)WEB"}));
    EXPECT_FALSE(accepts({.node = "WEB"}));
    EXPECT_FALSE(accepts({.node = "^eb"}));
    EXPECT_FALSE(accepts({.node = "web$"}));
}

TEST_F(EventFilterTest, ServiceIsSearchedInNamesNotIds) {
    EXPECT_TRUE(accepts({.service = ".*sql"}));
    EXPECT_TRUE(accepts({.service = "lai"}));
    EXPECT_FALSE(accepts({.service = "^db$"}));
    EXPECT_FALSE(accepts({.service = "postgres"}));
}

TEST_F(EventFilterTest, TagMustBeOneOfTheServiceThatMatched) {
    EXPECT_TRUE(accepts({.service = "mysql", .tag = "mast"}));
    EXPECT_TRUE(accepts({.service = "sql|redis", .tag = "^slave$"}));
    EXPECT_FALSE(accepts({.service = "mysql", .tag = "slave"}));
    EXPECT_FALSE(accepts({.service = "plain", .tag = ".*"}));
}

TEST_F(EventFilterTest, NodeAndServiceMustBothMatch) {
    EXPECT_TRUE(accepts({.node = "web", .service = "mysql", .tag = "v5"}));
    EXPECT_FALSE(accepts({.node = "db", .service = "mysql", .tag = "v5"}));
    EXPECT_FALSE(accepts({.node = "web", .service = "postgres"}));
}

TEST_F(EventFilterTest, ServiceRegisteredLaterCounts) {
    EXPECT_FALSE(accepts({.service = "late"}));
    services_->start([] {});
    services_->put({.id = "late", .name = "late"}, [](Result<void> put) { EXPECT_TRUE(put); });
    loop_.run_all();
    EXPECT_TRUE(accepts({.service = "late"}));
    services_->remove("late", [](Result<void> removed) { EXPECT_TRUE(removed); });
    loop_.run_all();
    EXPECT_FALSE(accepts({.service = "late"}));
}

TEST(EventFilter, TagWithoutServiceIsRefusedBeforeBadPatterns) {
    Result<EventFilter> filter = EventFilter::parse({.node = "(", .tag = "("}, kLimits);
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().detail, "Cannot provide tag filter without service filter");
    EXPECT_EQ(filter.error().code, Errc::invalid_filter);
}

TEST(EventFilter, BadPatternsAreNamedInOrderNodeServiceTag) {
    EventFilterTexts texts{.node = "(", .service = "[", .tag = "*"};
    EXPECT_EQ(
        EventFilter::parse(texts, kLimits).error().detail,
        "Invalid node filter: error parsing regexp: missing closing ): `(`"
    );
    texts.node = {};
    EXPECT_EQ(
        EventFilter::parse(texts, kLimits).error().detail,
        "Invalid service filter: error parsing regexp: missing closing ]: `[`"
    );
    texts.service = "a";
    EXPECT_EQ(
        EventFilter::parse(texts, kLimits).error().detail,
        "Invalid tag filter: error parsing regexp: missing argument to repetition operator: `*`"
    );
}

TEST(EventFilter, MistakesAreSaidInGosWords) {
    const std::string begin = "Invalid node filter: error parsing regexp: ";
    EXPECT_EQ(refusal("a)"), begin + "unexpected ): `a)`");
    EXPECT_EQ(refusal("x[z-a]"), begin + "invalid character class range: `z-a`");
    EXPECT_EQ(refusal("[[:no:]]"), begin + "invalid character class range: `[:no:]`");
    EXPECT_EQ(refusal("a**"), begin + "invalid nested repetition operator: `**`");
    EXPECT_EQ(refusal("a{1001}"), begin + "invalid repeat count: `{1001}`");
    EXPECT_EQ(refusal("\\8"), begin + "invalid escape sequence: `\\8`");
    EXPECT_EQ(refusal("a\\"), begin + "trailing backslash at end of expression: ``");
    EXPECT_EQ(refusal("(?=a)"), begin + "invalid or unsupported Perl syntax: `(?=`");
    EXPECT_EQ(refusal("(?P<x y>a)"), begin + "invalid named capture: `(?P<x y>`");
    EXPECT_EQ(refusal("\xff"), begin + "invalid UTF-8: `\xff`");
    EXPECT_EQ(refusal("gr\xc3\xbc\xc3(b"), begin + "invalid UTF-8: `\xc3(b`");
    EXPECT_EQ(refusal("a\xf0\x9f\x9a"), begin + "invalid UTF-8: `\xf0\x9f\x9a`");
    EXPECT_EQ(refusal("a\xed\xa0\x80z"), begin + "invalid UTF-8: `\xed\xa0\x80z`");
    EXPECT_EQ(refusal("*\xff"), begin + "missing argument to repetition operator: `*`");
    EXPECT_EQ(refusal("(\\pL{1000}){1}x"), begin + "expression too large: `(\\pL{1000}){1}x`");
}

TEST(EventFilter, PatternHasABound) {
    const std::string longest = std::string(kLimits.filter_value_bytes - 2, '[') + "a]";
    EXPECT_EQ(refusal(longest), "none");
    EXPECT_EQ(
        refusal(longest + "a"), "Invalid node filter: it has 1025 bytes, at most 1024 are allowed"
    );
    EXPECT_EQ(EventFilter::parse({.node = longest + "a"}, kLimits).error().limit, 1024U);
}

TEST(EventFilter, PatternThatTakesLongToSearchForIsRefused) {
    EXPECT_EQ(
        refusal("(?:a?b?){400}c"),
        "Invalid node filter: error parsing regexp: expression too large: `(?:a?b?){400}c`"
    );
    std::string hosts = "web-100";
    for (int i = 101; i < 140; ++i) {
        hosts += "|db-" + std::to_string(i) + ".example";
    }
    EXPECT_EQ(refusal(hosts), "none");
}

// What takes RE2 long to read is counted before it reads: these would take up to 0.1 s. There is no
// stopwatch here: a pattern within the counts takes a few milliseconds at most.
TEST(EventFilter, PatternThatTakesLongToCompileIsRefused) {
    const std::string begin = "Invalid node filter: error parsing regexp: expression too large: `";
    for (const std::string& much : {
             "(?i)[" + repeat("\\PL", 5) + "]",
             "(?i)[^" + repeat("\\p{Greek}", 5) + "]",
             repeat("[^\\pN]|", 5) + "a",
             "\\\\" + repeat("\\p{^L}", 5),
             repeat("(?:a?){400}", 4),
             repeat("(?:){0,321}", 4),
             repeat("x{1000}|", 2) + "[",
             repeat("\\x{61}{641}", 2),
         }) {
        EXPECT_EQ(refusal(much), begin + much + "`");
    }
}

TEST(EventFilter, PatternWithSomeClassesAndRepetitionsIsTaken) {
    for (const std::string& some : {
             std::string("[\\p{Greek}\\p{Cyrillic}\\pN\\p{Pd}]"),
             repeat("\\\\p", 100),
             std::string("\\x{1000}\\x{2028}\\x{1281}"),
             std::string("a{{1000}"),
             std::string("{1000x}{1000,2000,3000}"),
             std::string("[0-9]{1,3}(?:\\.[0-9]{1,3}){3}"),
             std::string("x{1000}y{200,}"),
         }) {
        EXPECT_EQ(refusal(some), "none") << some;
    }
    EXPECT_TRUE(admits({.node = "^[\\p{Latin}\\pN]+$"}, {.node = "g\xc3\xbcnstig1"}));
    EXPECT_EQ(
        refusal("a{1001}b{1001}"),
        "Invalid node filter: error parsing regexp: invalid repeat count: `{1001}`"
    );
}

TEST(EventFilter, PatternThatBacktracksElsewhereEnds) {
    ManualExecutor loop;
    MemoryKv kv(loop);
    const Services services(kv, kLimits);
    const NodeIdentity node{.name = std::string(100'000, 'a')};
    Result<EventFilter> filter = EventFilter::parse({.node = "(a*)*(a*)*(a|aa)*b$"}, kLimits);
    ASSERT_TRUE(filter);
    EXPECT_FALSE(filter->accepts(node, services));
}

TEST(EventFilter, SearchLooksIntoStoredFilters) {
    const EventFilterTexts stored{.node = "^web-[0-9]+$", .service = "mysql", .tag = "master"};
    EXPECT_TRUE(admits({}, stored));
    EXPECT_TRUE(admits({.node = "web-", .service = "^my", .tag = "ter$"}, stored));
    EXPECT_FALSE(admits({.node = "web-1"}, stored));
    EXPECT_FALSE(admits({.service = "sql$", .tag = "slave"}, stored));
}

TEST(EventFilter, SearchFindsEventsThatAreForEverybody) {
    EXPECT_TRUE(admits({.node = "web", .service = "mysql", .tag = "master"}, {}));
    EXPECT_TRUE(admits({.node = "web", .service = "mysql"}, {.node = "web"}));
    EXPECT_FALSE(admits({.node = "web", .service = "mysql"}, {.node = "db"}));
}

TEST(EventFilter, SearchForATagNeedsNoService) {
    EXPECT_TRUE(admits({.tag = "master"}, {.service = "mysql", .tag = "master"}));
    EXPECT_FALSE(admits({.tag = "slave"}, {.service = "mysql", .tag = "master"}));
}

TEST(EventFilter, SearchRefusesABadPattern) {
    Result<EventFilter> filter = EventFilter::parse_search({.tag = "("}, kLimits);
    ASSERT_FALSE(filter);
    EXPECT_EQ(
        filter.error().detail, "Invalid tag filter: error parsing regexp: missing closing ): `(`"
    );
    EXPECT_EQ(filter.error().field, "tag");
}

}  // namespace
}  // namespace belfry
