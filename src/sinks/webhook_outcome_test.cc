#include "sinks/webhook_outcome.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;

constexpr WallTime kAnswered{784111777s};

HttpReply answer_with_wait(int status, std::string retry_after = "") {
    HttpReply reply;
    reply.status = status;
    if (!retry_after.empty()) {
        reply.headers = {{"content-type", "text/plain"}, {"retry-after", std::move(retry_after)}};
    }
    return reply;
}

Kind kind(int status, std::string retry_after = "") {
    return webhook_outcome(answer_with_wait(status, std::move(retry_after)), kAnswered).kind;
}

TEST(WebhookOutcome, JudgesEveryStatus) {
    for (int status = 100; status < 600; ++status) {
        Kind expected = Kind::failed;
        if (status >= 200 && status < 300) {
            expected = Kind::settled;
        } else if (status == 400 || status == 413 || status == 415 || status == 422) {
            expected = Kind::rejected;
        } else if (status == 410) {
            expected = Kind::gone;
        } else if (status == 429) {
            expected = Kind::wait;
        }
        EXPECT_EQ(kind(status), expected) << status;
        if (expected == Kind::failed) {
            expected = Kind::wait;
        }
        EXPECT_EQ(kind(status, "7"), expected) << status << " with Retry-After";
    }
}

TEST(WebhookOutcome, CarriesWhatTheListenerAsksFor) {
    Outcome outcome = webhook_outcome(answer_with_wait(503, "120"), kAnswered);
    EXPECT_EQ(outcome.retry_after, 120s);
    EXPECT_EQ(outcome.status, 503U);
    EXPECT_EQ(outcome.error, "answered 503 Service Unavailable");
    EXPECT_EQ(webhook_outcome(answer_with_wait(429), kAnswered).retry_after, std::nullopt);
    EXPECT_EQ(webhook_outcome(answer_with_wait(429, "99999999"), kAnswered).retry_after, 24h);
    EXPECT_EQ(
        webhook_outcome(answer_with_wait(503, "Sun, 06 Nov 1994 08:50:37 GMT"), kAnswered)
            .retry_after,
        60s
    );
    EXPECT_EQ(webhook_outcome(answer_with_wait(400, "120"), kAnswered).retry_after, std::nullopt);
    EXPECT_EQ(webhook_outcome(answer_with_wait(204, "120"), kAnswered).retry_after, std::nullopt);
}

TEST(WebhookOutcome, ANonsenseRetryAfterAsksForNothing) {
    EXPECT_EQ(kind(503, "soon"), Kind::failed);
    EXPECT_EQ(kind(503, "-1"), Kind::failed);
    EXPECT_EQ(kind(429, "soon"), Kind::wait);
}

TEST(WebhookOutcome, ATransportErrorIsTheEndpointsFault) {
    Outcome outcome = webhook_outcome(fail(Errc::unavailable, "connection refused"), kAnswered);
    EXPECT_EQ(outcome.kind, Kind::failed);
    EXPECT_EQ(outcome.status, 0U);
    EXPECT_EQ(outcome.error, "connection refused");
    EXPECT_EQ(outcome.response, "");
}

TEST(WebhookOutcome, KeepsTheFirstKibOfTheAnswerAsText) {
    HttpReply reply = answer_with_wait(500);
    reply.body = std::string(1023, 'x') + "é and more";
    EXPECT_EQ(webhook_outcome(reply, kAnswered).response, std::string(1023, 'x'));
    reply.body = "bad \xff byte";
    EXPECT_EQ(webhook_outcome(reply, kAnswered).response, "bad \xEF\xBF\xBD byte");
    reply.status = 200;
    EXPECT_EQ(webhook_outcome(reply, kAnswered).error, "") << "settled has no error";
}

}  // namespace
}  // namespace belfry
