#include "app/extension_sources.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

TEST(ExtensionSources, OneUrlOfSeveralSourcesIsOneExtension) {
    Config config;
    config.steadybit_extensions_directory = "none";
    config.steadybit_extensions = R"([{"name":"mine","url":"http://a","profile":"poll"}])";
    config.steadybit_poll_interval = 2s;
    config.steadybit_poll_limit = 3;
    const auto found = configured_extensions(
        config,
        {{"STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_0_URL", "http://a/"},
         {"STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_1_URL", "http://b"},
         {"STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_2_URL", "nonsense"}}
    );
    const std::vector<RegisteredExtension>& all = found.extensions;
    EXPECT_EQ(found.unread, std::vector{RegisteredExtension::Origin::environment});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, "mine");
    EXPECT_EQ(all[0].origin, RegisteredExtension::Origin::configuration);
    EXPECT_EQ(all[0].poll, (Pace{.events = 3, .every = 2s}));
    EXPECT_EQ(all[1].origin, RegisteredExtension::Origin::environment);
}

TEST(ExtensionSources, ADirectoryThatCannotBeReadIsNamedAndAMissingOneIsNot) {
    Config config;
    config.steadybit_extensions_directory = testing::TempDir() + "no-such-directory";
    EXPECT_TRUE(configured_extensions(config, {}).unread.empty());
    config.steadybit_extensions_directory = std::string(5'000, 'x');
    EXPECT_EQ(
        configured_extensions(config, {}).unread, std::vector{RegisteredExtension::Origin::drop_in}
    );
}

TEST(ExtensionSources, WhatIsPrintedHasNoPassword) {
    const std::string shown =
        without_passwords(R"([{"url":"http://u:secret-1@h/p"},)"
                          R"({"url":"http://h","basic":{"username":"u","password":"secret-2"}}])");
    EXPECT_EQ(
        shown,
        R"([{"url":"http://h/p"},)"
        R"j({"url":"http://h","basic":{"username":"u","password":"(hidden)"}}])j"
    );
    EXPECT_EQ(without_passwords("[]"), "[]");
    EXPECT_EQ(without_passwords("nonsense"), "(hidden)");
}

}  // namespace
}  // namespace belfry
