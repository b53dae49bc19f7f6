#include "doors/query.h"

#include "doors/percent_decoding.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(Query, DecodesNamesAndValuesOnce) {
    Query query;
    ASSERT_TRUE(query.parse("type=a%2Fb+c&&x&%73ource=%2525&empty="));
    EXPECT_EQ(query.get("type"), "a/b c");
    EXPECT_EQ(query.get("x"), "");
    EXPECT_EQ(query.get("source"), "%25");
    EXPECT_EQ(query.get("empty"), "");
    EXPECT_EQ(query.get("absent"), std::nullopt);
    EXPECT_EQ(query.parameters().size(), 4U);
}

TEST(Query, PlainTextIsNotCopied) {
    std::string raw = "type=deploy";
    Query query;
    ASSERT_TRUE(query.parse(raw));
    EXPECT_EQ(query.get("type")->data(), raw.data() + 5);
}

TEST(Query, RefusesWhatCouldBeReadInTwoWays) {
    for (std::string_view raw :
         {"a=%",
          "a=%4",
          "a=%zz",
          "a=%00",
          "a=%0a",
          "a=\x01",
          "a=%ff",
          "a=%c3%28",
          "a=1&a=2",
          "a=1&%61=2"}) {
        Query query;
        Result<void> parsed = query.parse(raw);
        ASSERT_FALSE(parsed) << raw;
        EXPECT_EQ(parsed.error().code, Errc::bad_request);
    }
}

TEST(Query, TakesAnyBytesWhereADoorDoes) {
    Query query;
    ASSERT_TRUE(query.parse(
        "a=%00&b=%ff&%c3%28=x&c=1&c=2", Query::Repeated::first_counts, Query::Content::any_bytes
    ));
    EXPECT_EQ(query.get("a"), std::string_view("\0", 1));
    EXPECT_EQ(query.get("b"), "\xff");
    EXPECT_EQ(query.get("\xc3("), "x");
    EXPECT_EQ(query.get("c"), "1");
    for (std::string_view raw : {"a=%", "a=%4", "a=%zz", "%zz"}) {
        EXPECT_FALSE(Query().parse(raw, Query::Repeated::first_counts, Query::Content::any_bytes))
            << raw;
    }
}

TEST(Query, HoldsThirtyTwoParametersAndNoMore) {
    std::string raw;
    for (int i = 0; i < 32; ++i) {
        raw += "p" + std::to_string(i) + "=1&";
    }
    EXPECT_TRUE(Query().parse(raw));
    Result<void> parsed = Query().parse(raw + "one=more");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().limit, 32U);
}

TEST(PercentDecode, PlusIsASpaceOnlyInQueries) {
    std::string memory;
    memory.reserve(16);
    EXPECT_EQ(percent_decode("a+b", PlusSign::is_plus, memory), "a+b");
    EXPECT_EQ(percent_decode("a+b", PlusSign::is_space, memory), "a b");
    EXPECT_EQ(percent_decode("%e2%82%ac", PlusSign::is_plus, memory), "€");
}

}  // namespace
}  // namespace belfry
