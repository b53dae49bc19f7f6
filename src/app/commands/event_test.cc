// belfry event, and what Consul's environment means to it.
#include "app/fake_hub.h"
#include "app/run_in_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kFired =
    R"({"ID":"b54fe110-7af5-cafc-d1fb-afc8ba432b1c","Name":"deploy","Payload":null})";

FakeHub::Answers fired() {
    return [](const FakeHub::Request&) { return FakeHub::Answer{.body = std::string(kFired)}; };
}

FakeHub::Answers refusing(int status, const std::string& words) {
    return [=](const FakeHub::Request&) {
        return FakeHub::Answer{
            .status = status, .body = words, .content_type = "text/plain; charset=utf-8"
        };
    };
}

TEST(EventCommand, FiresAsConsulDoes) {
    FakeHub hub(fired());
    Ran ran =
        run({"event", "-name=a/b c", "-node", "^web-[12]$", "--service=x", "-tag=y&z", "1.2\n"},
            {{"BELFRY_URL", hub.url()}, {"BELFRY_TOKEN", "secret"}});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "Event ID: b54fe110-7af5-cafc-d1fb-afc8ba432b1c\n");
    ASSERT_EQ(hub.requests().size(), 1U);
    const FakeHub::Request request = hub.requests()[0];
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(
        request.target, "/v1/event/fire/a%2Fb%20c?node=%5Eweb-%5B12%5D%24&service=x&tag=y%26z"
    );
    EXPECT_EQ(request.content_type, "application/octet-stream");
    EXPECT_EQ(request.body, "1.2\n");
    EXPECT_EQ(request.authorization, "Bearer secret");
}

TEST(EventCommand, WithoutAPayloadTheBodyIsEmpty) {
    FakeHub hub(fired());
    EXPECT_EQ(run({"event", "-name=x", "--url", hub.url()}).code, ExitCode::ok);
    EXPECT_EQ(run({"event", "-name=x", "-url=" + hub.url(), "@no-file"}).code, ExitCode::ok);
    EXPECT_EQ(hub.requests()[0].body, "");
    EXPECT_EQ(hub.requests()[1].body, "@no-file") << "a payload is what Consul takes for one";
}

TEST(EventCommand, JsonPrintsTheAnsweredObject) {
    FakeHub hub(fired());
    EXPECT_EQ(
        run({"event", "-name=x", "-json", "-url", hub.url()}).out, std::string(kFired) + "\n"
    );
}

TEST(EventCommand, WrongUsageIsSaidInConsulsWords) {
    EXPECT_THAT(run({"event"}).err, HasSubstr("Event name must be specified"));
    EXPECT_THAT(
        run({"event", "-name=x", "-tag=y"}).err,
        HasSubstr("Cannot provide tag filter without service filter.")
    );
}

TEST(EventCommand, ARefusalIsShownInTheHubsWords) {
    FakeHub denied(refusing(403, "Permission denied"));
    Ran ran = run({"event", "-name=x", "--url", denied.url()});
    EXPECT_EQ(ran.code, ExitCode::refused);
    EXPECT_EQ(ran.err, "belfry: the hub answered 403: Permission denied\n");
    FakeHub broken(refusing(500, "Invalid node filter: \x1b[31m"));
    ran = run({"event", "-name=x", "-node=(", "--url", broken.url()});
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_THAT(ran.err, HasSubstr("the hub answered 500: Invalid node filter: \\x1b[31m\n"));
    FakeHub large(refusing(413, "too much"));
    EXPECT_EQ(run({"event", "-name=x", "--url", large.url()}).code, ExitCode::invalid);
}

TEST(EventCommand, AnAnswerWithoutAnIdIsAFailure) {
    FakeHub hub([](const FakeHub::Request&) { return FakeHub::Answer{.body = "{}"}; });
    Ran ran = run({"event", "-name=x", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_EQ(ran.out, "");
}

TEST(ConsulEnvironment, NamesTheHubAndTheTokenWhereOursDoNot) {
    FakeHub hub(fired());
    const std::string address = hub.url().substr(7);
    for (const std::string& named : {address, "http://" + address, hub.url() + "/"}) {
        Ran ran =
            run({"event", "-name=x"},
                {{"CONSUL_HTTP_ADDR", named}, {"CONSUL_HTTP_TOKEN", "theirs"}});
        EXPECT_EQ(ran.code, ExitCode::ok) << named << ran.err;
        EXPECT_EQ(hub.requests().back().authorization, "Bearer theirs");
        EXPECT_EQ(hub.requests().back().target, "/v1/event/fire/x");
    }
    EXPECT_EQ(
        run({"event", "-name=x", "-http-addr=" + address},
            {{"CONSUL_HTTP_ADDR", "127.0.0.1:1"}, {"BELFRY_URL", "http://127.0.0.1:1"}})
            .code,
        ExitCode::ok
    );
    run({"event", "-name=x", "-http-addr", address},
        {{"BELFRY_TOKEN", "ours"}, {"CONSUL_HTTP_TOKEN", "theirs"}});
    EXPECT_EQ(hub.requests().back().authorization, "Bearer ours");
}

TEST(ConsulEnvironment, IsNotSentToAHubThatOursName) {
    FakeHub hub(fired());
    const Environment theirs = {
        {"BELFRY_URL", hub.url()},
        {"CONSUL_HTTP_ADDR", "127.0.0.1:1"},
        {"CONSUL_HTTP_TOKEN", "theirs"}
    };
    EXPECT_EQ(run({"event", "-name=x"}, theirs).code, ExitCode::ok);
    EXPECT_EQ(hub.requests().back().authorization, "");
    // Nor by commands that Consul does not have.
    FakeHub list([](const FakeHub::Request&) { return FakeHub::Answer{}; });
    run({"status", "--url", list.url()}, {{"CONSUL_HTTP_TOKEN", "theirs"}});
    ASSERT_EQ(list.requests().size(), 1U);
    EXPECT_EQ(list.requests().back().authorization, "");
}

TEST(ConsulEnvironment, SaysWhatItCannotUse) {
    for (const auto& [named, said] : std::vector<std::pair<std::string, std::string>>{
             {"unix:///run/consul.sock", "CONSUL_HTTP_ADDR names a unix socket"},
             {"http://127.0.0.1:8500/consul", "CONSUL_HTTP_ADDR: a hub's URL has no path"},
             {"ftp://127.0.0.1", "CONSUL_HTTP_ADDR: "},
         }) {
        Ran ran = run({"event", "-name=x"}, {{"CONSUL_HTTP_ADDR", named}});
        EXPECT_EQ(ran.code, ExitCode::usage) << named;
        EXPECT_THAT(ran.err, StartsWith("belfry: " + said)) << named;
    }
    EXPECT_THAT(
        run({"event", "-name=x", "-http-addr=unix:///x"}).err, HasSubstr("-http-addr names a unix")
    );
    // https is spoken: the hub here does not.
    FakeHub hub(fired());
    Ran ran =
        run({"event", "-name=x", "-http-addr=" + hub.url().substr(7)},
            {{"CONSUL_HTTP_SSL", "true"}});
    EXPECT_EQ(ran.code, ExitCode::unreachable);
    EXPECT_THAT(ran.err, HasSubstr("https://127.0.0.1"));
}

}  // namespace
}  // namespace belfry
