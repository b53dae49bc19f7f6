#include "event/filter.h"

#include "base/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

namespace belfry {
namespace {

Event example() {
    Event event;
    event.id = "A234-1234-1234";
    event.source = "https://github.com/cloudevents";
    event.type = "com.github.push";
    event.subject = "https://github.com/cloudevents/spec";
    event.extensions = {{"partitionkey", "k1"}, {"empty", ""}};
    return event;
}

Filter filter_of(std::string_view json) {
    auto filter = parse_filter(json, {});
    EXPECT_TRUE(filter.has_value()) << json << ": " << (filter ? "" : filter.error().detail);
    return filter ? std::move(*filter) : Filter{};
}

bool matches(std::string_view json) {
    return filter_of(json).matches(example());
}

TEST(TypePattern, MatchesExactlyOrByPrefix) {
    EXPECT_TRUE(parse_type_pattern("deploy")->matches("deploy"));
    EXPECT_FALSE(parse_type_pattern("deploy")->matches("deploys"));
    EXPECT_TRUE(parse_type_pattern("deploy*")->matches("deploys"));
    EXPECT_TRUE(parse_type_pattern("deploy.*")->matches("deploy."));
    EXPECT_FALSE(parse_type_pattern("deploy.*")->matches("deploy"));
    EXPECT_TRUE(parse_type_pattern("*")->matches("anything"));
    for (const std::string_view text : {"deploy", "deploy.*", "*"}) {
        EXPECT_EQ(parse_type_pattern(text)->to_string(), text);
    }
    for (const std::string_view text : {"", "a*b", "**", "*a", "a**"}) {
        const auto pattern = parse_type_pattern(text);
        ASSERT_FALSE(pattern.has_value()) << text;
        EXPECT_EQ(pattern.error().code, Errc::invalid_filter);
    }
}

TEST(Filter, MatchesTypes) {
    EXPECT_TRUE(matches("{}"));
    EXPECT_TRUE(matches(R"({"types":[]})"));
    EXPECT_TRUE(matches(R"({"types":["com.github.push"]})"));
    EXPECT_TRUE(matches(R"({"types":["x","com.github.*"]})"));
    EXPECT_FALSE(matches(R"({"types":["com.github"]})"));
    EXPECT_FALSE(matches(R"({"types":["*"],"filters":[{"exact":{"type":"x"}}]})"));
    EXPECT_TRUE(filter_of(R"({"types":["a*"],"filters":[{"exact":{"id":"x"}}]})").matches_type("ab")
    );
}

TEST(Filter, MatchesTheExamplesOfTheDraft) {
    EXPECT_TRUE(
        matches(R"({"filters":[{"exact":)"
                R"({"type":"com.github.push","subject":"https://github.com/cloudevents/spec"}}]})")
    );
    EXPECT_TRUE(matches(R"({"filters":[{"prefix":)"
                        R"({"type":"com.github.","subject":"https://github.com/cloudevents"}}]})"));
    EXPECT_FALSE(
        matches(R"({"filters":[{"suffix":{"type":".created","subject":"/cloudevents/spec"}}]})")
    );
    EXPECT_TRUE(matches(R"({"filters":[{"suffix":{"type":".push","subject":"/cloudevents/spec"}}]})"
    ));
    EXPECT_TRUE(matches(R"({"filters":[{"all":[{"exact":{"type":"com.github.push"}},{"exact":)"
                        R"({"subject":"https://github.com/cloudevents/spec"}}]}]})"));
    EXPECT_TRUE(matches(R"({"filters":[{"any":[{"exact":{"type":"x"}},{"exact":)"
                        R"({"subject":"https://github.com/cloudevents/spec"}}]}]})"));
    EXPECT_FALSE(
        matches(R"({"filters":[{"any":[{"exact":{"type":"x"}},{"exact":{"subject":"y"}}]}]})")
    );
    EXPECT_FALSE(matches(R"({"filters":[{"not":{"exact":{"type":"com.github.push"}}}]})"));
    EXPECT_TRUE(matches(R"({"filters":[{"not":{"not":{"exact":{"type":"com.github.push"}}}}]})"));
}

TEST(Filter, LooksAtEveryAttribute) {
    EXPECT_TRUE(matches(R"({"filters":[{"exact":{"partitionkey":"k1"}}]})"));
    EXPECT_TRUE(matches(R"({"filters":[{"exact":{"id":"A234-1234-1234"}}]})"));
    EXPECT_TRUE(matches(R"({"filters":[{"exact":{"specversion":"1.0"}}]})"));
    EXPECT_FALSE(matches(R"({"filters":[{"exact":{"type":"com.github.Push"}}]})"));
    EXPECT_FALSE(matches(R"({"filters":[{"exact":{"type":"com.github.push","id":"x"}}]})"));
    // An absent attribute matches nothing, so its negation does.
    for (const std::string_view name : {"time", "datacontenttype", "dataschema", "absent"}) {
        const std::string term = R"({"prefix":{")" + std::string(name) + R"(":"x"}})";
        EXPECT_FALSE(matches(R"({"filters":[)" + term + "]}")) << name;
        EXPECT_TRUE(matches(R"({"filters":[{"not":)" + term + "}]}")) << name;
    }
    EXPECT_FALSE(matches(R"({"filters":[{"suffix":{"empty":"x"}}]})"));
}

TEST(Filter, NamesWhatIsWrong) {
    const auto check = [](std::string_view json, Errc code, std::string_view field) {
        const auto filter = parse_filter(json, {});
        ASSERT_FALSE(filter.has_value()) << json;
        EXPECT_EQ(filter.error().code, code) << json;
        EXPECT_EQ(filter.error().field, field) << json;
        EXPECT_FALSE(filter.error().detail.empty());
    };
    check("", Errc::bad_request, "");
    check("[]", Errc::bad_request, "");
    check(R"({"type":["a"]})", Errc::unknown_field, "type");
    check(R"({"types":"a"})", Errc::invalid_filter, "types");
    check(R"({"types":["a",1]})", Errc::invalid_filter, "types[1]");
    check(R"({"types":["a","b*c"]})", Errc::invalid_filter, "types[1]");
    check(R"({"types":[""]})", Errc::invalid_filter, "types[0]");
    check(R"({"filters":{}})", Errc::invalid_filter, "filters");
    check(R"({"filters":[{}]})", Errc::invalid_filter, "filters[0]");
    check(R"({"filters":[1]})", Errc::invalid_filter, "filters[0]");
    check(
        R"({"filters":[{"exact":{"id":"a"},"prefix":{"id":"a"}}]})",
        Errc::invalid_filter,
        "filters[0]"
    );
    check(R"({"filters":[{"sql":"a = b"}]})", Errc::invalid_filter, "filters[0].sql");
    check(R"({"filters":[{"exact":{}}]})", Errc::invalid_filter, "filters[0].exact");
    check(R"({"filters":[{"exact":{"":"a"}}]})", Errc::invalid_filter, "filters[0].exact.");
    check(R"({"filters":[{"exact":{"id":""}}]})", Errc::invalid_filter, "filters[0].exact.id");
    check(R"({"filters":[{"exact":{"id":1}}]})", Errc::invalid_filter, "filters[0].exact.id");
    check(R"({"filters":[{"exact":{"iD":"a"}}]})", Errc::invalid_filter, "filters[0].exact.iD");
    check(R"({"filters":[{"exact":{"data":"a"}}]})", Errc::invalid_filter, "filters[0].exact.data");
    check(R"({"filters":[{"all":[]}]})", Errc::invalid_filter, "filters[0].all");
    check(R"({"filters":[{"any":{}}]})", Errc::invalid_filter, "filters[0].any");
    check(R"({"filters":[{"not":[]}]})", Errc::invalid_filter, "filters[0].not");
    check(
        R"({"filters":[{"all":[{"exact":{"id":"a"}},{"not":{"x":1}}]}]})",
        Errc::invalid_filter,
        "filters[0].all[1].not.x"
    );
    check(R"({"types":["a"],"types":["b"]})", Errc::bad_request, "types");
}

std::string nested_nots(std::size_t depth) {
    std::string json = R"({"exact":{"id":"a"}})";
    for (std::size_t i = 1; i < depth; ++i) {
        json = R"({"not":)" + json + "}";
    }
    return R"({"filters":[)" + json + "]}";
}

TEST(Filter, KeepsEveryLimit) {
    const Limits limits;
    EXPECT_TRUE(parse_filter(nested_nots(15), limits));
    EXPECT_TRUE(parse_filter(nested_nots(16), limits));
    EXPECT_EQ(parse_filter(nested_nots(17), limits).error().code, Errc::invalid_filter);
    EXPECT_EQ(parse_filter(nested_nots(17), limits).error().limit, 16U);

    const auto with_value = [](std::size_t size) {
        return R"({"filters":[{"exact":{"id":")" + std::string(size, 'a') + R"("}}]})";
    };
    EXPECT_TRUE(parse_filter(with_value(1023), limits));
    EXPECT_TRUE(parse_filter(with_value(1024), limits));
    EXPECT_EQ(parse_filter(with_value(1025), limits).error().limit, 1024U);

    const auto of_size = [](std::size_t size) { return "{}" + std::string(size - 2, ' '); };
    EXPECT_TRUE(parse_filter(of_size(8191), limits));
    EXPECT_TRUE(parse_filter(of_size(8192), limits));
    EXPECT_EQ(parse_filter(of_size(8193), limits).error().code, Errc::too_large);
    EXPECT_EQ(parse_filter(of_size(8193), limits).error().limit, 8192U);
}

TEST(Filter, ReadsBackWhatItWrites) {
    for (const std::string_view json :
         {R"({})",
          R"({"types":["a","b.*","*"]})",
          R"({"filters":[{"exact":{"id":"a\"\\\n","type":"b"}}]})",
          R"({"types":["a"],"filters":[{"all":[{"prefix":{"id":"a"}},{"not":)"
          R"({"any":[{"suffix":{"x":"y"}}]}}]},{"exact":{"id":"z"}}]})"}) {
        const Filter filter = filter_of(json);
        EXPECT_EQ(filter_json(filter), json);
        EXPECT_EQ(filter_of(filter_json(filter)), filter);
    }
}

TEST(Filter, ReadsAPartOfALargerDocument) {
    const auto document = parse_json(R"({"types":["a"],"filters":[{"x":1}]})", {});
    const auto filter = read_filter(*document, "filter", {});
    ASSERT_FALSE(filter.has_value());
    EXPECT_EQ(filter.error().field, "filter.filters[0].x");
    Limits limits;
    limits.filter_bytes = 13;
    EXPECT_TRUE(read_filter(*parse_json(R"({"types":["a"]})", {}), "filter", {}).has_value());
    EXPECT_EQ(
        read_filter(*parse_json(R"({"types":["a"]})", {}), "filter", limits).error().code,
        Errc::too_large
    );
}

}  // namespace
}  // namespace belfry
