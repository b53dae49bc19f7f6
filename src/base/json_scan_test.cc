#include "base/json_scan.h"

#include "base/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(IsJson, AcceptsWhatRfc8259Accepts) {
    for (const std::string_view text :
         {"0",
          "-0",
          " 1 ",
          "-1.5e-10",
          "1E400",
          "123456789012345678901234567890",
          "0.0e+0",
          "\"\"",
          "true",
          "false",
          "null",
          "[]",
          "{}",
          "[[],{},[1,\"a\",{\"b\":[null]}]]",
          "{\"a\":{},\"a\":[]}",
          "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
          "\"\\ud800\"",
          "\"\x7f\xC3\xA9\xF0\x9F\x94\x94\"",
          "\r\n\t [ 1 , 2 ] "}) {
        EXPECT_TRUE(is_json(text)) << text;
    }
}

TEST(IsJson, RefusesTheRest) {
    using std::string_view_literals::operator""sv;
    for (const std::string_view text :
         {""sv,
          " "sv,
          "01"sv,
          "+1"sv,
          "-"sv,
          "1."sv,
          ".5"sv,
          "1e"sv,
          "1e+"sv,
          "0x1"sv,
          "--1"sv,
          "NaN"sv,
          "tru"sv,
          "True"sv,
          "nul"sv,
          "'a'"sv,
          "\"a"sv,
          "\""sv,
          "\"\\"sv,
          "\"\\x\""sv,
          "\"\\u12g4\""sv,
          "\"\\u12"sv,
          "\"a\nb\""sv,
          "\"12345678\x1f\""sv,
          "["sv,
          "]"sv,
          "[1"sv,
          "[1,"sv,
          "[1,]"sv,
          "[,1]"sv,
          "[1 2]"sv,
          "[1}"sv,
          "{"sv,
          "{]"sv,
          "{\"a\"}"sv,
          "{\"a\":}"sv,
          "{\"a\":1,}"sv,
          "{a:1}"sv,
          "{1:1}"sv,
          "{\"a\" 1}"sv,
          "1 2"sv,
          "1\0"sv,
          "\0"sv,
          "\"\0\""sv,
          "\xEF\xBB\xBF"
          "1"sv,
          "\"\xFF\""sv,
          "\"\xED\xA0\x80\""sv,
          "\"\xC0\x80\""sv,
          "/**/1"sv,
          "[1]]"sv,
          "{}{}"sv}) {
        EXPECT_FALSE(is_json(text)) << text;
    }
}

TEST(IsJson, NestsToItsLimitAndNoDeeper) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(is_json(nested(kJsonScanDepth - 1)));
    EXPECT_TRUE(is_json(nested(kJsonScanDepth)));
    EXPECT_FALSE(is_json(nested(kJsonScanDepth + 1)));
    EXPECT_FALSE(is_json(std::string(1'000'000, '[')));
    std::string mixed;
    for (std::size_t i = 0; i < kJsonScanDepth / 2; ++i) {
        mixed += "[{\"a\":";
    }
    mixed += '0';
    for (std::size_t i = 0; i < kJsonScanDepth / 2; ++i) {
        mixed += "}]";
    }
    EXPECT_TRUE(is_json(mixed));
    std::ranges::replace(mixed, '}', ']');
    EXPECT_FALSE(is_json(mixed));
}

// Eight bytes are looked at together: a stop must be seen wherever it stands in them.
TEST(JsonScan, FindsTheEndOfAStringAtEveryPlace) {
    for (std::size_t size = 0; size < 24; ++size) {
        const std::string plain = std::string(size, 'a') + "\xC3\xA9";
        const std::string text = '"' + plain + "\" rest";
        JsonScan scan(text);
        JsonScan::String found;
        ASSERT_TRUE(scan.string(found));
        EXPECT_EQ(found.inner, plain);
        EXPECT_FALSE(found.escaped);
        EXPECT_EQ(scan.position(), plain.size() + 2);
        EXPECT_FALSE(is_json('"' + std::string(size, 'a') + '\n' + std::string(8, 'b') + '"'));
        EXPECT_TRUE(is_json('"' + std::string(size, 'a') + "\\n" + std::string(8, 'b') + '"'));
    }
}

TEST(JsonScan, GivesAValueByteForByte) {
    const std::string_view text = "  { \"a\" : 1.50e+02 ,\"b\":[ ] }  ,7";
    JsonScan scan(text);
    std::string_view value;
    ASSERT_TRUE(scan.value(value));
    EXPECT_EQ(value, "{ \"a\" : 1.50e+02 ,\"b\":[ ] }");
    EXPECT_TRUE(scan.take(','));
    ASSERT_TRUE(scan.value(value));
    EXPECT_EQ(value, "7");
    EXPECT_TRUE(scan.at_end());
}

TEST(JsonScan, UnescapesAsTheParserDoes) {
    for (const std::string_view inner :
         {R"(plain)",
          R"(\"\\\/\b\f\n\r\t)",
          R"(\u0041\u00e9\u20AC\uD83D\uDE00)",
          R"(\u0000x)",
          R"(a\u007Fb\u07ff\u0800\uffff)"}) {
        std::string out;
        ASSERT_TRUE(append_unescaped(inner, out)) << inner;
        const auto value = parse_json('"' + std::string(inner) + '"', {});
        const auto& expected = value.value().as_string();
        EXPECT_EQ(out, std::string_view(expected.data(), expected.size())) << inner;
    }
}

TEST(JsonScan, RefusesHalfASurrogatePair) {
    for (const std::string_view inner :
         {R"(\ud800)",
          R"(\udc00)",
          R"(\ud800\ud800)",
          R"(\ud800x)",
          R"(\ud800\n)",
          R"(\udc00\ud800)",
          R"(\ud83d\u0041)"}) {
        std::string out;
        EXPECT_FALSE(append_unescaped(inner, out)) << inner;
    }
}

}  // namespace
}  // namespace belfry
