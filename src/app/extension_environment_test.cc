#include "app/extension_environment.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kTyped = "STEADYBIT_AGENT_EVENTS_EXTENSIONS_0_";
constexpr const char* kUntyped = "STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_0_";

std::string typed(const std::string& member) {
    return kTyped + member;
}

// "variable: what" of the only problem.
std::string environment_problem(const Environment& environment) {
    const FoundExtensions found = extensions_of_environment(environment);
    EXPECT_TRUE(found.extensions.empty());
    EXPECT_EQ(found.problems.size(), 1U);
    return found.problems.empty() ? "" : found.problems[0].where + ": " + found.problems[0].what;
}

TEST(ExtensionEnvironment, RegistersByBothSpellings) {
    const FoundExtensions found = extensions_of_environment(Environment{
        {"PATH", "/bin"},
        {"STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_1_URL", "http://b:8081/p"},
        {"STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_0_URL", "https://u:p@a"},
        {typed("URL"), "http://e:8080"},
        {typed("METHOD"), "post"},
        {typed("BASIC_USERNAME"), "me"},
        {typed("BASIC_PASSWORD"), "secret"},
        {"STEADYBIT_AGENT_ACTIONS_EXTENSIONS_0_URL", "http://other"},
        {"STEADYBIT_AGENT_KEY", "x"},
    });
    EXPECT_TRUE(found.problems.empty());
    ASSERT_EQ(found.extensions.size(), 3U);
    EXPECT_EQ(found.extensions[0].url, "http://e:8080/");
    EXPECT_EQ(found.extensions[0].name, "e:8080");
    EXPECT_EQ(found.extensions[0].method, "POST");
    EXPECT_EQ(found.extensions[0].basic, (BasicAuth{"me", "secret"}));
    EXPECT_EQ(found.extensions[0].origin, RegisteredExtension::Origin::environment);
    EXPECT_EQ(found.extensions[1].url, "https://a/");
    EXPECT_EQ(found.extensions[1].basic, (BasicAuth{"u", "p"}));
    EXPECT_EQ(found.extensions[2].url, "http://b:8081/p");
}

TEST(ExtensionEnvironment, HttpsOnesAreShownTheAgentsCertificate) {
    const std::string prefix = "STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_";
    const Environment both{
        {typed("URL"), "http://a"},
        {std::string(kUntyped) + "URL", "https://b"},
        {prefix + "CHAIN_FILE", "/c/chain.pem"},
        {prefix + "KEY_FILE", "/c/key.pem"},
    };
    const FoundExtensions found = extensions_of_environment(both);
    EXPECT_TRUE(found.problems.empty());
    ASSERT_EQ(found.extensions.size(), 2U);
    EXPECT_FALSE(found.extensions[0].tls.has_value());
    EXPECT_EQ(
        found.extensions[1].tls,
        (ExtensionTls{.ca = "", .certificate = "/c/chain.pem", .key = "/c/key.pem"})
    );
    EXPECT_EQ(
        environment_problem({{prefix + "CHAIN_FILE", "/c/chain.pem"}}),
        prefix + "KEY_FILE: certificate and key go together: this one is missing"
    );
    EXPECT_THAT(
        environment_problem({{prefix + "KEY_FILE", "/k"}}),
        testing::StartsWith(prefix + "CHAIN_FILE:")
    );
}

TEST(ExtensionEnvironment, WhatHasNoEffectIsNamedAndLeavesNothingOut) {
    const Environment environment{
        {typed("URL"), "https://a"},
        {"STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_PASSWORD", "hunter2"},
        {"STEADYBIT_AGENT_EXTENSIONS_INSECURE_SKIP_VERIFY", "true"},
        {"STEADYBIT_AGENT_EXTENSIONS_HOSTNAME_VERIFICATION", ""},
    };
    const FoundExtensions found = extensions_of_environment(environment);
    EXPECT_TRUE(found.problems.empty());
    EXPECT_EQ(found.extensions.size(), 1U);
    ASSERT_EQ(found.not_read.size(), 2U);
    EXPECT_EQ(found.not_read[0].where, "STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_PASSWORD");
    EXPECT_THAT(found.not_read[0].what, testing::Not(testing::HasSubstr("hunter2")));
    EXPECT_EQ(found.not_read[1].where, "STEADYBIT_AGENT_EXTENSIONS_INSECURE_SKIP_VERIFY");
    EXPECT_THAT(found.not_read[1].what, testing::HasSubstr("always checked"));
}

TEST(ExtensionEnvironment, OneUrlIsOneExtension) {
    const FoundExtensions found = extensions_of_environment(
        Environment{{typed("URL"), "http://a"}, {std::string(kUntyped) + "URL", "http://A:80/"}}
    );
    EXPECT_TRUE(found.problems.empty());
    EXPECT_EQ(found.extensions.size(), 1U);
}

TEST(ExtensionEnvironment, EmptyValuesAreNone) {
    const FoundExtensions found = extensions_of_environment(Environment{
        {typed("URL"), "http://a"},
        {typed("METHOD"), ""},
        {typed("BASIC_USERNAME"), ""},
        {typed("BASIC_PASSWORD"), ""}
    });
    ASSERT_EQ(found.extensions.size(), 1U);
    EXPECT_EQ(found.extensions[0].method, "GET");
    EXPECT_FALSE(found.extensions[0].basic.has_value());
}

TEST(ExtensionEnvironment, WhatIsWrongIsNamedAndItsSiblingsStay) {
    EXPECT_EQ(
        environment_problem({{typed("METHOD"), "GET"}}),
        typed("URL: the URL of the registration is missing")
    );
    EXPECT_THAT(
        environment_problem({{typed("URL"), "a:8080"}}), testing::StartsWith(typed("URL: "))
    );
    EXPECT_THAT(
        environment_problem({{typed("URL"), "http://a"}, {typed("METHOD"), "G T"}}),
        testing::StartsWith(typed("METHOD: "))
    );
    EXPECT_THAT(
        environment_problem({{typed("URL"), "http://a"}, {typed("BASIC_USERNAME"), "a:b"}}),
        testing::StartsWith(typed("BASIC_USERNAME: "))
    );
    const std::string lonely =
        environment_problem({{typed("URL"), "http://a"}, {typed("BASIC_PASSWORD"), "secret-1"}});
    EXPECT_EQ(lonely, typed("BASIC_USERNAME: there is a password without a user name"));
    EXPECT_EQ(
        environment_problem({{typed("URL"), "http://a"}, {typed("BASIC_USERNAME"), "\xff"}}),
        typed("BASIC_USERNAME: user name and password must be UTF-8")
    );
    EXPECT_THAT(
        environment_problem({{typed("URL"), "http://u:%80@a"}}),
        testing::AllOf(testing::StartsWith(typed("URL: ")), testing::HasSubstr("UTF-8"))
    );
    EXPECT_THAT(
        environment_problem({{typed("URI"), "http://a"}}), testing::StartsWith(typed("URI: not a"))
    );
    const FoundExtensions found = extensions_of_environment(Environment{
        {typed("URL"), "nonsense"}, {"STEADYBIT_AGENT_EVENTS_EXTENSIONS_1_URL", "http://b"}
    });
    EXPECT_EQ(found.problems.size(), 1U);
    EXPECT_EQ(found.extensions.size(), 1U);
}

TEST(ExtensionEnvironment, OtherNamesAreNotOurs) {
    const FoundExtensions found = extensions_of_environment(Environment{
        {"STEADYBIT_AGENT_EVENTS_EXTENSIONS_URL", "http://a"},
        {"STEADYBIT_AGENT_EVENTS_EXTENSIONS_x_URL", "http://a"},
        {"STEADYBIT_AGENT_EVENTS_EXTENSIONS_99999_URL", "http://a"},
        {"STEADYBIT_AGENT_EVENTS_EXTENSIONS_0", "http://a"},
        {"XSTEADYBIT_AGENT_EVENTS_EXTENSIONS_0_URL", "http://a"},
    });
    EXPECT_TRUE(found.extensions.empty());
    EXPECT_TRUE(found.problems.empty());
}

}  // namespace
}  // namespace belfry
