#include "app/load/load.h"

#include "app/fake_hub.h"
#include "app/url_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace belfry {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

LoadOptions options_for(const FakeHub& hub) {
    return {
        .hub = *parse_hub_url(hub.url()),
        .token = {},
        .connections = 4,
        .duration = milliseconds(50),
        .wait = std::chrono::minutes(1)  // nobody waits so long for an answer that comes
    };
}

FakeHub::Answers always(int status) {
    return [=](const FakeHub::Request&) {
        return FakeHub::Answer{.status = status, .body = "so it is"};
    };
}

TEST(Load, CountsWhatTheHubAccepted) {
    FakeHub hub(always(200));
    LoadOptions options = options_for(hub);
    options.token = "t0";
    options.duration = milliseconds(500);
    auto report = generate_load(options);
    ASSERT_TRUE(report.has_value()) << report.error().detail;
    EXPECT_GT(report->requests, 4U);
    EXPECT_EQ(report->failed(), 0U);
    EXPECT_EQ(report->requests, hub.requests().size());
    EXPECT_EQ(report->events_in_all, report->requests);
    EXPECT_EQ(report->latency.count(), report->requests);
    EXPECT_EQ(hub.requests().front().authorization, "Bearer t0");
    EXPECT_EQ(hub.requests().front().target, "/api/v1/events?type=bench");
}

TEST(Load, TheWarmUpIsPublishedAndNotCounted) {
    FakeHub hub(always(200));
    LoadOptions options = options_for(hub);
    options.warm_up = milliseconds(50);
    auto report = generate_load(options);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->events_in_all, hub.requests().size());
    EXPECT_LT(report->requests, hub.requests().size());
}

TEST(Load, ARateIsKeptHoweverFastTheAnswersCome) {
    FakeHub hub(always(200));
    LoadOptions options = options_for(hub);
    options.rate = 1'000;
    options.shape = {.events = 10, .format = LoadFormat::ndjson};
    auto report = generate_load(options);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->requests + report->unsent, 5U);  // 100 requests a second for 50 ms
    std::set<std::string> bodies;
    for (const FakeHub::Request& request : hub.requests()) {
        bodies.insert(request.body);
    }
    EXPECT_EQ(bodies.size(), report->requests);  // no id twice
}

// One connection cannot do 200,000 requests a second. Who counts from the moment of sending sees
// the short time of each round trip; those that fell due meanwhile waited much longer.
TEST(Load, AHubThatIsTooSlowIsChargedForEveryRequestThatWasDue) {
    FakeHub hub(always(200));
    LoadOptions options = options_for(hub);
    options.connections = 1;
    options.rate = 200'000;
    auto report = generate_load(options);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->latency.count(), 10'000U);
    EXPECT_GT(report->unsent, 0U);
    EXPECT_EQ(report->requests + report->unsent, 10'000U);
    EXPECT_GT(report->latency.quantile_us(0.5), 5'000);
}

TEST(Load, WhatIsRefusedOrNeverAnsweredIsSaid) {
    FakeHub full(always(507));
    auto refused = generate_load(options_for(full));
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->requests, 0U);
    EXPECT_EQ(refused->refused.at(507), refused->failed());
    EXPECT_GT(refused->failed(), 0U);
    EXPECT_EQ(refused->first_refusal, "so it is");

    FakeHub mute([](const FakeHub::Request&) { return FakeHub::Answer{.hang = true}; });
    LoadOptions options = options_for(mute);
    options.wait = milliseconds(200);
    auto lost = generate_load(options);
    ASSERT_TRUE(lost.has_value());
    EXPECT_EQ(lost->lost, 4U);
    options.rate = 1'000;
    lost = generate_load(options);
    ASSERT_TRUE(lost.has_value());
    EXPECT_EQ(lost->lost + lost->unsent, 50U);
    EXPECT_EQ(lost->latency.count(), 50U);
    EXPECT_GT(lost->latency.quantile_us(1), 200'000);
}

TEST(Load, ABodyLargerThanTheSocketTakesArrivesWhole) {
    FakeHub hub(always(200));
    LoadOptions options = options_for(hub);
    options.connections = 2;
    options.shape = {.size = 900'000};
    auto report = generate_load(options);
    ASSERT_TRUE(report.has_value());
    EXPECT_GT(report->requests, 0U);
    EXPECT_EQ(report->failed(), 0U);
    EXPECT_EQ(hub.requests().front().body, std::string(900'000, 'x'));
}

TEST(Load, AHubThatIsGoneIsUnavailable) {
    LoadOptions options;
    {
        FakeHub hub(always(200));
        options = options_for(hub);
    }
    auto report = generate_load(options);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, Errc::unavailable);
    EXPECT_THAT(report.error().detail, HasSubstr("refused"));
}

}  // namespace
}  // namespace belfry
