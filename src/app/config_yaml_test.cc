#include "app/config_yaml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <sys/resource.h>

namespace belfry {
namespace {

using testing::HasSubstr;

long peak_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

// Processor time: a machine that others keep busy takes longer, and does not fail.
double seconds_since(std::clock_t begin) {
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// A leaf that outlives its visit.
struct Kept {
    std::string path;
    YamlPlace key_place;
    YamlLeaf::Kind kind;
    std::string text;
    YamlPlace place;
};

std::vector<Kept> read(std::string_view text) {
    std::vector<Kept> leaves;
    std::optional<YamlProblem> bad = read_config_yaml(text, Limits{}, [&](const YamlLeaf& leaf) {
        std::string path;
        for (const YamlKey& key : leaf.path) {
            path += (path.empty() ? "" : "/") + key.name;
        }
        leaves.push_back(
            {path, leaf.path.back().place, leaf.kind, std::string(leaf.text), leaf.place}
        );
        return true;
    });
    EXPECT_FALSE(bad.has_value()) << bad->what;
    return leaves;
}

// "line:column what", or how much was read.
std::string problem(std::string_view text, const Limits& limits = {}) {
    std::size_t leaves = 0;
    std::optional<YamlProblem> bad = read_config_yaml(text, limits, [&](const YamlLeaf&) {
        ++leaves;
        return true;
    });
    if (!bad) {
        return fmt::format("no problem, {} leaves", leaves);
    }
    EXPECT_EQ(leaves, 0U) << "a leaf was visited before the file was judged";
    return fmt::format("{}:{} {}", bad->place.line, bad->place.column, bad->what);
}

std::string repeat(std::string_view piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
        out += piece;
    }
    return out;
}

TEST(ConfigYaml, LeavesKeepTheirPathsAndPlaces) {
    std::vector<Kept> leaves = read("http:\n  listen: \"a:1\"\nlog: {retention: {age: 7d}}\n");
    ASSERT_EQ(leaves.size(), 2U);
    EXPECT_EQ(leaves[0].path, "http/listen");
    EXPECT_EQ(leaves[0].text, "a:1");
    EXPECT_EQ(leaves[0].place.line, 2);
    EXPECT_EQ(leaves[0].place.column, 11);
    EXPECT_EQ(leaves[0].key_place.column, 3);
    EXPECT_EQ(leaves[1].path, "log/retention/age");
    EXPECT_EQ(leaves[1].text, "7d");
}

TEST(ConfigYaml, ADocumentIsWhatStandsBelowItsKey) {
    std::vector<std::string> seen;
    std::optional<YamlProblem> bad = read_config_yaml(
        "a: {b: {c: [1, '1', ~, {}], \"d\": &x 2.50}, e: *x}\nf: true\n",
        Limits{},
        [&](const YamlLeaf& leaf) {
            seen.push_back(leaf.path.back().name + "=" + std::string(leaf.text));
            if (leaf.kind == YamlLeaf::Kind::document) {
                EXPECT_EQ(yaml_place(leaf, "c[1]", YamlPart::value).column, 16);
                EXPECT_EQ(yaml_place(leaf, "c[9]", YamlPart::value).column, 12);
                EXPECT_EQ(yaml_place(leaf, "d", YamlPart::key).column, 29);
                EXPECT_EQ(yaml_place(leaf, "d", YamlPart::value).column, 34);
                EXPECT_EQ(yaml_place(leaf, "nothing.here", YamlPart::value).column, 8);
                EXPECT_EQ(yaml_place(leaf, "", YamlPart::value).column, 8);
            }
            return true;
        },
        [](std::span<const YamlKey> path) { return path.back().name == "b"; }
    );
    EXPECT_FALSE(bad.has_value());
    EXPECT_EQ(
        seen, (std::vector<std::string>{R"(b={"c":[1,"1",null,{}],"d":2.50})", "e=2.50", "f=true"})
    );
}

TEST(ConfigYaml, ScalarsStayTextWhateverYamlWouldMakeOfThem) {
    std::vector<Kept> leaves = read("a: no\nb: 0777\nc: 2026-01-01\nd: 1e3\ne: 12:30:45\n");
    ASSERT_EQ(leaves.size(), 5U);
    EXPECT_EQ(leaves[0].text, "no");
    EXPECT_EQ(leaves[1].text, "0777");
    EXPECT_EQ(leaves[2].text, "2026-01-01");
    EXPECT_EQ(leaves[3].text, "1e3");
    EXPECT_EQ(leaves[4].text, "12:30:45");
}

TEST(ConfigYaml, JsonIsAccepted) {
    std::vector<Kept> leaves = read(R"({"http": {"listen": "x"}, "data": "y"})");
    ASSERT_EQ(leaves.size(), 2U);
    EXPECT_EQ(leaves[1].path, "data");
}

TEST(ConfigYaml, AnEmptyFileHasNoLeaves) {
    EXPECT_TRUE(read("").empty());
    EXPECT_TRUE(read("# only a comment\n").empty());
    EXPECT_TRUE(read("---\n").empty());
}

TEST(ConfigYaml, NothingAndListsAreTold) {
    std::vector<Kept> leaves = read("a:\nb: ~\nc: {}\nd: [1, 2]\ne: []\n");
    ASSERT_EQ(leaves.size(), 5U);
    EXPECT_EQ(leaves[0].kind, YamlLeaf::Kind::nothing);
    EXPECT_EQ(leaves[0].place.line, 1);
    EXPECT_EQ(leaves[1].kind, YamlLeaf::Kind::nothing);
    EXPECT_EQ(leaves[2].kind, YamlLeaf::Kind::nothing);
    EXPECT_EQ(leaves[3].kind, YamlLeaf::Kind::list);
    EXPECT_EQ(leaves[4].kind, YamlLeaf::Kind::list);
}

TEST(ConfigYaml, AliasesRepeatTheirValues) {
    std::vector<Kept> leaves = read("a: &x {k: v}\nb: *x\nc: {d: *x}\n");
    ASSERT_EQ(leaves.size(), 3U);
    EXPECT_EQ(leaves[1].path, "b/k");
    EXPECT_EQ(leaves[2].path, "c/d/k");
    EXPECT_EQ(leaves[2].text, "v");
}

TEST(ConfigYaml, WhatIsNotPlainConfigurationIsRefusedWithItsPlace) {
    EXPECT_EQ(problem("a: 1\nb: 2\na: 3\n"), "3:1 `a` stands here twice, first in line 1");
    EXPECT_EQ(problem("a: {b: 1, b: 2}\n"), "1:11 `b` stands here twice, first in line 1");
    EXPECT_THAT(problem("a: !!str x\n"), HasSubstr("1:4 tags are not accepted"));
    EXPECT_THAT(problem("a: !x {b: c}\n"), HasSubstr("1:4 tags are not accepted"));
    EXPECT_THAT(problem("!<tag:x> a: b\n"), HasSubstr("tags are not accepted"));
    EXPECT_THAT(problem("a: 1\n---\nb: 2\n"), HasSubstr("a second document begins"));
    EXPECT_THAT(problem("- a\n- b\n"), HasSubstr("1:1 the file must be a map"));
    EXPECT_THAT(problem("just text"), HasSubstr("1:1 the file must be a map"));
    EXPECT_THAT(problem("[a, b]: c\n"), HasSubstr("1:1 a key must be a plain name"));
    EXPECT_THAT(problem("? {a: b}\n: c\n"), HasSubstr("1:3 a key must be a plain name"));
    EXPECT_THAT(problem("a: &x 1\n*x : 2\n"), HasSubstr("2:1 an alias cannot be a key"));
    EXPECT_THAT(
        problem("a: &x {b: *x}\n"), HasSubstr("1:11 an alias names the value that it stands in")
    );
    EXPECT_THAT(problem("~: x\n"), HasSubstr("a key must be a plain name"));
    EXPECT_THAT(problem("a: *nowhere\n"), HasSubstr("1:4 "));
}

TEST(ConfigYaml, SyntaxErrorsHaveTheirPlace) {
    EXPECT_THAT(problem("a: [1, 2\nb: 3\n"), HasSubstr("2:"));
    EXPECT_THAT(problem("a: \"x\" y\n"), testing::MatchesRegex("[12]:[0-9]+ .+"));
    EXPECT_THAT(problem("a:\n\t- b: c\n d: e\n"), testing::MatchesRegex("[0-9]+:[0-9]+ .+"));
}

TEST(ConfigYaml, OnlyUtf8TextIsRead) {
    EXPECT_EQ(problem("a: \xff\n"), "1:1 not UTF-8 text");
    EXPECT_EQ(
        problem(std::string_view(
            "\xff\xfe"
            "a\0",
            4
        )),
        "1:1 not UTF-8 text"
    );
    EXPECT_EQ(problem(std::string_view("a: \0\n", 5)), "1:4 control character 0x00");
    // The parser takes this byte for the end of the file.
    EXPECT_EQ(problem("a: 1\nä: \x04\nb: 2\n"), "2:4 control character 0x04");
    EXPECT_EQ(read("a: ä\r\n").size(), 1U);
}

TEST(ConfigYaml, SizeIsBoundedExactly) {
    Limits limits;
    limits.yaml_bytes = 20;
    std::string text = "a: 1 #" + std::string(14, 'x');
    EXPECT_EQ(problem(text, limits), "no problem, 1 leaves");
    EXPECT_EQ(problem(text + "x", limits), "1:1 larger than 20 bytes (limits.yaml_bytes)");
}

TEST(ConfigYaml, DepthIsBoundedExactly) {
    Limits limits;
    EXPECT_EQ(problem(repeat("{a: ", 32) + "1" + repeat("}", 32), limits), "no problem, 1 leaves");
    EXPECT_THAT(
        problem(repeat("{a: ", 33) + "1" + repeat("}", 33), limits),
        HasSubstr("nested deeper than 32")
    );
    EXPECT_EQ(problem("a: " + repeat("[", 31) + repeat("]", 31), limits), "no problem, 1 leaves");
    EXPECT_THAT(
        problem("a: " + repeat("[", 32) + repeat("]", 32), limits),
        HasSubstr("nested deeper than 32")
    );
}

TEST(ConfigYaml, AliasesCannotNestDeeperThanTheText) {
    // Each level is shallow in the text, and stands in the one before.
    std::string text = "l0: &l0 {x: {x: {x: 1}}}\n";
    for (int i = 1; i < 20; ++i) {
        text += fmt::format("l{0}: &l{0} {{x: {{x: *l{1}}}}}\n", i, i - 1);
    }
    EXPECT_THAT(problem(text), HasSubstr("nested deeper than 32"));
}

TEST(ConfigYaml, AliasesAreBoundedExactly) {
    Limits limits;
    limits.yaml_aliases = 3;
    EXPECT_EQ(problem("a: &x 1\nb: [*x, *x, *x]\n", limits), "no problem, 2 leaves");
    EXPECT_EQ(
        problem("a: &x 1\nb: [*x, *x, *x, *x]\n", limits),
        "2:17 more than 3 aliases (limits.yaml_aliases)"
    );
}

TEST(ConfigYaml, KeysAreBoundedExactly) {
    EXPECT_EQ(problem(std::string(255, 'k') + ": 1\n"), "no problem, 1 leaves");
    EXPECT_EQ(problem(std::string(256, 'k') + ": 1\n"), "1:1 a key of more than 255 bytes");
}

TEST(ConfigYaml, TheVisitorMayHaveEnough) {
    int visits = 0;
    EXPECT_FALSE(read_config_yaml("a: {b: 1, c: 2}\nd: 3\n", {}, [&](const YamlLeaf&) {
        return ++visits < 2;
    }));
    EXPECT_EQ(visits, 2);
}

// The paths of deep leaves are not copied for each of them.
TEST(ConfigYaml, ManyDeepLeavesTakeLittleMemory) {
    std::string text;
    for (int i = 0; i < 31; ++i) {
        text += std::string(static_cast<std::size_t>(i), ' ') + std::string(250, 'k') + ":\n";
    }
    for (int i = 0; i < 20'000; ++i) {
        text += fmt::format("{}k{}: 1\n", std::string(31, ' '), i);
    }
    long before = peak_kib();
    EXPECT_EQ(problem(text), "no problem, 20000 leaves");
    EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(ConfigYaml, FlowIndicatorsAreBoundedExactly) {
    EXPECT_EQ(problem("a: [" + repeat("1,", 9'999) + "]"), "no problem, 1 leaves");
    EXPECT_THAT(
        problem("a: [" + repeat("1,", 10'000) + "]"), HasSubstr("more than 10000 of `[`, `{`")
    );
}

// Nine levels of nine: 387 million values when expanded.
TEST(ConfigYaml, ABombOfAliasesIsRefusedQuickly) {
    std::string text = "a: &a {";
    for (int i = 0; i < 9; ++i) {
        text += fmt::format("k{}: lol, ", i);
    }
    text += "}\n";
    for (char level = 'b'; level <= 'i'; ++level) {
        text += fmt::format("{0}: &{0} {{", level);
        for (int i = 0; i < 9; ++i) {
            text += fmt::format("k{}: *{}, ", i, static_cast<char>(level - 1));
        }
        text += "}\n";
    }
    long before = peak_kib();
    const std::clock_t begin = std::clock();
    EXPECT_THAT(problem(text), HasSubstr("aliases unfold to more than 100000 values"));
    EXPECT_LT(seconds_since(begin), 1) << "of processor time; all of them take minutes";
    EXPECT_LT(peak_kib() - before, 32 * 1024);
}

// Files that make a reader without bounds slow, hungry or recursive.
TEST(ConfigYaml, HostileShapesEndQuickly) {
    struct Shape {
        std::string text;
        std::string says;
    };
    const std::vector<Shape> shapes = {
        {repeat("[", 500'000), "more than 10000"},
        {repeat("{a: ", 200'000), "more than 10000"},
        {repeat("[\n", 400'000), "more than 10000"},
        {"a: " + repeat("[", 9'990), ""},
        {repeat("{", 9'999), ""},
        {repeat("- ", 400'000), "nested deeper"},
        {repeat("? ", 400'000), ""},
        {repeat("? \n ", 200'000), ""},
        {repeat(": ", 400'000), ""},
        {repeat("&a ", 300'000), ""},
        {repeat("! ", 400'000), ""},
        {repeat("---\n", 200'000), "second document"},
        {repeat("a: 1\n", 200'000), "stands here twice"},
        {"a: " + repeat("\n- x", 200'000), "more than 100000 values"},
    };
    for (const Shape& shape : shapes) {
        const std::clock_t begin = std::clock();
        std::string said = problem(shape.text);
        EXPECT_THAT(said, HasSubstr(shape.says)) << shape.text.substr(0, 20);
        EXPECT_THAT(said, testing::Not(HasSubstr("no problem"))) << shape.text.substr(0, 20);
        EXPECT_LT(seconds_since(begin), 5) << shape.text.substr(0, 20);
    }
}

// Processor time of reading so many keys.
std::clock_t cost_of(int keys) {
    std::string text;
    for (int i = 0; i < keys; ++i) {
        text += fmt::format("k{}: 1\n", i);
    }
    const std::clock_t begin = std::clock();
    EXPECT_EQ(problem(text), fmt::format("no problem, {} leaves", keys));
    return std::clock() - begin;
}

// Four times the keys cost sixteen times as much if each is compared with all.
TEST(ConfigYaml, ManyKeysInOneMapDoNotTakeQuadraticTime) {
    EXPECT_LT(cost_of(80'000), 9 * cost_of(20'000));
}

}  // namespace
}  // namespace belfry
