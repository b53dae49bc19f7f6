// Where a new subscription begins, over the real log: its pages end after 20,000 examined records.
#include "hub/start_search.h"

#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "catalog/catalog.h"
#include "engine/embedded/log_test_bed.h"
#include "engine/memory_kv.h"
#include "engine/memory_log.h"
#include "engine/memory_state.h"
#include "hub/hub.h"
#include "hub/recording_sink.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

constexpr int kMoreThanAPage = 21'000;

class SubscriptionStartTest : public testing::Test {
 protected:
    void SetUp() override {
        bed_.options.segment_bytes = 64UL * 1024 * 1024;
        open();
    }
    void open() {
        hub_.reset();
        ASSERT_TRUE(bed_.open());
        hub_ = std::make_unique<Hub>(
            HubPorts{
                .clock = bed_.clock,
                .rng = bed_.rng,
                .log = *bed_.log,
                .state = state_,
                .catalog = catalog_,
                .make_sink = [this](const Subscription& subscription
                             ) -> Result<std::unique_ptr<Sink>> {
                    return std::make_unique<RecordingSink>(record_, subscription.key(), "here");
                },
            },
            HubOptions{},
            limits_
        );
        bool ready = false;
        hub_->start([&](const Result<void>& started) { ready = started.has_value(); });
        bed_.settle();
        ASSERT_TRUE(ready);
    }
    void publish(int count, const std::string& tenant = "default") {
        for (int i = 0; i < count; i += 1'000) {
            std::vector<EventText> texts(
                static_cast<std::size_t>(std::min(1'000, count - i)),
                {.data = "x", .tenant = tenant}
            );
            ASSERT_TRUE(bed_.append(texts));
        }
    }
    // Events that a search for a time has to pass by: of another tenant, and here and there one of
    // this tenant that was recorded before, by a clock that was late. `count` is of thousands.
    void publish_others(int count) {
        for (int i = 0; i < count; i += 1'000) {
            bed_.clock.jump_wall(-1h);
            publish(1);
            bed_.clock.jump_wall(1h);
            publish(999, "other");
        }
    }
    // A second passes before and after.
    WallTime moment() {
        bed_.clock.advance(1s);
        const WallTime now = bed_.clock.wall();
        bed_.clock.advance(1s);
        return now;
    }
    void create(Start start) {
        Subscription subscription{
            .name = "s", .sink = WebhookSink{.url = "http://127.0.0.1:1/"}, .start = start
        };
        hub_->create_subscription(std::move(subscription), [this](Result<Subscription> result) {
            created_ = std::move(result);
        });
        bed_.settle();
    }
    void take_turns() {
        for (int i = 0; i < 20; ++i) {
            bed_.clock.advance(1ms);
            bed_.settle();
        }
    }
    // The cursor, and the offset that is attempted first: nothing was answered yet.
    std::optional<std::uint64_t> start_of(Start start) {
        create(start);
        take_turns();
        if (!created_ || !*created_) {
            return std::nullopt;
        }
        const std::uint64_t cursor = hub_->subscription_status("default/s")->cursor.value;
        EXPECT_TRUE(record_.seen.empty() || record_.seen.front().offset.value == cursor);
        return cursor;
    }

    LogTestBed bed_;
    MemoryState state_{bed_.loop};
    MemoryKv kv_{bed_.loop};
    Limits limits_;
    Catalog catalog_{kv_, limits_};
    SinkRecord record_;
    std::unique_ptr<Hub> hub_;
    std::optional<Result<Subscription>> created_;
};

// Of a log that retention takes segments from.
class SubscriptionStartInAShortLogTest : public SubscriptionStartTest {
 protected:
    void SetUp() override {
        bed_.options.segment_bytes = kSegmentBytesMin;
        open();
    }
};

TEST_F(SubscriptionStartTest, AtATimeIsFoundHoweverManyEventsAreBeforeIt) {
    publish(2 * kMoreThanAPage);
    const WallTime since = moment();
    publish(5);
    EXPECT_EQ(start_of(since), 2U * kMoreThanAPage);
    EXPECT_EQ(record_.seen.size(), 5U);
}

TEST_F(SubscriptionStartTest, AtATimeIsFoundBehindTheEventsOfOtherTenants) {
    publish(10);
    const WallTime since = moment();
    publish_others(2 * kMoreThanAPage);
    publish(5);
    EXPECT_EQ(start_of(since), 10U + 2U * kMoreThanAPage);
    EXPECT_EQ(record_.seen.size(), 5U);
}

TEST_F(SubscriptionStartTest, AtATimeReadsOnePageInATurn) {
    const WallTime since = moment();
    publish_others(2 * kMoreThanAPage);
    publish(5);
    create(since);
    EXPECT_FALSE(created_) << "though the log has read all that it was asked for";
    take_turns();
    EXPECT_TRUE(created_ && *created_);
}

TEST_F(SubscriptionStartTest, AtATimeAfterTheLastEventIsTheNextEvent) {
    publish(10);
    EXPECT_EQ(start_of(moment()), 10U);
    publish(1);
    EXPECT_EQ(record_.offsets(), std::vector<std::uint64_t>{10});
}

TEST_F(SubscriptionStartTest, AtATimeMissesNothingThatIsPublishedDuringTheSearch) {
    const WallTime since = moment();
    publish_others(kMoreThanAPage);
    create(since);
    ASSERT_FALSE(created_);
    publish(3);
    take_turns();
    ASSERT_TRUE(created_ && *created_);
    EXPECT_EQ(hub_->subscription_status("default/s")->cursor, Offset{kMoreThanAPage});
    EXPECT_EQ(record_.seen.size(), 3U);
}

TEST_F(SubscriptionStartInAShortLogTest, AtATimeGoesOnWhereTheLogBeginsWhenRetentionIsFaster) {
    const WallTime since = moment();
    publish_others(3 * kMoreThanAPage);
    publish(5);
    create(since);
    ASSERT_FALSE(created_);
    ASSERT_TRUE(bed_.trim(Offset{3 * kMoreThanAPage}));
    ASSERT_GT(bed_.log->first_offset(), Offset{kMoreThanAPage}) << "or nothing is proved";
    take_turns();
    ASSERT_TRUE(created_ && *created_);
    EXPECT_EQ(hub_->subscription_status("default/s")->cursor, Offset{3 * kMoreThanAPage});
}

TEST_F(SubscriptionStartTest, AtATimeIsRefusedWhenTheHubStopsMeanwhile) {
    const WallTime since = moment();
    publish_others(kMoreThanAPage);
    create(since);
    ASSERT_FALSE(created_);
    bool stopped = false;
    hub_->stop([&] { stopped = true; });
    take_turns();
    EXPECT_TRUE(stopped);
    ASSERT_TRUE(created_);
    ASSERT_FALSE(*created_);
    EXPECT_EQ(created_->error().code, Errc::unavailable);
    EXPECT_EQ(catalog_.find("default/s"), nullptr);
}

// The log may answer after the stop.
TEST(StartSearches, FailAtTheStopThoughTheirPageComesWithAnEvent) {
    ManualClock clock;
    ManualExecutor loop;
    SeededRng rng{1};
    MemoryLog log(clock, rng, loop);
    const WallTime since = clock.wall();
    const Event event{.source = "/test", .type = "t"};
    log.append(std::span(&event, 1), [](auto) {});
    StartSearches searches(clock, log);
    log.holds_lists = true;
    std::optional<Result<Offset>> found;
    searches.find("default", since, [&](Result<Offset> start) { found = std::move(start); });
    searches.stop();
    EXPECT_FALSE(found) << "its page is out";
    log.release_lists();
    ASSERT_TRUE(found);
    ASSERT_FALSE(found->has_value());
    EXPECT_EQ(found->error().code, Errc::unavailable);
}

TEST_F(SubscriptionStartTest, OfOneThatWasRefusedIsNotThatOfTheNextOfItsName) {
    publish(10);
    limits_.subscriptions = 0;
    create(Offset{3});
    ASSERT_TRUE(created_);
    ASSERT_FALSE(*created_);
    EXPECT_EQ(created_->error().code, Errc::rate_limited);
    limits_.subscriptions = 10;
    EXPECT_EQ(start_of(StartNew{}), 10U);
}

TEST_F(SubscriptionStartTest, OfTwoOfOneNameIsThatOfTheFirst) {
    publish(10);
    Subscription subscription{
        .name = "s", .sink = WebhookSink{.url = "http://127.0.0.1:1/"}, .start = Offset{3}
    };
    hub_->create_subscription(subscription, [this](Result<Subscription> result) {
        created_ = std::move(result);
    });
    subscription.start = Offset{7};
    std::optional<Result<Subscription>> second;
    hub_->create_subscription(subscription, [&](Result<Subscription> result) {
        second = std::move(result);
    });
    bed_.settle();
    ASSERT_TRUE(created_ && *created_);
    ASSERT_TRUE(second && !*second);
    EXPECT_EQ(second->error().code, Errc::conflict);
    EXPECT_EQ(hub_->subscription_status("default/s")->cursor, Offset{3});
}

TEST_F(SubscriptionStartTest, NewIsTheNextEvent) {
    publish(10);
    EXPECT_EQ(start_of(StartNew{}), 10U);
}

TEST_F(SubscriptionStartInAShortLogTest, EarliestIsTheFirstEventThatTheLogHas) {
    publish(2 * kMoreThanAPage);
    ASSERT_TRUE(bed_.trim(Offset{kMoreThanAPage}));
    const Offset first = bed_.log->first_offset();
    ASSERT_GT(first, Offset{0});
    EXPECT_EQ(start_of(StartEarliest{}), first.value);
}

TEST_F(SubscriptionStartTest, AnOffsetIsThatEvent) {
    publish(10);
    EXPECT_EQ(start_of(Offset{7}), 7U);
}

TEST_F(SubscriptionStartInAShortLogTest, AnOffsetThatIsNotThereIsTheNearestThatIs) {
    publish(2 * kMoreThanAPage);
    ASSERT_TRUE(bed_.trim(Offset{kMoreThanAPage}));
    const Offset first = bed_.log->first_offset();
    ASSERT_GT(first, Offset{3});
    EXPECT_EQ(start_of(Offset{3}), first.value);
}

TEST_F(SubscriptionStartTest, AnOffsetPastTheEndIsTheNextEvent) {
    publish(10);
    EXPECT_EQ(start_of(Offset{1'000}), 10U);
}

}  // namespace
}  // namespace belfry
