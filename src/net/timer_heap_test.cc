#include "net/timer_heap.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace belfry {
namespace {

using std::chrono::seconds;

MonoTime at(int second) {
    return MonoTime(seconds(second));
}

TEST(TimerHeap, RunsInOrderOfTimeAndThenOfSetting) {
    TimerHeap timers;
    std::vector<int> ran;
    for (const int id : {30, 10, 20, 11}) {
        timers.add(at(id / 10), [&ran, id] { ran.push_back(id); });
    }
    EXPECT_EQ(timers.next(), at(1));
    while (Task task = timers.take_due(at(2))) {
        task();
    }
    EXPECT_THAT(ran, testing::ElementsAre(10, 11, 20));
    EXPECT_EQ(timers.next(), at(3));
}

TEST(TimerHeap, ACancelledTimerDoesNotRunAndItsNumberIsNotUsedAgain) {
    TimerHeap timers;
    const TimerId first = timers.add(at(1), [] { FAIL(); });
    timers.cancel(first);
    bool ran = false;
    const TimerId second = timers.add(at(1), [&] { ran = true; });
    EXPECT_NE(first, second);
    timers.cancel(first);
    timers.cancel(TimerId{});
    timers.cancel(TimerId{12345});
    timers.take_due(at(1))();
    EXPECT_TRUE(ran);
    EXPECT_EQ(timers.next(), std::nullopt);
    timers.cancel(second);
}

TEST(TimerHeap, CancellingDestroysWhatTheTaskHeld) {
    TimerHeap timers;
    auto held = std::make_shared<int>(1);
    const TimerId timer = timers.add(at(1), [held] {});
    EXPECT_EQ(held.use_count(), 2);
    timers.cancel(timer);
    EXPECT_EQ(held.use_count(), 1);
}

TEST(TimerHeap, AgreesWithAMapOverRandomOperations) {
    std::mt19937 random(7);
    TimerHeap timers;
    std::map<std::pair<int, int>, TimerId> model;  // (second, order) → timer
    std::vector<int> ran;
    for (int i = 0; i < 20'000; ++i) {
        const unsigned what = random() % 10;
        if (what < 5) {
            const int second = static_cast<int>(random() % 1000);
            model[{second, i}] = timers.add(at(second), [&ran, i] { ran.push_back(i); });
        } else if (what < 8 && !model.empty()) {
            auto chosen =
                std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
            timers.cancel(chosen->second);
            model.erase(chosen);
        } else if (!model.empty()) {
            ASSERT_EQ(timers.next(), at(model.begin()->first.first));
            timers.take_due(at(1000))();
            ASSERT_EQ(ran.back(), model.begin()->first.second);
            model.erase(model.begin());
        }
        ASSERT_EQ(timers.size(), model.size());
    }
}

}  // namespace
}  // namespace belfry
