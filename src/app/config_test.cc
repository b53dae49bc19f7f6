#include "app/config.h"

#include "app/config_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace belfry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// A directory of its own for each test, gone afterwards.
class ConfigTest : public testing::Test {
 protected:
    ConfigTest() {
        std::string pattern = testing::TempDir() + "belfry-config-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~ConfigTest() override { std::filesystem::remove_all(directory_); }

    std::string write(std::string_view text) {
        std::string path = directory_ + "/belfry.yaml";
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }
    // The problems of a file, without the directory: "belfry.yaml:1:1: …".
    std::vector<std::string> problems_of(std::string_view text) {
        return problems({.file = write(text), .environment = {}, .flags = {}});
    }
    std::vector<std::string> problems(const ConfigSources& sources) {
        auto loaded = load_config(sources);
        std::vector<std::string> lines;
        if (!loaded) {
            for (const ConfigProblem& problem : loaded.error()) {
                std::string where = problem.where;
                if (where.starts_with(directory_)) {
                    where = where.substr(directory_.size() + 1);
                }
                lines.push_back(where + ": " + problem.what);
            }
        }
        return lines;
    }
    static LoadedConfig load(const ConfigSources& sources) {
        auto loaded = load_config(sources);
        if (!loaded) {
            ADD_FAILURE() << problem_lines(loaded.error());
            return {};
        }
        return *std::move(loaded);
    }
    static std::string origin_of(const LoadedConfig& loaded, std::string_view key) {
        const Setting* setting = find_setting(key);
        return setting == nullptr
                   ? ""
                   : loaded.origins[static_cast<std::size_t>(setting - settings().data())];
    }

    std::string directory_;
};

TEST_F(ConfigTest, WithoutSourcesEverythingIsDefault) {
    LoadedConfig loaded = load({});
    EXPECT_EQ(loaded.config.http_listen, "127.0.0.1:8420");
    EXPECT_EQ(loaded.config.log_retention_age, std::chrono::days(7));
    EXPECT_EQ(loaded.config.limits.body_bytes, 1024U * 1024U);
    EXPECT_THAT(loaded.origins, testing::Each("default"));
    EXPECT_EQ(loaded.origins.size(), settings().size());
}

TEST_F(ConfigTest, AFlagPassesTheEnvironmentWhichPassesTheFile) {
    std::string file =
        write("http: {listen: '127.0.0.1:1'}\ndata: from-file\nlogging: {level: debug}\n");
    std::vector<std::pair<std::string, std::string>> environment = {
        {"BELFRY_HTTP__LISTEN", "127.0.0.1:2"}, {"BELFRY_DATA", "from-env"}, {"PATH", "/bin"}
    };
    std::vector<FlagSetting> flags = {
        {.flag = "--listen", .key = "http.listen", .value = "127.0.0.1:3"}
    };
    LoadedConfig loaded = load({.file = file, .environment = environment, .flags = flags});
    EXPECT_EQ(loaded.config.http_listen, "127.0.0.1:3");
    EXPECT_EQ(origin_of(loaded, "http.listen"), "--listen");
    EXPECT_EQ(loaded.config.data, "from-env");
    EXPECT_EQ(origin_of(loaded, "data"), "BELFRY_DATA");
    EXPECT_EQ(loaded.config.logging_level, "debug");
    EXPECT_EQ(origin_of(loaded, "logging.level"), file + ":3:18");
    EXPECT_EQ(origin_of(loaded, "insecure"), "default");
}

TEST_F(ConfigTest, OfFlagsTheLastOneCounts) {
    LoadedConfig loaded = load(
        {.file = {},
         .environment = {},
         .flags =
             {{.flag = "--set", .key = "data", .value = "a"},
              {.flag = "--data", .key = "data", .value = "b"}}}
    );
    EXPECT_EQ(loaded.config.data, "b");
    EXPECT_EQ(origin_of(loaded, "data"), "--data");
}

TEST_F(ConfigTest, EverySettingReadsBackFromItsOwnText) {
    Config defaults;
    for (const Setting& setting : settings()) {
        Config config;
        std::string text = setting_value(setting, defaults);
        Result<void> set = set_setting(setting, text, config);
        EXPECT_TRUE(set.has_value()) << setting.key << "=" << text << ": " << set.error().detail;
        EXPECT_EQ(setting_value(setting, config), text) << setting.key;
        EXPECT_FALSE(setting.text.empty()) << setting.key;
        EXPECT_EQ(find_setting(setting.key), &setting) << "the key stands in the table twice";
    }
}

TEST_F(ConfigTest, EverySettingCanBeSetInAllWays) {
    // A value for each type that is not the default, and for some that contradicts no other one's.
    Config defaults;
    for (const Setting& setting : settings()) {
        std::string value;
        switch (setting.type) {
            case SettingType::text:
                value = setting.key == "http.listen"            ? "[::1]:7"
                        : setting.key == "outbound.allow"       ? "10.0.0.0/8"
                        : setting.key == "outbound.allow_ports" ? "81"
                        : setting.key == "outbound.allow_unix"  ? "/run/a"
                        : setting.key == "node.address"         ? "10.0.0.5"
                                                                : "elsewhere";
                break;
            case SettingType::boolean:
                value = "true";
                break;
            case SettingType::choice:
                value = setting.choices.back();
                break;
            case SettingType::duration:
                value = "9876ms";
                break;
            case SettingType::bytes:
                value = setting.key == "limits.body_bytes"          ? "9KB"
                        : setting.key == "limits.header_bytes"      ? "9KB"
                        : setting.key == "limits.batch_bytes"       ? "9MB"
                        : setting.key == "log.retention.hard_bytes" ? "67GB"
                                                                    : "67MB";
                break;
            case SettingType::count:
            case SettingType::milliseconds:
                value = "77";
                break;
            case SettingType::json:
                continue;  // below
        }
        Config config;
        ASSERT_TRUE(set_setting(setting, value, config)) << setting.key << " " << value;
        std::string expected = setting_value(setting, config);
        EXPECT_NE(expected, setting_value(setting, defaults)) << setting.key;
        std::string file = write(fmt::format("{}: \"{}\"\n", setting.key, value));
        for (const ConfigSources& way : std::vector<ConfigSources>{
                 {.file = file, .environment = {}, .flags = {}},
                 {.file = {}, .environment = {{environment_name(setting.key), value}}, .flags = {}},
                 {.file = {},
                  .environment = {},
                  .flags = {{.flag = "--set", .key = std::string(setting.key), .value = value}}}
             }) {
            EXPECT_EQ(setting_value(setting, load(way).config), expected) << setting.key;
        }
    }
}

TEST_F(ConfigTest, ADocumentHasOrderAndTypesFromEverySource) {
    constexpr std::string_view kJson =
        R"({"zeta":{"argv":["/bin/echo","8080","true"],"concurrency":3},)"
        R"("alpha":{"argv":["a"],"environment":{"PORT":"1"},"timeout":"30s","format":"consul"}})";
    std::string file = write(
        "commands:\n"
        "  zeta:\n"
        "    argv: [/bin/echo, '8080', \"true\"]\n"
        "    concurrency: 3\n"
        "  alpha: {argv: [a], environment: {PORT: '1'}, timeout: 30s, format: consul}\n"
    );
    LoadedConfig from_file = load({.file = file, .environment = {}, .flags = {}});
    EXPECT_EQ(from_file.config.commands, kJson);
    EXPECT_EQ(origin_of(from_file, "commands"), file + ":2:3");
    std::string spaced(kJson);
    spaced.insert(1, " \n ");
    LoadedConfig from_environment =
        load({.file = {}, .environment = {{"BELFRY_COMMANDS", spaced}}, .flags = {}});
    EXPECT_EQ(from_environment.config.commands, kJson);
    EXPECT_EQ(origin_of(from_environment, "commands"), "BELFRY_COMMANDS");
    // The whole document, not a part of it.
    LoadedConfig from_flag = load(
        {.file = file,
         .environment = {{"BELFRY_COMMANDS", spaced}},
         .flags = {{.flag = "--set", .key = "commands", .value = R"({"b":{"argv":["b"]}})"}}}
    );
    EXPECT_EQ(from_flag.config.commands, R"({"b":{"argv":["b"]}})");
    EXPECT_EQ(origin_of(from_flag, "commands"), "--set");
}

TEST_F(ConfigTest, WithoutAValueADocumentIsItsDefault) {
    for (std::string_view text : {"commands:\n", "commands: ~\n", "commands: {}\n"}) {
        LoadedConfig loaded = load({.file = write(text), .environment = {}, .flags = {}});
        EXPECT_EQ(loaded.config.commands, "{}") << text;
    }
}

TEST_F(ConfigTest, AShownDocumentReadsBackEqual) {
    constexpr std::string_view kJson =
        R"({"odd":{"argv":["/bin/sh","-c","echo \"a\\b\": [x], # \u0001\n\u00fc \ud83d\ude00"],)"
        R"("environment":{"A":"no","B":"12","C":"","D":"~"}}})";
    LoadedConfig loaded =
        load({.file = {}, .environment = {{"BELFRY_COMMANDS", std::string(kJson)}}, .flags = {}});
    for (ShowOrigin origin : {ShowOrigin::no, ShowOrigin::yes}) {
        LoadedConfig again =
            load({.file = write(config_yaml(loaded, origin)), .environment = {}, .flags = {}});
        EXPECT_EQ(again.config.commands, loaded.config.commands);
    }
    EXPECT_THAT(
        config_json(loaded), HasSubstr(R"("commands":{"value":{"odd":{"argv":["/bin/sh","-c")")
    );
    EXPECT_THAT(config_yaml(loaded, ShowOrigin::yes), HasSubstr(" # BELFRY_COMMANDS\n"));
}

TEST_F(ConfigTest, WhatIsWrongInADocumentHasItsMemberAndItsPlace) {
    struct Case {
        std::string_view text;
        std::string_view says;
    };
    for (const Case& c : std::vector<Case>{
             {"commands: 5\n",
              "belfry.yaml:1:11: `commands`: an object of commands by name is expected"},
             {"commands: [a]\n", "belfry.yaml:1:11: `commands`: an object of commands"},
             {"commands:\n  a: 5\n", "belfry.yaml:2:6: `commands`: \"a\": an object is expected"},
             {"commands:\n  a:\n", "belfry.yaml:2:3: `commands`: \"a\": an object is expected"},
             {"commands:\n  a:\n    argvv: [x]\n    argv: [x]\n",
              "belfry.yaml:3:5: `commands`: \"a.argvv\" is not known here"},
             {"commands:\n  a: {user: x}\n", "belfry.yaml:2:6: `commands`: \"a.argv\" is missing"},
             {"commands:\n  a:\n    argv:\n      - /bin/true\n      - 8080\n",
              "belfry.yaml:5:9: `commands`: \"a.argv[1]\": a string is expected"},
             {"commands:\n  a.b: {argv: [x], timeout: soon}\n",
              "belfry.yaml:2:29: `commands`: \"a.b.timeout\": "},
             {"commands:\n  a: {argv: [x], environment: {A: 5}}\n",
              "belfry.yaml:2:35: `commands`: \"a.environment.A\": a text is expected; a number "
              "needs quotes"},
             {"x: &x {timeout: 5s}\ncommands: {a: {<<: *x, argv: [x]}}\n",
              "belfry.yaml:2:16: merge keys (`<<`) are not accepted"},
             {"commands: {a: {argv: [x], concurrency: .inf}}\n",
              "belfry.yaml:1:40: `.inf` cannot be said in JSON"},
             {"commands.a: {argv: [x]}\n",
              "belfry.yaml:1:1: `commands` is one value; write `a` below it, without the dot"},
             {"comands:\n  a: {argv: [x]}\n",
              "belfry.yaml:1:1: unknown key `comands`; did you mean `commands`?"},
         }) {
        EXPECT_THAT(problems_of(c.text), Contains(HasSubstr(c.says))) << c.text;
    }
    EXPECT_THAT(
        problems(
            {.file = {},
             .environment = {{"BELFRY_COMMANDS", R"({"a":{"argv":[]}})"}},
             .flags = {{.flag = "--set", .key = "commands", .value = "{"}}}
        ),
        ElementsAre(
            "BELFRY_COMMANDS: `commands`: \"a.argv\": from 1 to 1000 texts are expected",
            HasSubstr("--set: `commands`: malformed JSON at byte 1")
        )
    );
}

TEST_F(ConfigTest, ADocumentOfAliasesCannotUnfoldWithoutEnd) {
    std::string text = "x: &x \"" + std::string(50'000, 'x') + "\"\ncommands: {a: {argv: [";
    for (int i = 0; i < 90; ++i) {
        text += "*x, ";
    }
    EXPECT_THAT(
        problems_of(text + "y]}}\n"),
        Contains(HasSubstr("unfolds to more than 1048576 bytes (limits.yaml_bytes)"))
    );
}

TEST_F(ConfigTest, NestedAndDottedKeysAreTheSame) {
    LoadedConfig loaded = load(
        {.file = write("log.retention: {age: 3d}\nlog: {retention.bytes: 5GiB}\n"),
         .environment = {},
         .flags = {}}
    );
    EXPECT_EQ(loaded.config.log_retention_age, std::chrono::days(3));
    EXPECT_EQ(loaded.config.log_retention_bytes, 5ULL << 30U);
    EXPECT_THAT(
        problems_of("log.retention.age: 3d\nlog:\n  retention:\n    age: 4d\n"),
        ElementsAre("belfry.yaml:4:10: `log.retention.age` stands in this file twice")
    );
}

TEST_F(ConfigTest, AnUnknownKeyIsAnErrorWithItsPlaceAndTheNearestName) {
    EXPECT_THAT(
        problems_of("http:\n  listten: x\n"),
        ElementsAre("belfry.yaml:2:3: unknown key `http.listten`; did you mean `http.listen`?")
    );
    EXPECT_THAT(
        problems_of("data: x\nhtpp:\n  listen: x\n"),
        ElementsAre("belfry.yaml:2:1: unknown key `htpp.listen`; did you mean `http.listen`?")
    );
    EXPECT_THAT(
        problems_of("zebra: {}\n"),
        ElementsAre("belfry.yaml:1:1: unknown key `zebra`; `belfry config show` lists all of them")
    );
    // Merge keys are no exception.
    EXPECT_THAT(
        problems_of("http: &x {listen: '127.0.0.1:1'}\nlog:\n  <<: *x\n"),
        Contains(HasSubstr("belfry.yaml:3:3: unknown key `log.<<.listen`"))
    );
}

TEST_F(ConfigTest, AllProblemsAreToldAtOnce) {
    std::vector<std::string> lines = problems(
        {.file = write("a: 1\nlog:\n  retention:\n    age: soon\n"),
         .environment = {{"BELFRY_LOG__TAIL_BYTES", "much"}},
         .flags = {{.flag = "--set", .key = "nothing", .value = "1"}}}
    );
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_THAT(lines[0], HasSubstr("--set: unknown key `nothing`"));
    EXPECT_THAT(lines[1], HasSubstr("belfry.yaml:1:1: unknown key `a`"));
    EXPECT_THAT(lines[2], HasSubstr("belfry.yaml:4:10: `log.retention.age`: "));
    EXPECT_THAT(lines[3], HasSubstr("BELFRY_LOG__TAIL_BYTES: `log.tail_bytes`: "));
}

TEST_F(ConfigTest, AFileOfMistakesEndsAtTheFiftieth) {
    std::string text;
    for (int i = 0; i < 5'000; ++i) {
        text += fmt::format("nothing{}: 1\n", i);
    }
    EXPECT_EQ(problems_of(text).size(), 50U);
}

TEST_F(ConfigTest, BadValuesHaveTheirPlace) {
    struct Case {
        std::string_view text;
        std::string_view says;
    };
    for (const Case& c : std::vector<Case>{
             {"log.retention.age: 7 days", "belfry.yaml:1:20: `log.retention.age`: "},
             {"log.retention.age: 7", "belfry.yaml:1:20: `log.retention.age`: "},
             {"log.retention.age: -1d", "belfry.yaml:1:20: `log.retention.age`: "},
             {"log.retention.age: 0s", "at least 1s is needed"},
             {"log.retention.age: 999999999999d", "belfry.yaml:1:20: `log.retention.age`: "},
             {"log.segment_bytes: 64 MiB", "belfry.yaml:1:20: `log.segment_bytes`: "},
             {"log.segment_bytes: 1023KiB", "at least 1MiB is needed"},
             {"log.segment_bytes: 5GiB", "at most 4GiB is possible"},
             {"log.segment_bytes: 99999999999999999999TiB",
              "belfry.yaml:1:20: `log.segment_bytes`: "},
             {"limits.connections: many", "a whole number is expected"},
             {"limits.connections: 1.5", "a whole number is expected"},
             {"limits.connections: -1", "a whole number is expected"},
             {"limits.connections: 0", "at least 1 is needed"},
             {"limits.connections: 99999999999999999999", "a whole number is expected"},
             {"limits.idle_ms: 60s", "a whole number is expected"},
             {"insecure: yes", "belfry.yaml:1:11: `insecure`: `true` or `false` is expected"},
             {"logging: {format: xml}",
              "belfry.yaml:1:19: `logging.format`: one of auto, text, json"},
             {"http: {listen: localhost}", "`http.listen`: "},
             {"http: {listen: ':8420'}", "`http.listen`: "},
             {"http: {listen: '127.0.0.1:65536'}", "`http.listen`: "},
             {"data: ''", "belfry.yaml:1:7: `data`: a value is expected"},
             {"data:", "belfry.yaml:1:1: `data` needs one value"},
             {"data: [a]", "belfry.yaml:1:7: `data` needs one value"},
             {"data: {x: 1}", "belfry.yaml:1:8: `data` needs one value"},
             {"http: 5", "belfry.yaml:1:7: `http` is a section"},
             {"limits.body_bytes: 9MiB",
              "`limits.body_bytes` must not be larger than `limits.batch_bytes`"},
             {"log.retention.hard_bytes: 9GiB",
              "belfry.yaml:1:27: `log.retention.bytes` must not be larger than "
              "`log.retention.hard_bytes`"},
         }) {
        EXPECT_THAT(problems_of(c.text), ElementsAre(HasSubstr(c.says))) << c.text;
    }
}

TEST_F(ConfigTest, AnEmptySectionIsNoError) {
    EXPECT_THAT(problems_of("http:\nlog: {}\n"), testing::IsEmpty());
}

TEST_F(ConfigTest, MistypedEnvironmentIsAnErrorAndForeignOneIsNot) {
    auto from = [&](std::string name) {
        return problems(
            {.file = {}, .environment = {{std::move(name), "tcp://10.0.0.1:80"}}, .flags = {}}
        );
    };
    EXPECT_THAT(
        from("BELFRY_HTTP__LISTN"),
        ElementsAre(
            "BELFRY_HTTP__LISTN: not the name of a setting; did you mean `BELFRY_HTTP__LISTEN`?"
        )
    );
    EXPECT_THAT(
        from("BELFRY_HTTP_LISTEN"), ElementsAre(HasSubstr("did you mean `BELFRY_HTTP__LISTEN`?"))
    );
    // What Kubernetes gives every pod beside a service named belfry, and the command line's own.
    for (const char* name :
         {"BELFRY_PORT",
          "BELFRY_SERVICE_HOST",
          "BELFRY_PORT_80_TCP_ADDR",
          "BELFRY_URL",
          "BELFRY_TOKEN"}) {
        EXPECT_THAT(from(name), testing::IsEmpty()) << name;
    }
}

TEST_F(ConfigTest, AFileThatCannotBeReadSaysWhy) {
    EXPECT_THAT(
        problems({.file = directory_ + "/none.yaml", .environment = {}, .flags = {}}),
        ElementsAre("none.yaml: cannot be opened: No such file or directory")
    );
    std::filesystem::create_directory(directory_ + "/d");
    EXPECT_THAT(
        problems({.file = directory_ + "/d", .environment = {}, .flags = {}}),
        ElementsAre("d: cannot be read: Is a directory")
    );
    std::filesystem::create_symlink("loop", directory_ + "/loop");
    EXPECT_THAT(
        problems({.file = directory_ + "/loop", .environment = {}, .flags = {}}),
        ElementsAre(HasSubstr("cannot be opened"))
    );
    EXPECT_THAT(
        problems({.file = "/dev/zero", .environment = {}, .flags = {}}),
        ElementsAre(HasSubstr("larger than 1048576 bytes"))
    );
}

TEST_F(ConfigTest, TheLimitsOfAFileComeFromOutsideOfIt) {
    std::string file = write("limits: {yaml_bytes: 10}\ndata: x\n");
    EXPECT_THAT(problems({.file = file, .environment = {}, .flags = {}}), testing::IsEmpty());
    EXPECT_THAT(
        problems({.file = file, .environment = {{"BELFRY_LIMITS__YAML_BYTES", "10"}}, .flags = {}}),
        ElementsAre(HasSubstr("larger than 10 bytes"))
    );
}

TEST_F(ConfigTest, ShownConfigurationReadsBackEqual) {
    std::string file =
        write("data: \"odd \\\" # : [name]\"\nlog: {retention: {age: 90s}}\nlimits: {idle_ms: 5}\n"
        );
    LoadedConfig loaded = load({.file = file, .environment = {}, .flags = {}});
    EXPECT_EQ(loaded.config.data, "odd \" # : [name]");
    for (ShowOrigin origin : {ShowOrigin::no, ShowOrigin::yes}) {
        LoadedConfig again =
            load({.file = write(config_yaml(loaded, origin)), .environment = {}, .flags = {}});
        for (const Setting& setting : settings()) {
            EXPECT_EQ(setting_value(setting, again.config), setting_value(setting, loaded.config));
        }
    }
    std::string shown = config_yaml(loaded, ShowOrigin::yes);
    EXPECT_THAT(shown, testing::ContainsRegex("log.retention.age: 1m30s +# .*belfry.yaml:2:24\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("http.listen: 127.0.0.1:8420 +# default\n"));
    EXPECT_THAT(
        config_json(loaded), HasSubstr(R"("insecure":{"value":"false","origin":"default"})")
    );
}

// Five hundred files with one thing wrong: all are refused, each with file, line and column.
TEST_F(ConfigTest, GeneratedBadFilesAreAllRefused) {
    std::mt19937_64 random(20260101);
    std::span<const Setting> rows = settings();
    for (int i = 0; i < 500; ++i) {
        const Setting& setting = rows[random() % rows.size()];
        std::string value = setting_value(setting, Config{});
        std::string good = fmt::format("{}: \"{}\"\n", setting.key, value);
        std::string text;
        switch (random() % 6) {
            case 0:
                text = fmt::format("{}: [\n", setting.key);
                break;
            case 1:
                text = fmt::format("{}x: \"{}\"\n", setting.key, value);
                break;
            case 2:
                text = good + good;
                break;
            case 3:
                text = fmt::format("{}: *nothing\n", setting.key);
                break;
            case 4:
                text = fmt::format("{}: !!binary \"{}\"\n", setting.key, value);
                break;
            default:
                text = fmt::format("{}: \"{}\x01\"\n", setting.key, value);
                break;
        }
        EXPECT_THAT(
            problems_of(text), ElementsAre(testing::ContainsRegex("^belfry.yaml:[0-9]+:[0-9]+: .+"))
        ) << text;
    }
}

// BELFRY_UPDATE=1 writes the page anew.
TEST_F(ConfigTest, ThePageOfSettingsIsTheTable) {
    std::filesystem::path page =
        std::filesystem::path(__FILE__).parent_path() / "../../docs/configuration.md";
    if (std::getenv("BELFRY_UPDATE") != nullptr) {
        std::ofstream(page) << configuration_page();
    }
    std::ostringstream text;
    text << std::ifstream(page).rdbuf();
    EXPECT_EQ(text.str(), configuration_page()) << "run app_test with BELFRY_UPDATE=1";
}

}  // namespace
}  // namespace belfry
