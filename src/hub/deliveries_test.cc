#include "hub/deliveries.h"

#include "hub/deliveries_fixture.h"

#include <set>

namespace belfry {
namespace {

using namespace std::chrono_literals;

TEST_F(DeliveriesTest, DeliverWhatMatchesInOrderOfOffsets) {
    subscribe("chat", {}, Filter{.types = {TypePattern{.text = "wanted"}}});
    publish(1, "", "other");
    publish(2, "", "wanted");
    EXPECT_EQ(record.offsets(), (Offsets{1, 2}));
}

TEST_F(DeliveriesTest, HaveAtMostMaxInFlightUnderWayAndGoOnWhenOneEnds) {
    subscribe("chat", {.max_in_flight = 2});
    publish(5);
    EXPECT_EQ(record.offsets(), (Offsets{0, 1}));
    record.answer(kSettled);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 1, 2}));
}

TEST_F(DeliveriesTest, ReadABacklogFromTheLogWhenItLeftMemory) {
    log.tail_events = 1;
    subscribe("chat", {.max_in_flight = 1});
    publish(200);
    record.answer_at_once = [](const auto&) { return kSettled; };
    record.answer(kSettled);
    run();
    EXPECT_EQ(record.seen.size(), 200U);
    EXPECT_EQ(delivery("chat").position(), Offset{200});
    publish(1);
    EXPECT_EQ(record.seen.size(), 201U) << "it caught up and is offered new events again";
}

TEST_F(DeliveriesTest, RetryByTheScheduleWithJitterThenMakeADeadLetter) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.retry = {10s, 100s}});
    publish(1);
    pass(7s);
    EXPECT_EQ(record.seen.size(), 1U) << "jitter is at most 20 %";
    pass(6s);
    ASSERT_EQ(record.seen.size(), 2U);
    EXPECT_EQ(record.seen[1].number, 2U);
    pass(121s);
    ASSERT_EQ(record.seen.size(), 3U);
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].reason, "exhausted");
    EXPECT_EQ(rows[0].offset, Offset{0});
    EXPECT_EQ(rows[0].attempts.size(), 3U);
    auto record_bytes = rows[0].record;
    EXPECT_EQ(decode_record(record_bytes, Offset{0}, nullptr).value().event.type, "t");
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{1});
}

TEST_F(DeliveriesTest, WhatIsUnclearIsRetriedByTheScheduleButOpensNoCircuit) {
    record.answer_at_once = [](const auto&) { return kUnclear; };
    subscribe("chat", {.order = DeliveryPolicy::Order::all, .retry = {1s, 1s}});
    publish(4);
    for (int i = 0; i < 20; ++i) {
        pass(1s);
    }
    EXPECT_EQ(record.seen.size(), 12U) << "three attempts each, one event after the other";
    EXPECT_EQ(dead_letters().size(), 4U);
    EXPECT_FALSE(delivery("chat").figures().circuit_open);
}

TEST_F(DeliveriesTest, EachListenerThatGivesUpMakesItsOwnDeadLetter) {
    subscribe("chat", {.retry = {1s}});
    publish(1);
    Outcome outcome = kUnclear;
    outcome.rejected_by = {"/a"};
    outcome.unsettled = {"/b", "/c"};
    record.answer(outcome);
    ASSERT_EQ(dead_letters().size(), 1U);
    EXPECT_EQ(dead_letters()[0].listener, "/a");
    EXPECT_EQ(dead_letters()[0].reason, "rejected");
    EXPECT_EQ(delivery("chat").exceptions().size(), 1U) << "the others go on";
    pass(2s);
    outcome.rejected_by.clear();
    record.answer(outcome);
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[1].listener + rows[2].listener, "/b/c");
    EXPECT_EQ(rows[2].reason, "exhausted");
    EXPECT_EQ(delivery("chat").figures().dead, 3U);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{1});
    publish(1);
    outcome = kRejected;
    outcome.rejected_by = {"/a", "/b"};
    record.answer(outcome);
    EXPECT_EQ(dead_letters().size(), 5U);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{2});
}

TEST_F(DeliveriesTest, CountHowLongAttemptsTookAndHowLateEventsWere) {
    subscribe("chat", {.max_in_flight = 2, .retry = {10s}});
    publish(2);
    pass(2s);
    record.answer(Offset{0}, kSettled);
    record.answer(Offset{1}, kFailed);
    pass(12s);
    pass(500ms);
    record.answer(Offset{1}, kSettled);
    const DeliveryCounters& counters = deliveries->counters();
    using Counts = std::array<std::uint64_t, DurationHistogram::kBounds.size() + 1>;
    auto bucket = [](double bound) {
        return static_cast<std::size_t>(
            std::ranges::find(DurationHistogram::kBounds, bound) -
            DurationHistogram::kBounds.begin()
        );
    };
    Counts attempts{};
    attempts[bucket(2.5)] = 2;
    MonoTime began = record.seen.at(2).at;
    DurationHistogram third;
    third.add(clock.now() - began);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        attempts[i] += third.counts[i];
    }
    EXPECT_EQ(counters.attempts.counts, attempts);
    Counts lag{};
    lag[bucket(2.5)] = 1;
    lag[bucket(30)] = 1;
    EXPECT_EQ(counters.lag.counts, lag) << "of those that settled, since they were recorded";
    EXPECT_NEAR(counters.lag.sum_seconds, 2 + 14.5, 1e-5);
}

TEST_F(DeliveriesTest, GiveUpAtOnceOnAnEventThatIsRejected) {
    subscribe("chat");
    publish(1);
    record.answer(kRejected);
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].reason, "rejected");
    EXPECT_EQ(delivery("chat").figures().dead, 1U);
}

TEST_F(DeliveriesTest, WaitAsLongAsTheEndpointAsksWithoutUsingTheSchedule) {
    subscribe("chat", {.retry = {10s}});
    publish(1);
    for (int i = 0; i < 10; ++i) {
        record.answer(Outcome{.kind = Outcome::Kind::wait, .status = 429, .retry_after = 60s});
        pass(59s);
        ASSERT_TRUE(record.waiting.empty());
        pass(1s);
        ASSERT_EQ(record.waiting.size(), 1U);
    }
    EXPECT_FALSE(delivery("chat").figures().circuit_open);
    record.answer(kSettled);
    EXPECT_TRUE(dead_letters().empty());
}

TEST_F(DeliveriesTest, DisableASubscriptionWhoseEndpointIsGone) {
    subscribe("chat");
    publish(1);
    record.answer(Outcome{.kind = Outcome::Kind::gone, .status = 410, .error = "answered 410"});
    EXPECT_EQ(gone, std::set<SubscriptionKey>{"default/chat"});
    EXPECT_EQ(delivery("chat").exceptions().size(), 1U) << "the event is not lost";
}

// Wherever its sink points now, it is for what the filter matches now.
TEST_F(DeliveriesTest, DropWhatWaitsForARetryAndIsNotForTheNewFilter) {
    Subscription chat = subscribe("chat", {.order = DeliveryPolicy::Order::key, .retry = {10s}});
    publish(2, "a", "old");
    publish(1, "b", "new");
    record.answer(Offset{0}, kFailed);
    record.answer(Offset{2}, kFailed);
    EXPECT_EQ(delivery("chat").figures().last_error, "answered 500");
    chat.filter.types = {TypePattern{.text = "new"}};
    chat.sink = WebhookSink{.url = "http://127.0.0.1:1/elsewhere"};
    deliveries->changed(chat.key(), &chat);
    EXPECT_EQ(delivery("chat").figures().last_error, "");
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(13s);
    publish(1, "a", "new");
    EXPECT_EQ(record.offsets(), (Offsets{0, 2, 2, 3})) << "and nothing waits for what was dropped";
    EXPECT_EQ(delivery("chat").exceptions().size(), 0U);
    EXPECT_EQ(delivery("chat").position(), Offset{4});
    EXPECT_TRUE(dead_letters().empty());
}

// Whoever may see the subscription may see what its filter matches, and nothing else.
TEST_F(DeliveriesTest, ShowNoErrorOfAnEventThatIsNotForTheNewFilter) {
    Subscription chat = subscribe("chat");
    publish(1, "", "old");
    narrow(chat, "new");
    record.answer(Offset{0}, kFailed);
    EXPECT_EQ(delivery("chat").figures().last_error, "");
    publish(1, "", "new");
    record.answer(Offset{1}, kFailed);
    EXPECT_EQ(delivery("chat").figures().last_error, "answered 500");
}

TEST_F(DeliveriesTest, DropReplaysThatAreNotForTheNewFilter) {
    Subscription chat = subscribe("chat", {.max_in_flight = 1});
    publish(1, "", "new");
    delivery("chat").replay({.dead_letter = "a", .event = stored(0, "old"), .bytes = 100});
    delivery("chat").replay({.dead_letter = "b", .event = stored(0, "new"), .bytes = 10});
    ASSERT_EQ(delivery("chat").waiting_replay_bytes(), 110U);
    narrow(chat, "new");
    EXPECT_EQ(delivery("chat").waiting_replays(), 1U);
    EXPECT_EQ(delivery("chat").waiting_replay_bytes(), 10U);
}

TEST_F(DeliveriesTest, MakeNoDeadLetterOfWhatIsNotForTheNewFilter) {
    Subscription chat = subscribe("chat", {.retry = {10h}});
    publish(1, "", "old");
    record.answer(Offset{0}, kFailed);
    narrow(chat, "new");
    const StoredEvent event = stored(0, "old");
    delivery("chat").expire_exception(Offset{0}, &event);
    EXPECT_TRUE(delivery("chat").exceptions().empty());
    EXPECT_TRUE(dead_letters().empty());
}

TEST_F(DeliveriesTest, KeepTheOrderOfAKeyAndNothingElse) {
    subscribe("chat", {.order = DeliveryPolicy::Order::key, .retry = {10s, 10s}});
    publish(1, "a");
    publish(1, "a");
    publish(1, "b");
    EXPECT_EQ(record.offsets(), (Offsets{0, 2}));
    record.answer(Offset{0}, kFailed);
    record.answer(Offset{2}, kSettled);
    publish(1, "b");
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 2, 3}))
        << "the second event of `a` waits for the first";
    pass(13s);
    EXPECT_EQ(record.offsets(), (Offsets{0, 2, 3, 0}));
    record.answer(Offset{0}, kSettled);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 2, 3, 0, 1}));
}

TEST_F(DeliveriesTest, ReleaseAKeyWithItsDeadLetter) {
    subscribe("chat", {.order = DeliveryPolicy::Order::key});
    publish(2, "a");
    record.answer(Offset{0}, kRejected);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 1}));
}

TEST_F(DeliveriesTest, HaveOneUnderWayWhenTheOrderIsOfAll) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all, .retry = {10s}});
    publish(3);
    EXPECT_EQ(record.offsets(), (Offsets{0}));
    record.answer(kFailed);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0})) << "nothing passes a failed event";
    pass(13s);
    record.answer(kSettled);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 0, 1}));
}

TEST_F(DeliveriesTest, KeepThePace) {
    record.answer_at_once = [](const auto&) { return kSettled; };
    subscribe("chat", {.pace = Pace{.events = 50, .every = 5s}});
    publish(120);
    EXPECT_EQ(record.seen.size(), 50U);
    pass(4900ms);
    EXPECT_EQ(record.seen.size(), 50U);
    pass(200ms);
    EXPECT_EQ(record.seen.size(), 100U);
    pass(5100ms);
    EXPECT_EQ(record.seen.size(), 120U);
}

TEST_F(DeliveriesTest, TakeNothingNewPastMaxUnsettled) {
    record.answer_at_once = [](const SinkRecord::Seen& seen) {
        return seen.offset.value % 2 == 0 ? kFailed : kSettled;
    };
    subscribe("chat", {.retry = {1h}, .max_unsettled = 10});
    publish(100);
    EXPECT_EQ(delivery("chat").exceptions().size(), 10U);
    EXPECT_EQ(delivery("chat").position(), Offset{19});
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(2h);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{100});
    std::set<std::uint64_t> all;
    for (std::uint64_t offset : record.offsets()) {
        all.insert(offset);
    }
    EXPECT_EQ(all.size(), 100U);
}

TEST_F(DeliveriesTest, DoNotLetADeadSinkDelayAHealthyOne) {
    record.answer_at_once = [](const SinkRecord::Seen& seen) {
        return seen.subscription == "default/dead" ? kFailed : kSettled;
    };
    subscribe("dead");
    subscribe("well");
    publish(100);
    EXPECT_EQ(delivery("well").figures().settled, 100U);
}

TEST_F(DeliveriesTest, GoOnAfterACrashWithoutLosingAnEvent) {
    subscribe("chat", {.max_in_flight = 4, .retry = {10s, 10s, 10s}});
    publish(8);
    record.answer(Offset{1}, kSettled);
    record.answer(Offset{2}, kFailed);
    run();
    save();
    crash_and_open();
    record.answer_at_once = [](const auto&) { return kSettled; };
    while (!record.waiting.empty()) {
        record.answer(kSettled);
    }
    pass(15s);
    std::multiset<std::uint64_t> after;
    for (std::uint64_t offset : record.offsets()) {
        after.insert(offset);
    }
    for (std::uint64_t offset = 0; offset < 8; ++offset) {
        EXPECT_GE(after.count(offset), 1U) << offset;
    }
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{8});
}

TEST_F(DeliveriesTest, RememberRetriesAndTheirStepsOverARestart) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.retry = {10s, 1000s}});
    publish(1);
    pass(13s);  // second attempt failed: next in 1000 s
    save();
    crash_and_open();
    pass(500s);
    EXPECT_EQ(record.seen.size(), 2U);
    pass(800s);
    ASSERT_EQ(record.seen.size(), 3U);
    EXPECT_EQ(record.seen[2].number, 3U);
    EXPECT_EQ(dead_letters().size(), 1U);
}

TEST_F(DeliveriesTest, SendNothingTwiceAfterAStopInOrder) {
    record.answer_at_once = [](const auto&) { return kSettled; };
    subscribe("chat");
    publish(50);
    bool idle = false;
    deliveries->stop([&] { idle = true; });
    EXPECT_TRUE(idle);
    deliveries->save_under_way();
    bool saved = false;
    writer->flush([&] { saved = true; });
    run();
    ASSERT_TRUE(saved);
    crash_and_open();
    pass(1min);
    EXPECT_EQ(record.seen.size(), 50U);
}

TEST_F(DeliveriesTest, KeepACursorOfAnIdleSubscriptionNearTheEndOfTheLog) {
    subscribe("chat", {}, Filter{.types = {TypePattern{.text = "never"}}});
    publish(1000);
    save();
    crash_and_open();
    EXPECT_EQ(delivery("chat").position(), Offset{1000}) << "without reading the log again";
}

TEST_F(DeliveriesTest, KeepTheDeadLetterOfACommitThatFailedAtFirst) {
    subscribe("chat");
    publish(1);
    state.device().fail_writes(Error{.code = Errc::disk_full, .detail = "full"});
    record.answer(kRejected);
    pass(300ms);
    pass(2s);
    EXPECT_EQ(dead_letters().size(), 1U);
    crash_and_open();
    EXPECT_EQ(record.seen.size(), 1U);
}

TEST_F(DeliveriesTest, ForgetASubscriptionThatIsRemovedWhileAnAttemptIsUnderWay) {
    subscribe("chat");
    publish(2);
    deliveries->changed("default/chat", nullptr);
    documents.clear();
    while (!record.waiting.empty()) {
        record.answer(kFailed);
    }
    save();
    StateSnapshot snapshot = state.load().value();
    EXPECT_TRUE(snapshot.cursors.empty());
    EXPECT_TRUE(snapshot.exceptions.empty());
}

TEST_F(DeliveriesTest, PauseKeepsThePositionAndResumeGoesOn) {
    record.answer_at_once = [](const auto&) { return kSettled; };
    Subscription subscription = subscribe("chat");
    publish(2);
    subscription.state = SubscriptionState::paused;
    deliveries->changed(subscription.key(), &subscription);
    publish(3);
    EXPECT_EQ(record.seen.size(), 2U);
    subscription.state = SubscriptionState::active;
    deliveries->changed(subscription.key(), &subscription);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace belfry
