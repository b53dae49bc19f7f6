#include "app/extension_files.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace belfry {
namespace {

Result<std::optional<RegisteredExtension>> parse(std::string_view yaml) {
    return parse_extension_file(yaml, ExtensionDefaults{}, Limits());
}

std::string file_problem(std::string_view yaml) {
    const auto extension = parse(yaml);
    return extension ? "accepted" : extension.error().detail;
}

class ExtensionFilesTest : public testing::Test {
 protected:
    ExtensionFilesTest() {
        std::string pattern = testing::TempDir() + "belfry-extensions-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~ExtensionFilesTest() override { std::filesystem::remove_all(directory_); }

    void write(const std::string& name, std::string_view text) {
        std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
    }
    FoundExtensions found() {
        return extensions_in_directory(directory_, ExtensionDefaults{}, Limits());
    }

    std::string directory_;
};

TEST(ExtensionFile, RegistersWhatPackagesWrite) {
    const auto socket =
        parse("unixSocket: /run/steadybit/extension-datadog.sock\ntypes:\n  - ACTION\n  - EVENT\n");
    ASSERT_TRUE(socket.has_value()) << socket.error().detail;
    ASSERT_TRUE(socket->has_value());
    EXPECT_EQ((*socket)->unix_socket, "/run/steadybit/extension-datadog.sock");
    EXPECT_EQ((*socket)->name, "extension-datadog");
    EXPECT_EQ((*socket)->origin, RegisteredExtension::Origin::drop_in);
    const auto url = parse("url: http://localhost:8080/p\n");
    ASSERT_TRUE(url.has_value() && url->has_value());
    EXPECT_EQ((*url)->url, "http://localhost:8080/p");
}

TEST(ExtensionFile, TypesHaveTwoSpellings) {
    auto is_ours = [](const std::string& types) {
        const auto extension = parse("url: http://h\ntypes: " + types + "\n");
        EXPECT_TRUE(extension.has_value()) << types << extension.error().detail;
        return extension.has_value() && extension->has_value();
    };
    EXPECT_TRUE(is_ours("[EVENT]"));
    EXPECT_TRUE(is_ours("[ACTIONS, EVENTS]"));
    EXPECT_TRUE(is_ours("[event]"));
    EXPECT_TRUE(is_ours(""));
    EXPECT_FALSE(is_ours("[ACTION, DISCOVERY]"));
    EXPECT_FALSE(is_ours("[]"));
}

TEST(ExtensionFile, MayHaveWhatARegistrationHas) {
    const auto extension = parse(
        "url: http://h\nname: mine\nmethod: POST\nprofile: {poll: {limit: 7}}\n"
        "basic: {username: u, password: p}\nrestrictedPorts: [80]\n"
    );
    ASSERT_TRUE(extension.has_value()) << extension.error().detail;
    EXPECT_EQ((*extension)->name, "mine");
    EXPECT_EQ((*extension)->poll->events, 7U);
    EXPECT_EQ((*extension)->basic, (BasicAuth{"u", "p"}));
}

TEST(ExtensionFile, WhatIsWrongIsNamed) {
    EXPECT_EQ(file_problem(""), "one of `url` and `unixSocket` is needed");
    EXPECT_EQ(
        file_problem("url: http://h\nunixSocket: /run/a\n"),
        "one of `url` and `unixSocket` is needed"
    );
    EXPECT_EQ(file_problem("url: 7\n"), "\"url\": a string is expected");
    EXPECT_THAT(file_problem("url: h\n"), testing::HasSubstr("not a usable URL"));
    EXPECT_THAT(
        file_problem("url: http://h\ntypes: EVENT\n"), testing::StartsWith("`types` is a list")
    );
    EXPECT_THAT(
        file_problem("url: http://h\ntypes: [1]\n"), testing::StartsWith("`types` is a list")
    );
    EXPECT_THAT(file_problem("url: [\n"), testing::StartsWith("line "));
    EXPECT_THAT(file_problem("- url: http://h\n"), testing::StartsWith("line 1"));
}

TEST_F(ExtensionFilesTest, OneBadFileIsToldAndTheOthersServe) {
    write("extension-b.yaml", "url: http://b\n");
    write("extension-a.yaml", "url: http://a\ntypes: [EVENT]\n");
    write("extension-c.yaml", "url: [\n");
    write("extension-d.yaml", "url: http://d\ntypes: [ACTION]\n");
    write("extension-e.yaml", "url: http://A:80/\n");
    write("extension-f.yaml", std::string(2UL << 20U, '#'));
    write("extension-g.yml", "url: http://g\n");
    write("other.yaml", "url: http://o\n");
    std::filesystem::create_directory(directory_ + "/extension-z.yaml");
    const FoundExtensions all = found();
    ASSERT_EQ(all.extensions.size(), 2U);
    EXPECT_EQ(all.extensions[0].url, "http://a/");
    EXPECT_EQ(all.extensions[1].url, "http://b/");
    std::vector<std::string> where;
    for (const ExtensionProblem& one : all.problems) {
        where.push_back(std::filesystem::path(one.where).filename());
        EXPECT_NE(one.what, "");
    }
    EXPECT_THAT(where, testing::ElementsAre("extension-c.yaml", "extension-f.yaml"));
}

TEST_F(ExtensionFilesTest, ADirectoryThatIsNotThereHasNone) {
    for (const std::string& directory : {directory_ + "/none", std::string("none")}) {
        const FoundExtensions all =
            extensions_in_directory(directory, ExtensionDefaults{}, Limits());
        EXPECT_TRUE(all.extensions.empty());
        EXPECT_TRUE(all.problems.empty());
    }
}

}  // namespace
}  // namespace belfry
