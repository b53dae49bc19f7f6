// Deliveries whose endpoint fails: who probes, and what becomes of the schedule and the backlog.
#include "hub/deliveries_fixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

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
    EXPECT_LE(delivery("chat").exceptions().size(), 5U + 24 * 6 + 1) << "each second was a new one";
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
    EXPECT_EQ(record.seen.size(), 4U);
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
    for (const auto kind : {Outcome::Kind::wait, Outcome::Kind::failed}) {
        record.seen.clear();
        record.answer_at_once = [kind](const auto&) {
            return Outcome{.kind = kind, .status = 429, .error = "later", .retry_after = 2h};
        };
        pass(kind == Outcome::Kind::wait ? 5min : 120min);
        ASSERT_EQ(record.offsets(), (Offsets{0}));
    }
    publish(1, "b");
    record.answer_at_once = [](const auto&) { return kSettled; };
    const bool all = GetParam() == DeliveryPolicy::Order::all;
    pass(110min);
    EXPECT_EQ(record.offsets(), all ? Offsets{0} : (Offsets{0, 1}))
        << "an event that was never attempted probes where the order allows it";
    pass(10min);
    EXPECT_EQ(record.offsets(), all ? (Offsets{0, 0, 1}) : (Offsets{0, 1, 0}));
}

TEST_P(DeliveriesOfEveryOrderTest, KeepTheScheduleOfAProbeThatCouldNotBeRead) {
    ASSERT_NO_FATAL_FAILURE(open_the_circuit_with_one_event());
    const Exception before = exception();
    log.tail_events = 0;
    log.read_failure = Error{.detail = "the device fails"};
    pass(6min);
    EXPECT_TRUE(record.seen.empty());
    EXPECT_EQ(exception().due, before.due);
    EXPECT_EQ(exception().due_wall, before.due_wall);
    log.read_failure.reset();
    record.answer_at_once = [](const auto&) { return kFailed; };
    pass(6min);
    EXPECT_EQ(record.offsets(), (Offsets{0})) << "the circuit has its probe back";
    EXPECT_EQ(exception().due, before.due);
    EXPECT_EQ(exception().step, before.step);
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

TEST_F(DeliveriesCircuitTest, AreNotKeptFromAnEndpointByAnotherTenant) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe_two();
    Subscription other = one;
    other.tenant = "acme";
    documents.push_back(other);
    deliveries->changed(other.key(), &other);
    publish(10, "", "a");
    EXPECT_TRUE(delivery("two").figures().circuit_open);
    EXPECT_FALSE(deliveries->find(other.key())->figures().circuit_open);
}

// Whoever wakes first would probe with its own event again and again.
TEST_F(DeliveriesCircuitTest, ProbeWithTheEventThatHasBeenDueForLongestWhosesoeverItIs) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe_two({.retry = {10s}});
    publish(1, "", "b");
    publish(2, "", "a");
    publish(1, "", "b");
    publish(1, "", "a");
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

TEST_F(DeliveriesCircuitTest, LetNoEventThatFailsByItselfKeepOthersBack) {
    record.answer_at_once = [](const SinkRecord::Seen& seen) {
        return seen.offset == Offset{0} ? kFailed : kSettled;
    };
    subscribe("chat", {.order = DeliveryPolicy::Order::key});
    publish(2, "a");
    pass(28h);
    ASSERT_TRUE(delivery("chat").figures().circuit_open);
    ASSERT_TRUE(dead_letters().empty()) << "it could as well be the endpoint";
    std::uint64_t settled = 0;
    for (int hour = 0; hour < 100 && dead_letters().empty(); ++hour) {
        publish(1, "b");
        pass(10min);
        ASSERT_EQ(delivery("chat").figures().settled, ++settled) << hour;
        ASSERT_EQ(delivery("chat").exceptions().size(), 2U) << "by its key one waits for the other";
        pass(50min);
    }
    const std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].offset, Offset{0});
    EXPECT_EQ(rows[0].reason, "exhausted");
    EXPECT_EQ(delivery("chat").figures().settled, settled + 1) << "and the one behind it";
    EXPECT_TRUE(delivery("chat").exceptions().empty());
}

// Nothing is asked of the endpoint with them, so another one may ask at once.
TEST_F(DeliveriesCircuitTest, WasteNoProbeOnWhatIsNotForTheNewFilter) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    Subscription chat = subscribe("chat", {.retry = {10h}});
    publish(3, "", "old");
    publish(2, "", "new");
    ASSERT_TRUE(delivery("chat").figures().circuit_open);
    narrow(chat, "new");
    record.seen.clear();
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(5min + 1s);
    EXPECT_EQ(record.offsets(), (Offsets{3, 4})) << "by one probe, and the other early";
    EXPECT_TRUE(delivery("chat").exceptions().empty());
}

// Each is due in hours when the circuit opens.
TEST_F(DeliveriesCircuitTest, TryWhatFailedAtOnceWhenTheEndpointIsBackUpToWhatFailsAgain) {
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.retry = {10h, 10h}});
    publish(5);
    ASSERT_TRUE(delivery("chat").figures().circuit_open);
    record.seen.clear();
    const std::uint64_t poison = [&] {  // the third of them to be due
        std::vector<std::pair<MonoTime, std::uint64_t>> due;
        for (const auto& [offset, exception] : delivery("chat").exceptions().all()) {
            due.emplace_back(exception.due, offset.value);
        }
        std::ranges::sort(due);
        return due.at(2).second;
    }();
    record.answer_at_once = [&](const SinkRecord::Seen& seen) {
        return seen.offset == Offset{poison} ? kFailed : kSettled;
    };
    pass(5min);
    EXPECT_FALSE(delivery("chat").figures().circuit_open);
    ASSERT_EQ(record.seen.size(), 3U);
    EXPECT_EQ(record.seen.back().offset, Offset{poison});
    EXPECT_EQ(delivery("chat").exceptions().all().at(Offset{poison}).step, 1U) << "as before";
    pass(13h);
    EXPECT_EQ(delivery("chat").figures().settled, 4U) << "the others by their schedule";
}

TEST_F(DeliveriesCircuitTest, LoseNothingOfADeadEndpointAndKeepTheOrderOfKeys) {
    constexpr std::uint64_t kKeys = 50;
    record.answer_at_once = [](const auto&) { return kFailed; };
    subscribe("chat", {.order = DeliveryPolicy::Order::key});
    for (std::uint64_t i = 0; i < 4 * kKeys; ++i) {
        publish(1, fmt::format("key {}", i % kKeys));
    }
    pass(24h);
    ASSERT_TRUE(delivery("chat").figures().circuit_open);
    const Offsets seen = record.offsets();
    const std::set<std::uint64_t> tried(seen.begin(), seen.end());
    EXPECT_EQ(tried.size(), kKeys);
    EXPECT_EQ(*tried.rbegin(), kKeys - 1) << "the first of each key";
    record.seen.clear();
    record.answer_at_once = [](const auto&) { return kSettled; };
    pass(5min);
    ASSERT_EQ(record.seen.size(), 4 * kKeys);
    EXPECT_EQ(delivery("chat").oldest_unsettled(), Offset{4 * kKeys});
    std::map<std::uint64_t, std::uint64_t> next;
    for (const std::uint64_t offset : record.offsets()) {
        EXPECT_EQ(offset / kKeys, next[offset % kKeys]++) << offset;
    }
}

// "one" has only events that the endpoint fails of.
TEST_F(DeliveriesCircuitTest, TakeTurnsWithWhatWasNeverAttempted) {
    record.answer_at_once = [&](const SinkRecord::Seen& seen) {
        return seen.subscription == one.key() ? kFailed : kSettled;
    };
    subscribe_two({.retry = {10s}});
    publish(20, "", "a");
    ASSERT_EQ(record.seen.size(), 5U);
    publish(1, "", "b");
    pass(13s);
    pass(15min);
    ASSERT_GE(record.seen.size(), 9U);
    EXPECT_EQ(record.seen[5].number, 2U);
    EXPECT_EQ(record.seen[6].number, 1U);
    EXPECT_EQ(record.seen[6].subscription, one.key());
    EXPECT_EQ(record.seen[7].number, 2U);
    EXPECT_EQ(record.seen[8].subscription, two.key()) << "and not once more the other";
    EXPECT_EQ(delivery("two").figures().settled, 1U);
    EXPECT_GE(record.seen.size(), 9U + 5U) << "its backlog goes on, and fails";
    EXPECT_TRUE(delivery("one").figures().circuit_open);
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
    pass(6min);
    EXPECT_EQ(record.waiting.size(), 1U) << "the old one ended, the other is still out";
}

}  // namespace
}  // namespace belfry
