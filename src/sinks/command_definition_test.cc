#include "sinks/command_definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

// "field: detail", empty if it is good.
std::string problem(std::string_view json) {
    Result<CommandDefinitions> commands = parse_command_definitions(json);
    return commands ? "" : commands.error().field + ": " + commands.error().detail;
}

TEST(CommandDefinitions, HaveDefaults) {
    CommandDefinitions commands = parse_command_definitions(R"({"a":{"argv":["/bin/a"]}})").value();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(
        commands.at("a"), (CommandDefinition{.argv = {"/bin/a"}, .user = {}, .environment = {}})
    );
}

TEST(CommandDefinitions, AreReadWithAllMembers) {
    CommandDefinitions commands =
        parse_command_definitions(R"({"b":{"argv":["b","-x",""],"user":"www","environment":)"
                                  R"({"Z_1":"z","A":""},"timeout":"1m30s","concurrency":4,)"
                                  R"("format":"consul"},"a.b":{"argv":["c"],)"
                                  R"("format":"cloudevents"}})")
            .value();
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(
        commands.at("b"),
        (CommandDefinition{
            .argv = {"b", "-x", ""},
            .user = "www",
            .environment = {{"Z_1", "z"}, {"A", ""}},
            .timeout = 90s,
            .concurrency = 4,
            .format = CommandDefinition::Format::consul
        })
    );
}

TEST(CommandDefinitions, WhatIsWrongHasItsPath) {
    struct Case {
        std::string_view json;
        std::string_view says;
    };
    for (const Case& c : std::vector<Case>{
             {"5", ": an object of commands by name is expected"},
             {R"({"a":5})", "a: an object is expected"},
             {R"({"A b":{"argv":["x"]}})", "A b: a name is 1 to 128"},
             {R"({"a":{}})", "a.argv: \"a.argv\" is missing"},
             {R"({"a":{"argv":"x"}})", "a.argv: \"a.argv\": an array is expected"},
             {R"({"a":{"argv":[]}})", "a.argv: from 1 to 1000 texts are expected"},
             {R"({"a":{"argv":["x",5]}})", "a.argv[1]: \"a.argv[1]\": a string is expected"},
             {R"({"a":{"argv":[""]}})", "a.argv[0]: an absolute path, or a name without `/`"},
             {R"({"a":{"argv":["bin/x"]}})", "a.argv[0]: an absolute path"},
             {R"({"a":{"argv":["../x"]}})", "a.argv[0]: an absolute path"},
             {R"({"a":{"argv":["x","b\u0000c"]}})", "a.argv[1]: a zero byte cannot be part of it"},
             {R"({"a":{"argv":["x"],"user":""}})", "a.user: the name of a user is expected"},
             {R"({"a":{"argv":["x"],"user":0}})", "a.user: \"a.user\": a string is expected"},
             {R"({"a":{"argv":["x"],"environment":["A=b"]}})", "a.environment: an object of at"},
             {R"({"a":{"argv":["x"],"environment":{"A":1}}})", "a.environment.A: a text is"},
             {R"({"a":{"argv":["x"],"environment":{"1A":""}}})", "a.environment.1A: letters"},
             {R"({"a":{"argv":["x"],"environment":{"A=B":""}}})", "a.environment.A=B: letters"},
             {R"({"a":{"argv":["x"],"environment":{"BELFRY_OFFSET":"1"}}})",
              "a.environment.BELFRY_OFFSET: Belfry sets this one itself"},
             {R"({"a":{"argv":["x"],"environment":{"CONSUL_INDEX":"1"}}})",
              "a.environment.CONSUL_INDEX: Belfry sets this one itself"},
             {R"({"a":{"argv":["x"],"timeout":30}})", "a.timeout: \"a.timeout\": a string"},
             {R"({"a":{"argv":["x"],"timeout":"soon"}})", "a.timeout: "},
             {R"({"a":{"argv":["x"],"timeout":"99ms"}})", "a.timeout: from 100ms to 1d"},
             {R"({"a":{"argv":["x"],"timeout":"25h"}})", "a.timeout: from 100ms to 1d"},
             {R"({"a":{"argv":["x"],"concurrency":0}})", "a.concurrency: from 1 to 1000"},
             {R"({"a":{"argv":["x"],"concurrency":1001}})", "a.concurrency: from 1 to 1000"},
             {R"({"a":{"argv":["x"],"format":"json"}})", "a.format: cloudevents or consul"},
             {R"({"a":{"argv":["x"],"shell":true}})", "a.shell: \"a.shell\" is not known here"},
         }) {
        EXPECT_THAT(problem(c.json), testing::StartsWith(c.says)) << c.json;
    }
}

}  // namespace
}  // namespace belfry
