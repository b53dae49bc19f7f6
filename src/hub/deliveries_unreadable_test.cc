// What the log cannot read any more becomes a dead-letter range.
#include "hub/deliveries_fixture.h"

namespace belfry {
namespace {

using namespace std::chrono_literals;

// Nobody can know whether the subscription would have wanted them.
TEST_F(DeliveriesTest, PassOverAGapInTheLogAndLeaveARange) {
    log.tail_events = 0;
    subscribe("chat", {.max_in_flight = 1});
    log.gaps.push_back(Gap{.from = Offset{1}, .to = Offset{3}});
    publish(5);
    record.answer_at_once = [](const auto&) { return kSettled; };
    if (!record.waiting.empty()) {
        record.answer(kSettled);
    }
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 3, 4}));
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].reason, "unreadable");
    ASSERT_TRUE(rows[0].range.has_value());
    EXPECT_EQ(rows[0].range->from, Offset{1});
    EXPECT_EQ(rows[0].range->to, Offset{3});
    EXPECT_EQ(rows[0].range->count, 2U);
    EXPECT_EQ(delivery("chat").figures().dead, 2U);
    EXPECT_EQ(deliveries->counters().dead_lettered, 2U);
}

TEST_F(DeliveriesTest, LeaveARangeOfARetriedEventThatCannotBeReadAnyMore) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.order = DeliveryPolicy::Order::key, .retry = {10s}});
    publish(2, "same key");
    log.tail_events = 0;
    log.gaps.push_back(Gap{.from = Offset{0}, .to = Offset{1}});
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(13s);
    EXPECT_EQ(record.offsets(), (Offsets{0, 1})) << "the next of its key does not wait for it";
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].reason, "unreadable");
    ASSERT_TRUE(rows[0].range.has_value());
    EXPECT_EQ(rows[0].range->from, Offset{0});
    EXPECT_EQ(rows[0].range->count, 1U);
    EXPECT_EQ(rows[0].attempts.size(), 1U) << "how it went until then";
    EXPECT_EQ(deliveries->counters().dead_lettered, 1U);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{2});
}

TEST_F(DeliveriesTest, LeaveARangeOfARetriedEventThatTheLogDropped) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.retry = {10s}});
    publish(2);
    log.trim(Offset{1}, [](auto) {});
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(13s);
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].reason, "expired");
    EXPECT_EQ(rows[0].offset, Offset{0});
}

TEST_F(DeliveriesTest, LeaveARangeWhereTheLogBeginsLaterThanThePosition) {
    publish(5);
    log.tail_events = 0;
    log.trim(Offset{3}, [](auto) {});
    record.answer_at_once = [](const auto&) { return kSettled; };
    Subscription subscription{
        .name = "chat", .sink = WebhookSink{.url = "http://127.0.0.1:1/chat"}
    };
    StateChanges cursor;
    cursor.cursors.push_back(CursorRow{.subscription = subscription.key(), .cursor = Offset{1}});
    state.commit(std::move(cursor), [](auto) {});
    run();
    documents.push_back(subscription);
    crash_and_open();
    EXPECT_EQ(record.offsets(), (Offsets{3, 4}));
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].reason, "unreadable");
    EXPECT_EQ(rows[0].range->from, Offset{1});
    EXPECT_EQ(rows[0].range->count, 2U);
}

TEST_F(DeliveriesTest, AStopDoesNotWaitForAReadWhoseEventsItWillNotAttempt) {
    log.tail_events = 0;
    subscribe("chat");
    Event event{.source = "/test", .type = "t"};
    log.append(std::span(&event, 1), [](auto) {});
    while (delivery("chat").is_idle() && loop.size() > 0) {
        loop.run_one();
    }
    ASSERT_FALSE(delivery("chat").is_idle()) << "it reads";
    bool idle = false;
    deliveries->stop([&] { idle = true; });
    EXPECT_FALSE(idle);
    run();
    pass(0s);
    EXPECT_TRUE(idle);
    EXPECT_TRUE(record.waiting.empty());
}

}  // namespace
}  // namespace belfry
