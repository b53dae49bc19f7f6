#include "app/command_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const ProgramTexts kTexts = {
    .name = "program",
    .summary = "does things",
    .examples = "EXAMPLES\n  program\n",
    .version = "1.2"
};

// One command with an option of each kind, parsed once.
struct Line {
    std::string place;
    std::string text = "first";
    std::vector<std::string> list;
    std::uint16_t port = 9000;
    int level = 3;
    double rate = 0.5;
    std::optional<std::uint64_t> count;
    bool flag = false;
    CommandOption place_option;
    int chosen = 0;

    ParsedWords parse(std::vector<std::string> words) {
        ArgumentParser parser(kTexts);
        parser.program().add_flag("--everywhere", everywhere, "of the program");
        CommandArguments command =
            parser.program().add_subcommand("run", "Run it", "EXAMPLES\n  program run\n");
        place_option = command.add_option("PLACE", place, "by its place");
        command.add_option("--text", text, "words").with_default_in_help();
        command.add_option("--list", list, "more").one_value_each();
        command.add_option("--port", port, "a port");
        command.add_option("--level", level, "how much").between(1, 5);
        command.add_option("--rate", rate, "how fast").between(0.25, 2.5);
        command.add_option("-n,--count", count, "how many");
        command.add_option("--kind", kind, "which").one_of({"one", "two"});
        command.add_flag("--flag", flag, "yes");
        command.when_chosen([this] { ++chosen; });
        CommandArguments group = parser.program().add_subcommand("group", "More", "EXAMPLES\n");
        group.require_subcommand();
        group.add_subcommand("inner", "One of them", "EXAMPLES\n")
            .add_option("NAME", text, "its name")
            .required();
        ParsedWords parsed = parser.parse(std::move(words));
        place_given = place_option.given();
        return parsed;
    }

    std::string kind;
    bool everywhere = false;
    bool place_given = false;
};

ParsedWords parsed(std::vector<std::string> words) {
    Line line;
    return line.parse(std::move(words));
}

TEST(CommandArguments, ValuesOfEveryTypeAreRead) {
    Line line;
    const ParsedWords words = line.parse(
        {"run",
         "here",
         "--list",
         "a",
         "--list",
         "b",
         "--port",
         "65535",
         "--level",
         "5",
         "--rate",
         "2.5",
         "-n",
         "7",
         "--kind",
         "two",
         "--flag",
         "--everywhere"}
    );
    ASSERT_EQ(words.kind, ParsedWords::Kind::command) << words.text;
    EXPECT_EQ(line.chosen, 1);
    EXPECT_EQ(line.place, "here");
    EXPECT_EQ(line.text, "first");
    EXPECT_THAT(line.list, ElementsAre("a", "b"));
    EXPECT_EQ(line.port, 65535);
    EXPECT_EQ(line.level, 5);
    EXPECT_EQ(line.rate, 2.5);
    EXPECT_EQ(line.count, 7U);
    EXPECT_EQ(line.kind, "two");
    EXPECT_TRUE(line.flag);
    EXPECT_TRUE(line.everywhere);
}

TEST(CommandArguments, AnEmptyValueIsGivenAnAbsentOneIsNot) {
    Line empty;
    EXPECT_EQ(empty.parse({"run", ""}).kind, ParsedWords::Kind::command);
    EXPECT_TRUE(empty.place_given);
    Line absent;
    EXPECT_EQ(absent.parse({"run"}).kind, ParsedWords::Kind::command);
    EXPECT_FALSE(absent.place_given);
    EXPECT_EQ(absent.count, std::nullopt);
}

TEST(CommandArguments, AMistakeIsNamedAndNothingIsChosen) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{}, "A subcommand is required"},
        {{"group"}, "A subcommand is required"},
        {{"rnu", "one"}, "`rnu` is not a command; did you mean `run`?"},
        {{"group", "iner"}, "`iner` is not a command of `group`; did you mean `inner`?"},
        {{"zebra"}, "`zebra` is not a command"},
        {{"--flag", "zebra"}, "A subcommand is required"},
        {{"group", "inner"}, "NAME is required"},
        {{"run", "--nonsense"}, "--nonsense"},
        {{"run", "one", "two"}, "not expected: two"},
        {{"run", "--list", "a", "b", "c"}, "not expected: c"},
        {{"run", "--port", "65536"}, "--port"},
        {{"run", "--count", "many"}, "--count"},
        {{"run", "--level", "6"}, "--level: Value 6 not in range 1 to 5"},
        {{"run", "--rate", "3"}, "--rate: Value 3 not in range 0.25"},
        {{"run", "--kind", "three"}, "--kind: three not in {one,two}"},
        {{"run", "--text"}, "--text: 1 required TEXT missing"},
    };
    for (const auto& [words, wanted] : cases) {
        Line line;
        const ParsedWords answer = line.parse(words);
        EXPECT_EQ(answer.kind, ParsedWords::Kind::mistake) << testing::PrintToString(words);
        EXPECT_THAT(answer.text, HasSubstr(wanted)) << testing::PrintToString(words);
        EXPECT_EQ(line.chosen, 0) << testing::PrintToString(words);
    }
}

TEST(CommandArguments, HelpBeginsWithTheExamplesAndNamesDefaultsAndTheProgramsOptions) {
    const ParsedWords help = parsed({"run", "--help"});
    EXPECT_EQ(help.kind, ParsedWords::Kind::question);
    EXPECT_THAT(help.text, StartsWith("EXAMPLES\n  program run\n"));
    EXPECT_THAT(help.text, HasSubstr("--text TEXT=first"));
    EXPECT_THAT(help.text, Not(HasSubstr("9000")));
    EXPECT_THAT(help.text, HasSubstr("INT in [1 - 5]"));
    EXPECT_THAT(help.text, HasSubstr("{one,two}"));
    EXPECT_THAT(parsed({"--help"}).text, HasSubstr("--everywhere"));
    EXPECT_EQ(parsed({"--version"}).text, "1.2\n");
}

}  // namespace
}  // namespace belfry
