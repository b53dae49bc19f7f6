#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

Error error_of(std::string_view text, const Limits& limits = {}) {
    const auto value = parse_json(text, limits);
    EXPECT_FALSE(value.has_value()) << text;
    return value ? Error{} : value.error();
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(ParseJson, GivesTheValue) {
    const auto value = parse_json(R"( {"a":[1,-2,1.5,true,null,"x\u00e9\n"],"b":{}} )", {});
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(
        boost::json::serialize(*value), "{\"a\":[1,-2,1.5E0,true,null,\"x\xC3\xA9\\n\"],\"b\":{}}"
    );
    EXPECT_EQ(parse_json("18446744073709551615", {})->get_uint64(), 18446744073709551615U);
}

TEST(ParseJson, RefusesWhatRfc8259Refuses) {
    for (const std::string_view text :
         {"",
          " ",
          "{",
          "[1,]",
          "{\"a\":1,}",
          "{a:1}",
          "'a'",
          "01",
          "+1",
          ".5",
          "1.",
          "NaN",
          "Infinity",
          "-",
          "tru",
          "\"\t\"",
          "\"\\x\"",
          "[1] 2",
          "// c\n1",
          "\xEF\xBB\xBF"
          "1",
          "\"\\ud800\"",
          "\"\\udc00\"",
          "\"\xC0\x80\"",
          "\"\xED\xA0\x80\"",
          "\"\xFF\"",
          "1e400",
          "\"a",
          "nul"}) {
        EXPECT_EQ(error_of(text).code, Errc::bad_request) << text;
    }
    using std::string_view_literals::operator""sv;
    EXPECT_EQ(error_of("1\0"sv).code, Errc::bad_request);
    EXPECT_EQ(error_of("\"\0\""sv).code, Errc::bad_request);
}

TEST(ParseJson, SaysAtWhichByte) {
    EXPECT_EQ(error_of("{\"a\":x}").detail, "malformed JSON at byte 5: syntax error");
    EXPECT_EQ(error_of("[1] 2").detail, "malformed JSON at byte 4: more text after the value");
}

TEST(ParseJson, RefusesTwoMembersOfOneName) {
    const Error error = error_of(R"({"x":{"a":1,"b":2,"a":3}})");
    EXPECT_EQ(error.code, Errc::bad_request);
    EXPECT_EQ(error.field, "a");
    // An escape does not hide a name, and the same name in another object is no duplicate.
    EXPECT_EQ(error_of(R"({"a":1,"\u0061":2})").field, "a");
    EXPECT_TRUE(parse_json(R"({"a":{"a":{"a":1}},"b":{"a":1},"c":[{"a":1},{"a":2}]})", {}));
}

TEST(ParseJson, KeepsTheDepthLimit) {
    EXPECT_TRUE(parse_json(nested(63), {}));
    EXPECT_TRUE(parse_json(nested(64), {}));
    const Error error = error_of(nested(65));
    EXPECT_EQ(error.code, Errc::bad_request);
    EXPECT_EQ(error.limit, 64U);
    EXPECT_EQ(error_of(std::string(100'000, '[')).limit, 64U);
}

TEST(ParseJson, KeepsTheLimitOfMembers) {
    Limits limits;
    limits.json_keys = 3;
    EXPECT_TRUE(parse_json(R"({"a":1,"b":2})", limits));
    EXPECT_TRUE(parse_json(R"({"a":1,"b":2,"c":{"d":1,"e":2,"f":3}})", limits));
    EXPECT_EQ(error_of(R"({"a":1,"b":2,"c":3,"d":4})", limits).limit, 3U);
}

TEST(ParseJson, KeepsTheLimitOfDigits) {
    EXPECT_TRUE(parse_json(std::string(63, '1'), {}));
    EXPECT_TRUE(parse_json("[-1." + std::string(63, '1') + ",2]", {}));
    EXPECT_EQ(error_of(std::string(65, '1')).limit, 64U);
    EXPECT_EQ(error_of("[1.5e1," + std::string(65, '1')).limit, 64U);
}

struct Document {
    std::string name;
    std::optional<std::uint64_t> size;
    bool on = false;
    std::vector<std::string> types;
    std::string url;
};

Result<Document> read(std::string_view text) {
    const auto value = parse_json(text, {});
    if (!value) {
        return std::unexpected(value.error());
    }
    Document document;
    JsonObjectReader reader(*value);
    document.name = reader.required_text("name");
    document.size = reader.number("size");
    document.on = reader.flag("on").value_or(false);
    document.types = reader.texts("types");
    if (const auto* sink = reader.optional("sink")) {
        JsonObjectReader inner(*sink, reader.path("sink"));
        document.url = inner.required_text("url");
        if (document.url == "bad") {
            inner.refuse("url", Errc::bad_request, "bad url");
        }
        reader.check(inner.finish());
    }
    const auto finished = reader.finish();
    if (!finished) {
        return std::unexpected(finished.error());
    }
    return document;
}

TEST(JsonObjectReader, ReadsMembers) {
    const auto document =
        read(R"({"name":"n","size":7,"on":true,"types":["a","b"],"sink":{"url":"u"}})");
    ASSERT_TRUE(document.has_value());
    EXPECT_EQ(document->name, "n");
    EXPECT_EQ(document->size, 7U);
    EXPECT_TRUE(document->on);
    EXPECT_EQ(document->types, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(document->url, "u");
}

TEST(JsonObjectReader, NamesTheMemberAtFault) {
    const auto check = [](std::string_view text, Errc code, std::string_view field) {
        const auto document = read(text);
        ASSERT_FALSE(document.has_value()) << text;
        EXPECT_EQ(document.error().code, code) << text;
        EXPECT_EQ(document.error().field, field) << text;
        EXPECT_FALSE(document.error().detail.empty());
    };
    check("[]", Errc::bad_request, "");
    check("{}", Errc::bad_request, "name");
    check(R"({"name":1})", Errc::bad_request, "name");
    check(R"({"name":null})", Errc::bad_request, "name");
    check(R"({"name":"n","size":-1})", Errc::bad_request, "size");
    check(R"({"name":"n","size":1.0})", Errc::bad_request, "size");
    check(R"({"name":"n","on":"true"})", Errc::bad_request, "on");
    check(R"({"name":"n","types":"a"})", Errc::bad_request, "types");
    check(R"({"name":"n","types":["a",1]})", Errc::bad_request, "types[1]");
    check(R"({"name":"n","sink":{}})", Errc::bad_request, "sink.url");
    check(R"({"name":"n","sink":[]})", Errc::bad_request, "sink");
    check(R"({"name":"n","sink":{"url":"bad"}})", Errc::bad_request, "sink.url");
    check(R"({"name":"n","nmae":1})", Errc::unknown_field, "nmae");
    check(R"({"name":"n","sink":{"url":"u","x":1}})", Errc::unknown_field, "sink.x");
    // The first thing wrong is the one told.
    check(R"({"name":1,"size":-1,"zzz":0})", Errc::bad_request, "name");
}

}  // namespace
}  // namespace belfry
