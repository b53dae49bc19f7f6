// Deliveries whose endpoint fails: who probes, and what becomes of the schedule and the backlog.
#include "hub/deliveries_fixture.h"

#include <map>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class DeliveriesCircuitTest : public DeliveriesTest {
 protected:
    // Of one endpoint: "one" wants events of type a, "two" those of type b.
    void subscribe_two(const DeliveryPolicy& policy = {}) {
        one = subscribe("one", policy, Filter{.types = {TypePattern{.text = "a"}}});
        two = one;
        two.name = "two";
        two.filter.types = {TypePattern{.text = "b"}};
        documents.push_back(two);
        deliveries->changed(two.key(), &two);
    }
    void pause(Subscription& subscription) {
        subscription.state = SubscriptionState::paused;
        deliveries->changed(subscription.key(), &subscription);
    }

    Subscription one;
    Subscription two;
};

TEST_F(DeliveriesCircuitTest, AnAnswerThatIsUnclearClosesTheCircuit) {
    bool down = true;
    record.answer_at_once = [&](const auto&) { return down ? kFailed : kUnclear; };
    subscribe("chat", {.retry = {1s}});
    publish(5);
    EXPECT_TRUE(delivery("chat").figures().circuit_open);
    down = false;
    pass(2s);
    EXPECT_FALSE(delivery("chat").figures().circuit_open) << "whoever answers is there";
}

TEST_F(DeliveriesCircuitTest, OpenTheCircuitOfADeadEndpointAndKeepTheBacklogAPosition) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat");
    publish(1000);
    EXPECT_TRUE(delivery("chat").figures().circuit_open);
    EXPECT_EQ(record.seen.size(), 5U);
    EXPECT_EQ(delivery("chat").exceptions().size(), 5U);
    pass(24h);
    EXPECT_LE(record.seen.size(), 5U + 24 * 12 + 1) << "one probe in five minutes at most";
    EXPECT_GE(record.seen.size(), 5U + 24 * 12 - 2);
    EXPECT_EQ(delivery("chat").exceptions().size(), 5U);
    EXPECT_TRUE(dead_letters().empty()) << "probes do not count against the schedule";
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(6min);
    EXPECT_FALSE(delivery("chat").figures().circuit_open);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{1000});
}

// One event that fails by itself is due again in hours when it opens the circuit.
class DeliveriesOfEveryOrderTest : public DeliveriesCircuitTest,
                                   public testing::WithParamInterface<DeliveryPolicy::Order> {
 protected:
    void open_the_circuit_with_one_event() {
        record.answer_at_once = [](const auto&) { return kFailed; };
        subscribe("chat", {.order = GetParam()});
        publish(1, "a");
        pass(4h);
        ASSERT_TRUE(delivery("chat").figures().circuit_open);
        record.seen.clear();
    }
    const Exception& exception() { return delivery("chat").exceptions().all().at(Offset{0}); }
};

INSTANTIATE_TEST_SUITE_P(
    ,
    DeliveriesOfEveryOrderTest,
    testing::Values(
        DeliveryPolicy::Order::none, DeliveryPolicy::Order::key, DeliveryPolicy::Order::all
    )
);

TEST_P(DeliveriesOfEveryOrderTest, GoOnWithinAnIntervalOnceTheEndpointIsBack) {
    ASSERT_NO_FATAL_FAILURE(open_the_circuit_with_one_event());
    publish(2, "a");
    publish(1, "b");
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(5min);
    EXPECT_FALSE(delivery("chat").figures().circuit_open);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{4});
    ASSERT_EQ(record.seen.size(), 4U);
    EXPECT_EQ(record.seen.front().offset, Offset{0}) << "what failed probes";
}

TEST_P(DeliveriesOfEveryOrderTest, ProbeBeforeTheEventIsDueWithoutChangingItsSchedule) {
    ASSERT_NO_FATAL_FAILURE(open_the_circuit_with_one_event());
    const Exception before = exception();
    ASSERT_GT(before.due, clock.now() + 90min) << "or nothing is proved";
    pass(1h);
    EXPECT_EQ(record.seen.size(), 12U) << "one probe in five minutes";
    EXPECT_EQ(exception().attempts, before.attempts + 12);
    EXPECT_EQ(exception().step, before.step);
    EXPECT_EQ(exception().due, before.due);
}

TEST_P(DeliveriesOfEveryOrderTest, ProbeEarlyWithWhatIsUnclearWithoutChangingItsSchedule) {
    ASSERT_NO_FATAL_FAILURE(open_the_circuit_with_one_event());
    const Exception before = exception();
    record.answer_at_once = [](const auto&) { return kUnclear; };
    pass(5min);
    EXPECT_EQ(record.offsets(), (Offsets{0}));
    EXPECT_FALSE(delivery("chat").figures().circuit_open);
    EXPECT_EQ(exception().step, before.step);
    EXPECT_EQ(exception().due, before.due);
}

TEST_P(DeliveriesOfEveryOrderTest, ProbeAgainAfterARequestToWaitThatNamesNoTime) {
    ASSERT_NO_FATAL_FAILURE(open_the_circuit_with_one_event());
    const Exception before = exception();
    record.answer_at_once = [](const auto&) {
        return Outcome{.kind = Outcome::Kind::wait, .status = 429, .error = "answered 429"};
    };
    pass(1h);
    EXPECT_EQ(record.seen.size(), 12U) << "one probe in five minutes";
    EXPECT_EQ(exception().step, before.step);
    EXPECT_EQ(exception().due, before.due);
}

TEST_P(DeliveriesOfEveryOrderTest, DoNotProbeAtOnceAgainWithWhatIsUnclearAndWasDue) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.order = GetParam(), .retry = {10min, 1h, 1h, 1h, 1h, 1h}});
    publish(1, "a");
    for (int i = 0; !delivery("chat").figures().circuit_open; ++i) {
        ASSERT_LT(i, 10);
        pass(1h);
    }
    while (exception().due > clock.now()) {
        pass(1min);
    }
    record.seen.clear();
    record.answer_at_once = [](const auto&) { return kUnclear; };
    pass(6min);
    EXPECT_EQ(record.seen.size(), 1U);
    EXPECT_GT(exception().due, clock.now() + 40min) << "by its schedule";
}

TEST_P(DeliveriesOfEveryOrderTest, DoNotProbeWithWhatTheEndpointAskedToWait) {
    ASSERT_NO_FATAL_FAILURE(open_the_circuit_with_one_event());
    record.answer_at_once = [](const auto&) {
        return Outcome{
            .kind = Outcome::Kind::wait, .status = 429, .error = "answered 429", .retry_after = 2h
        };
    };
    pass(5min);
    ASSERT_EQ(record.offsets(), (Offsets{0}));
    publish(1, "b");
    record.answer_at_once = [](const auto&) { return kSettled; };
    const bool all = GetParam() == DeliveryPolicy::Order::all;
    pass(110min);
    EXPECT_EQ(record.offsets(), all ? Offsets{0} : (Offsets{0, 1}))
        << "an event that was never attempted probes where the order allows it";
    pass(10min);
    EXPECT_EQ(record.offsets(), all ? (Offsets{0, 0, 1}) : (Offsets{0, 1, 0}));
}

TEST_F(DeliveriesCircuitTest, ProbeForACircuitThatAnotherSubscriptionOpened) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe_two({.retry = {5h}});
    publish(1, "", "a");
    publish(4, "", "b");
    ASSERT_TRUE(delivery("one").figures().circuit_open);
    pause(two);
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(5min);
    EXPECT_EQ(delivery("one").figures().settled, 1U);
}

TEST_F(DeliveriesCircuitTest, ShareACircuitBetweenSubscriptionsToOneEndpoint) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe_two();
    publish(10, "", "a");
    publish(10, "", "b");
    EXPECT_EQ(record.seen.size(), 5U);
    EXPECT_TRUE(delivery("two").figures().circuit_open);
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(10s);
    EXPECT_EQ(delivery("one").figures().settled, 10U);
    EXPECT_EQ(delivery("two").figures().settled, 10U) << "the success of one starts the other";
}

// Whoever wakes first would probe with its own event again and again.
TEST_F(DeliveriesCircuitTest, ProbeWithTheEventThatHasBeenDueForLongestWhosesoeverItIs) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe_two({.retry = {10s}});
    publish(1, "", "b");
    publish(2, "", "a");
    publish(1, "", "b");
    publish(2, "", "a");
    ASSERT_EQ(record.seen.size(), 5U);
    ASSERT_TRUE(delivery("one").figures().circuit_open);

    std::map<SubscriptionKey, int> probes;
    record.answer_at_once = [&](const SinkRecord::Seen& seen) {
        ++probes[seen.subscription];
        MonoTime due = deliveries->find(seen.subscription)->exceptions().all().at(seen.offset).due;
        for (const char* name : {"one", "two"}) {
            auto waiting = delivery(name).exceptions().next_due();
            EXPECT_LE(due, waiting->first) << seen.subscription << " passed over " << name;
        }
        return kFailed;
    };
    pass(13s + 9 * 300s);
    EXPECT_EQ(probes["default/one"], 6) << "three events, each every fifth time";
    EXPECT_EQ(probes["default/two"], 4) << "two events";
}

TEST_F(DeliveriesCircuitTest, DoNotWaitForAPausedSubscriptionToProbe) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe_two({.retry = {10s}});
    publish(3, "", "a");
    publish(2, "", "b");
    ASSERT_EQ(record.seen.size(), 5U);
    pause(one);
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(13s);
    EXPECT_EQ(delivery("two").figures().settled, 2U);
    EXPECT_EQ(delivery("one").figures().settled, 0U);
}

// "one" failed five times and waits for the answer to its probe; "two" has never been attempted.
class DeliveriesWithAProbeOutTest : public DeliveriesCircuitTest {
 protected:
    void SetUp() override {
        record.answer_at_once = [](const auto&) { return kFailed; };
        subscribe_two({.retry = {10s}});
        publish(5, "", "a");
        publish(1, "", "b");
        ASSERT_TRUE(delivery("two").figures().circuit_open);
        record.answer_at_once = nullptr;
        pass(13s);
        ASSERT_EQ(record.waiting.size(), 1U);
        ASSERT_EQ(record.waiting.front().seen.subscription, one.key());
        record.answer_at_once = [](const auto&) { return kSettled; };
    }
};

TEST_F(DeliveriesWithAProbeOutTest, SleepUntilThatEndsThoughItLastsLongerThanAnInterval) {
    pass(6min);
    EXPECT_EQ(clock.next_timer(), std::nullopt) << "nothing is to be done before";
    EXPECT_EQ(record.waiting.size(), 1U);
    record.answer(kFailed);
    EXPECT_EQ(delivery("two").figures().settled, 1U) << "another probes at once";
}

TEST_F(DeliveriesWithAProbeOutTest, ProbeAnIntervalLaterWhenThatSubscriptionIsRemoved) {
    deliveries->changed(one.key(), nullptr);
    pass(5min);
    EXPECT_EQ(delivery("two").figures().settled, 1U);
    record.answer(kFailed);
    EXPECT_FALSE(delivery("two").figures().circuit_open);
}

TEST_F(DeliveriesWithAProbeOutTest, ProbeAnIntervalLaterWhenThatSubscriptionGoesElsewhere) {
    one.sink = WebhookSink{.url = "http://127.0.0.1:1/elsewhere"};
    deliveries->changed(one.key(), &one);
    pass(5min);
    EXPECT_EQ(delivery("two").figures().settled, 1U);
    record.answer(kFailed);
    EXPECT_FALSE(delivery("two").figures().circuit_open);
}

TEST_F(DeliveriesWithAProbeOutTest, ProbeAnIntervalLaterWhenThatSubscriptionWasElsewhereMeanwhile) {
    const SinkConfig before = one.sink;
    one.sink = WebhookSink{.url = "http://127.0.0.1:1/elsewhere"};
    deliveries->changed(one.key(), &one);
    one.sink = before;
    record.answer_at_once = nullptr;
    deliveries->changed(one.key(), &one);
    pass(5min);
    ASSERT_EQ(record.waiting.size(), 2U) << "its old probe, and one of an interval later";
    record.answer(kFailed);
    pass(4min);
    EXPECT_EQ(record.waiting.size(), 1U);
}

}  // namespace
}  // namespace belfry
