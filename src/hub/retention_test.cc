#include "hub/retention.h"

#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "engine/memory_log.h"
#include "engine/memory_state.h"
#include "hub/append_events.h"
#include "hub/recording_sink.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

// Segments of 10 events and 1,000 bytes each; a subscription whose listener never answers.
class RetentionTest : public testing::Test {
 protected:
    RetentionTest() {
        log.events_per_segment = 10;
        deliveries.restore(StateSnapshot{});
        deliveries.begin();
        writer.before_commit([this](StateChanges& changes) { deliveries.gather(changes); });
        log.on_durable([this](Offset first, Offset next) { deliveries.durable(first, next); });
    }
    void start(RetentionOptions options) {
        retention = std::make_unique<Retention>(clock, log, deliveries, writer, options);
        retention->start();
    }
    void subscribe(
        SubscriptionState with = SubscriptionState::active,
        DeliveryPolicy::Order order = DeliveryPolicy::Order::none
    ) {
        Subscription subscription{
            .name = "chat",
            .sink = WebhookSink{.url = "http://127.0.0.1:1/"},
            .delivery = {.order = order, .max_in_flight = 1, .retry = {1000h}},
            .state = with,
        };
        deliveries.changed(subscription.key(), &subscription);
    }
    void publish(int count) {
        append_events(log, count);
        loop.run_all();
    }
    void pass(Duration time) {
        for (int i = 0; i < 10; ++i) {
            clock.advance(time / 10);
            loop.run_all();
        }
    }
    std::vector<DeadLetterRow> dead_letters() {
        std::vector<DeadLetterRow> rows;
        state.list_dead_letters({}, [&](Result<DeadLetterPage> page) { rows = page.value().rows; });
        loop.run_all();
        return rows;
    }

    ManualClock clock;
    ManualExecutor loop;
    SeededRng rng{1};
    MemoryLog log{clock, rng, loop};
    MemoryState state{loop};
    SinkRecord record;
    SinkFactory make_sink = [this](const Subscription& subscription
                            ) -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<RecordingSink>(record, subscription.key(), "http://127.0.0.1:1/");
    };
    StateWriter writer{clock, state};
    Deliveries deliveries{
        Deliveries::Ports{
            .clock = clock,
            .rng = rng,
            .log = log,
            .writer = writer,
            .make_sink = make_sink,
            .disable = [](const SubscriptionKey&, const std::string&) {},
        },
        CircuitOptions{}
    };
    std::unique_ptr<Retention> retention;
};

TEST_F(RetentionTest, DropsTheOldestSegmentsOverTheSizeAndNeverTheOneBeingWritten) {
    start({.bytes = 2'500});
    publish(55);
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{40});
}

TEST_F(RetentionTest, DropsWhatIsTooOld) {
    start({.age = 1h});
    publish(20);
    pass(50min);
    publish(15);
    EXPECT_EQ(log.first_offset(), Offset{0});
    pass(15min);
    EXPECT_EQ(log.first_offset(), Offset{20});
}

TEST_F(RetentionTest, TriesAgainUntilWhatItDroppedIsGone) {
    start({.bytes = 2'500});
    log.trim_failure = Error{.code = Errc::internal, .detail = "EIO"};
    publish(55);
    clock.advance(2s);
    loop.run_all();
    EXPECT_EQ(log.first_offset(), Offset{40});
    EXPECT_EQ(log.trims, 1);
    clock.advance(2s);
    loop.run_all();
    EXPECT_EQ(log.trims, 2) << "nothing new is to go, but the old is still there";
    log.trim_failure.reset();
    pass(20s);
    EXPECT_EQ(log.trims, 3);
}

TEST_F(RetentionTest, StopsAtTheOldestUnsettledEventOfAnActiveSubscription) {
    start({.bytes = 1'000});
    publish(15);
    subscribe();
    publish(40);
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{10});
    ASSERT_EQ(record.waiting.size(), 1U);
    record.answer_at_once = [](const auto&) {
        return Outcome{.kind = Outcome::Kind::settled, .status = 200};
    };
    record.answer(Outcome{.kind = Outcome::Kind::settled, .status = 200});
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{50});
    EXPECT_TRUE(dead_letters().empty());
}

TEST_F(RetentionTest, WritesARangeBeforeItGoesOnPastTheHardBound) {
    subscribe();
    start({.bytes = 1'000, .hard_bytes = 3'000});
    publish(55);
    record.answer(Outcome{.kind = Outcome::Kind::failed, .status = 500, .error = "down"});
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{30});
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].reason, "expired");
    ASSERT_TRUE(rows[0].range.has_value()) << "what was never attempted";
    EXPECT_EQ(rows[0].range->from, Offset{2});
    EXPECT_EQ(rows[0].range->to, Offset{30});
    EXPECT_EQ(rows[0].range->count, 28U);
    EXPECT_EQ(rows[1].reason, "expired");
    EXPECT_EQ(rows[1].offset, Offset{0});
    EXPECT_FALSE(rows[1].record.empty()) << "what waited for a retry is kept with a copy";
    // The event under way is still attempted; its failure cannot wait for a retry any more.
    ASSERT_EQ(record.waiting.front().seen.offset, Offset{1});
    record.answer(Outcome{.kind = Outcome::Kind::failed, .status = 500, .error = "down"});
    pass(1s);
    rows = dead_letters();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[2].offset, Offset{1});
}

TEST_F(RetentionTest, WakesWhatWaitedForAnEventThatItDropped) {
    subscribe(SubscriptionState::active, DeliveryPolicy::Order::all);
    publish(1);
    record.answer(Outcome{.kind = Outcome::Kind::failed, .status = 500, .error = "down"});
    publish(14);
    EXPECT_TRUE(record.waiting.empty());
    start({.bytes = 1'000, .hard_bytes = 3'000});
    publish(40);
    pass(20s);
    EXPECT_EQ(dead_letters().size(), 2U);
    ASSERT_EQ(record.waiting.size(), 1U) << "not after the hours that the first had to wait";
    EXPECT_EQ(record.waiting.front().seen.offset, Offset{30});
}

TEST_F(RetentionTest, KeepsToTheHardBoundOfADiskThatIsSmallerThanTheSize) {
    subscribe();
    start({.bytes = 10'000, .hard_bytes = 3'000});
    publish(55);
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{30});
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U) << "what it passed is told";
    EXPECT_EQ(rows[0].range->count, 29U);
}

TEST_F(RetentionTest, TellsOfEventsThatItCannotReadBeforeItDropsThem) {
    subscribe();
    start({.bytes = 1'000, .hard_bytes = 3'000});
    publish(55);
    record.answer(Outcome{.kind = Outcome::Kind::failed, .status = 500, .error = "down"});
    log.gaps = {
        Gap{.from = Offset{0}, .to = Offset{1}},    // waits for a retry
        Gap{.from = Offset{25}, .to = Offset{35}},  // never attempted, and goes on behind the cut
    };
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{30});
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].range->to, Offset{30});
    EXPECT_EQ(rows[0].range->count, 28U) << "a gap below the cut counts as if all of it matched";
    EXPECT_EQ(rows[1].reason, "unreadable");
    ASSERT_TRUE(rows[1].range.has_value());
    EXPECT_EQ(rows[1].range->from, Offset{0});
    EXPECT_EQ(rows[1].range->count, 1U);
    EXPECT_EQ(deliveries.counters().dead_lettered, 29U);
}

TEST_F(RetentionTest, LetsAPausedSubscriptionHoldNothingButLoseNothingSilently) {
    subscribe(SubscriptionState::paused);
    start({.bytes = 1'000});
    publish(55);
    pass(20s);
    EXPECT_EQ(log.first_offset(), Offset{50});
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    ASSERT_TRUE(rows[0].range.has_value());
    EXPECT_EQ(rows[0].range->from, Offset{0});
    EXPECT_EQ(rows[0].range->to, Offset{50});
    EXPECT_EQ(rows[0].range->count, 50U);
    EXPECT_EQ(deliveries.find("default/chat")->position(), Offset{50});
}

TEST_F(RetentionTest, DoesNotBelieveAWallClockThatJumpsForward) {
    start({.age = 10min});
    publish(25);
    pass(1min);
    clock.jump_wall(10min);
    pass(5min);
    EXPECT_EQ(log.first_offset(), Offset{0}) << "one bad answer must not erase the log";
    pass(10min);
    EXPECT_EQ(log.first_offset(), Offset{20}) << "ten stable minutes later it is the time";
}

TEST_F(RetentionTest, DoesNotBelieveAWallClockThatIsFarAheadWhenItStarts) {
    publish(25);
    clock.jump_wall(48h);
    start({.age = 24h});
    pass(9min);
    EXPECT_EQ(log.first_offset(), Offset{0}) << "a wrong clock may still be set right";
    pass(2min);
    EXPECT_EQ(log.first_offset(), Offset{20});
}

}  // namespace
}  // namespace belfry
