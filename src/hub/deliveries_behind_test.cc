// Deliveries that cannot keep up: what the match index noted for them meanwhile, and where they
// examine the log themselves.
#include "hub/deliveries_fixture.h"

#include <fmt/format.h>

namespace belfry {
namespace {

const Filter kWanted{.types = {TypePattern{.text = "wanted"}}};

class DeliveriesBehindTest : public DeliveriesTest {
 protected:
    // Every hundredth event is for "chat".
    void publish_hundreds(int count) {
        for (int i = 0; i < count; ++i) {
            publish(1, "", "wanted");
            publish(99, "", "other");
        }
    }
    void answer_all() {
        while (!record.waiting.empty()) {
            record.answer(kSettled);
            run();
        }
    }
};

TEST_F(DeliveriesBehindTest, ReadOnlyWhatTheIndexFoundForThem) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish_hundreds(10);
    log.entries_read = 0;
    record.answer(kSettled);
    EXPECT_EQ(record.offsets(), (Offsets{0, 100}));
    EXPECT_EQ(log.entries_read, 1U);
    EXPECT_EQ(delivery("chat").position(), Offset{200}) << "nothing between is for it";
    answer_all();
    EXPECT_EQ(record.offsets(), (Offsets{0, 100, 200, 300, 400, 500, 600, 700, 800, 900}));
    EXPECT_EQ(log.entries_read, 9U);
    EXPECT_EQ(delivery("chat").position(), Offset{1000});
    publish(1, "", "wanted");
    EXPECT_EQ(record.seen.back().offset, Offset{1000}) << "it is offered new events again";
}

TEST_F(DeliveriesBehindTest, LoseNothingWhenTheIndexFoundTooMany) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    const int count = 3 * static_cast<int>(NotedMatches::kMost);
    for (int i = 0; i < count; ++i) {
        publish(1, "", "wanted");
        publish(1, "", "other");
    }
    record.answer_at_once = [](const auto&) { return kSettled; };
    answer_all();
    for (int i = 0; i < 50; ++i) {
        pass(Duration::zero());  // it leaves the loop to others in between
    }
    ASSERT_EQ(record.seen.size(), static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < record.seen.size(); ++i) {
        ASSERT_EQ(record.seen[i].offset.value, 2 * i);
    }
    EXPECT_EQ(delivery("chat").position(), Offset{2 * static_cast<std::uint64_t>(count)});
}

TEST_F(DeliveriesBehindTest, ReadEventsThatFollowOneAnotherTogether) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish(100, "", "wanted");
    publish(1000, "", "other");
    publish(1, "", "wanted");
    log.tail_events = 0;
    log.entries_read = 0;
    answer_all();
    EXPECT_EQ(record.seen.size(), 101U);
    EXPECT_EQ(log.entries_read, 256U + 77U) << "two stretches, each once";
    EXPECT_EQ(record.seen.back().offset, Offset{1100});
}

TEST_F(DeliveriesBehindTest, ShareWhatOneOfThemReadFromTheDisk) {
    for (int i = 0; i < 50; ++i) {
        subscribe(fmt::format("s{}", i), {.order = DeliveryPolicy::Order::all}, kWanted);
    }
    publish_hundreds(50);
    log.tail_events = 0;
    log.entries_read = 0;
    answer_all();
    EXPECT_EQ(record.seen.size(), 50U * 50U);
    EXPECT_LE(log.entries_read, 2U * 5000U) << "not fifty times";
}

TEST_F(DeliveriesBehindTest, HearOfEventsThatCouldNotBeOffered) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish(3, "", "wanted");  // two are noted
    log.tail_events = 0;       // from here on nobody is offered anything
    publish(3, "", "wanted");
    log.tail_events = UINT64_MAX;
    publish(3, "", "wanted");
    answer_all();
    EXPECT_EQ(record.offsets(), (Offsets{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(DeliveriesBehindTest, ExamineTheirBacklogByANewFilter) {
    Subscription subscription = subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish_hundreds(2);
    publish(1, "", "wanted");
    subscription.filter = Filter{.types = {TypePattern{.text = "other"}}};
    deliveries->changed(subscription.key(), &subscription);
    answer_all();
    ASSERT_EQ(record.seen.size(), 1U + 99U) << "from its position on";
    EXPECT_EQ(record.seen[1].offset, Offset{101});
    EXPECT_EQ(record.seen.back().offset, Offset{199});
}

TEST_F(DeliveriesBehindTest, LeaveARangeWhereANotedEventCannotBeRead) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish_hundreds(3);
    log.gaps.push_back(Gap{.from = Offset{100}, .to = Offset{101}});
    answer_all();
    EXPECT_EQ(record.offsets(), (Offsets{0, 200}));
    std::vector<DeadLetterRow> rows = dead_letters();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].range->from, Offset{100});
    EXPECT_EQ(rows[0].range->count, 1U);
}

TEST_F(DeliveriesBehindTest, HoldNothingOfTheLogOnceTheyCaughtUp) {
    subscribe("chat", {.max_in_flight = 1});
    publish(50);
    answer_all();
    const auto last = log.read_tail(Offset{49}, {.events = 1});
    const auto& event = std::get<StoredEvent>(last->entries.front());
    EXPECT_EQ(event.owner.use_count(), 2) << "the log, and this test";
}

TEST_F(DeliveriesBehindTest, PassOverWhatRetentionDrops) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish_hundreds(5);
    delivery("chat").expire_before(Offset{350}, 3);
    EXPECT_EQ(delivery("chat").position(), Offset{400});
    delivery("chat").expire_before(Offset{450}, 1);
    EXPECT_EQ(delivery("chat").position(), Offset{500}) << "live: nothing is left to examine";
    answer_all();
    publish(1, "", "wanted");
    EXPECT_EQ(record.offsets(), (Offsets{0, 500}));
}

TEST_F(DeliveriesBehindTest, ComeBackAfterACrashToWhatTheyHadNotTaken) {
    subscribe("chat", {.order = DeliveryPolicy::Order::all}, kWanted);
    publish_hundreds(3);
    save();
    record.seen.clear();
    crash_and_open();
    answer_all();
    EXPECT_EQ(record.offsets(), (Offsets{0, 100, 200}));
}

}  // namespace
}  // namespace belfry
