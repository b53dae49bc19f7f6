// belfry extension: what it asks of the hub, and what it prints.
#include "app/fake_hub.h"
#include "app/run_in_test.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kExtension =
    R"({"name":"h:80","url":"http://h/","origin":"api","profile":"push",)"
    R"("index":{"error":"the index was answered with 500"},"listeners":[)"
    R"({"method":"POST","path":"/e","listenTo":["a","b"],"state":"active"},)"
    R"({"method":"GET","path":"/g","listenTo":[],"state":"refused","reason":"\"method\" is one"}],)"
    R"("offset":3,"lag":2,"dead":1})";

FakeHub::Answers answering(std::string body, int status = 200) {
    return [body = std::move(body), status](const FakeHub::Request&) {
        return FakeHub::Answer{.status = status, .body = body};
    };
}

TEST(ExtensionCommand, AddSendsTheRegistrationAndShowsTheAnswer) {
    FakeHub hub(answering(kExtension, 201));
    const Ran ran = run(
        {"extension",
         "add",
         "http://h",
         "--name",
         "chat",
         "--method",
         "POST",
         "--path-resolution",
         "origin",
         "--profile",
         "poll",
         "--poll-limit",
         "7",
         "--url",
         hub.url()}
    );
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    ASSERT_EQ(hub.requests().size(), 1U);
    EXPECT_EQ(hub.requests()[0].method, "POST");
    EXPECT_EQ(hub.requests()[0].target, "/api/v1/extensions");
    EXPECT_EQ(
        hub.requests()[0].body,
        R"({"url":"http://h","name":"chat","method":"POST","pathResolution":"origin",)"
        R"("profile":{"poll":{"limit":7}}})"
    );
    EXPECT_THAT(ran.out, HasSubstr("the index was answered with 500"));
    EXPECT_THAT(ran.out, HasSubstr("\"method\" is one")) << "why it is refused";
    EXPECT_THAT(ran.out, HasSubstr("a b"));
}

TEST(ExtensionCommand, ASocketAndAPasswordFromAFile) {
    std::string directory = testing::TempDir() + "belfry-extension-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    std::ofstream(directory + "/pw") << "secret-1\n";
    FakeHub hub(answering(kExtension, 201));
    const Ran ran = run(
        {"extension",
         "add",
         "unix:/run/a.sock",
         "--user",
         "u",
         "--password-file",
         directory + "/pw",
         "--url",
         hub.url()}
    );
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(
        hub.requests()[0].body,
        R"({"unixSocket":"/run/a.sock","basic":{"username":"u","password":"secret-1"}})"
    );
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("secret-1")));
    std::filesystem::remove_all(directory);
}

TEST(ExtensionCommand, FilesOfCertificatesAreSentWithTheirWholePath) {
    FakeHub hub(answering(kExtension, 201));
    EXPECT_EQ(
        run({"extension", "add", "https://h", "--ca", "ca.pem", "--url", hub.url()}).code,
        ExitCode::ok
    );
    EXPECT_THAT(
        hub.requests()[0].body,
        HasSubstr("\"ca\":\"" + (std::filesystem::current_path() / "ca.pem").string() + "\"")
    );
}

TEST(ExtensionCommand, ListIsATableOrADocumentALine) {
    FakeHub hub(answering(R"({"extensions":[)" + std::string(kExtension) + "]}"));
    const Ran table = run({"extension", "list", "--url", hub.url()});
    EXPECT_EQ(table.code, ExitCode::ok) << table.err;
    EXPECT_THAT(table.out, HasSubstr("NAME"));
    EXPECT_THAT(table.out, HasSubstr("the index was answered with 500"));
    const Ran json = run({"extension", "list", "--json", "--url", hub.url()});
    EXPECT_EQ(json.out, std::string(kExtension) + "\n");
}

TEST(ExtensionCommand, ShowRefreshAndRemoveNameOne) {
    FakeHub hub(answering(kExtension));
    EXPECT_EQ(run({"extension", "show", "h:80", "--url", hub.url()}).code, ExitCode::ok);
    EXPECT_EQ(run({"extension", "refresh", "h:80", "--url", hub.url()}).code, ExitCode::ok);
    EXPECT_EQ(run({"extension", "remove", "h:80", "--yes", "--url", hub.url()}).code, ExitCode::ok);
    const auto requests = hub.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].method + requests[0].target, "GET/api/v1/extensions/h%3A80");
    EXPECT_EQ(requests[1].method + requests[1].target, "POST/api/v1/extensions/h%3A80/refresh");
    EXPECT_EQ(requests[2].method + requests[2].target, "DELETE/api/v1/extensions/h%3A80");
}

TEST(ExtensionCommand, WhatTheHubRefusesEndsWithItsWords) {
    FakeHub hub([](const FakeHub::Request&) {
        return FakeHub::Answer{
            .status = 409,
            .body = R"({"status":409,"code":"conflict","detail":"remove it there"})",
            .content_type = "application/problem+json"
        };
    });
    const Ran ran = run({"extension", "remove", "h:80", "--yes", "--url", hub.url()});
    EXPECT_NE(ran.code, ExitCode::ok);
    EXPECT_THAT(ran.err, HasSubstr("remove it there"));
}

}  // namespace
}  // namespace belfry
