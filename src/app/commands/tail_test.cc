// belfry tail against a hub whose streams end, are cut or are refused.
#include "app/fake_hub.h"
#include "app/run_in_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace belfry {
namespace {

using testing::HasSubstr;

TEST(TailCommand, ConnectsAnewAndGoesOnBehindTheLastEvent) {
    std::atomic<int> connections = 0;
    FakeHub hub([&](const FakeHub::Request&) -> FakeHub::Answer {
        if (++connections == 1) {
            return {.body = "id: 4\ndata: {\"type\":\"a\"}\n\nid: 5\n\n", .stream = true};
        }
        if (connections == 2) {
            return {.status = 503, .body = R"({"code":"overloaded","detail":"busy"})"};
        }
        return {
            .body =
                "event: gap\nid: 8\ndata: {\"from\":6,\"to\":8,\"reason\":\"retention\"}\n\nid: "
                "9\ndata: {\"type\":\"b\"}\n\n",
            .stream = true
        };
    });
    Ran ran = run({"tail", "a*", "--after", "2", "-n", "2", "--json", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "{\"type\":\"a\"}\n{\"type\":\"b\"}\n");
    EXPECT_THAT(ran.err, HasSubstr("connecting again in"));
    EXPECT_THAT(ran.err, HasSubstr("busy"));
    EXPECT_THAT(ran.err, HasSubstr("offsets 6 to 8 cannot be read: retention"));
    std::vector<FakeHub::Request> requests = hub.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].target, "/api/v1/events/stream?type=a%2A");
    EXPECT_EQ(requests[0].last_event_id, "2");
    EXPECT_EQ(requests[2].last_event_id, "5");
}

TEST(TailCommand, TellsAStreamThatEndedFromOneThatWasCut) {
    std::atomic<int> connections = 0;
    FakeHub hub([&](const FakeHub::Request&) {
        const std::string id = std::to_string(++connections);
        return FakeHub::Answer{
            .body = "id: " + id + "\ndata: {\"type\":\"a\"}\n\n",
            .stream = true,
            .cut = connections == 1
        };
    });
    Ran ran = run({"tail", "-n", "3", "--json", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "{\"type\":\"a\"}\n{\"type\":\"a\"}\n{\"type\":\"a\"}\n");
    const std::size_t cut = ran.err.find("the connection was closed in the middle of the answer");
    const std::size_t ended = ran.err.find("the hub closed the stream");
    EXPECT_NE(cut, std::string::npos) << ran.err;
    EXPECT_NE(ended, std::string::npos) << ran.err;
    EXPECT_LT(cut, ended);
}

TEST(TailCommand, ShowsWhenAnEventArrived) {
    FakeHub hub([](const FakeHub::Request&) {
        return FakeHub::Answer{.body = "id: 4\ndata: {\"type\":\"a\"}\n\n", .stream = true};
    });
    Ran ran = run({"tail", "-n", "1", "--url", hub.url()});
    EXPECT_THAT(ran.out, testing::MatchesRegex("20[0-9-]+ [0-9:.]+  4  a .*\n"));
}

TEST(TailCommand, EndsWhenTheHubRefuses) {
    FakeHub hub([](const FakeHub::Request&) {
        return FakeHub::Answer{
            .status = 410, .body = R"({"code":"offset_expired","detail":"gone","first":10})"
        };
    });
    Ran ran = run({"tail", "--after", "2", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::not_found);
    EXPECT_THAT(ran.err, HasSubstr("gone (code: offset_expired, first: 10)"));
}

}  // namespace
}  // namespace belfry
