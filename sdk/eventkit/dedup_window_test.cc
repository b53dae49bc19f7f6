#include "eventkit/dedup_window.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace belfry::eventkit {
namespace {

using Seen = DedupWindow::Seen;
using namespace std::chrono_literals;

constexpr std::string_view kFirstId = "da059724-a8ae-4b4b-b4f0-ee01898232d2";
constexpr MonoTime kStart{1h};

std::string delivery_id(int number) {
    return fmt::format("00000000-0000-0000-0000-{:012}", number);
}

void handle(DedupWindow& window, std::string_view event, MonoTime when = kStart) {
    ASSERT_EQ(window.begin(1, event, when), Seen::fresh) << event;
    window.end(1, event, true, when);
}

TEST(DedupWindow, AnEventThatWasHandledIsNotFreshAgain) {
    DedupWindow window({});
    handle(window, kFirstId);
    EXPECT_EQ(window.begin(1, kFirstId, kStart), Seen::handled);
    EXPECT_EQ(window.begin(1, kFirstId, kStart + 9min), Seen::handled);
    EXPECT_EQ(window.begin(1, delivery_id(1), kStart), Seen::fresh);
}

TEST(DedupWindow, EverySpellingIsTheSameEvent) {
    DedupWindow window({});
    handle(window, kFirstId);
    for (const std::string_view spelt :
         {"DA059724-A8AE-4B4B-B4F0-EE01898232D2",
          "da059724a8ae4b4bb4f0ee01898232d2",
          "urn:uuid:da059724-a8ae-4b4b-b4f0-ee01898232d2"}) {
        EXPECT_EQ(window.begin(1, spelt, kStart), Seen::handled) << spelt;
    }
}

TEST(DedupWindow, EachListenerHasIdsOfItsOwn) {
    DedupWindow window({});
    handle(window, kFirstId);
    EXPECT_EQ(window.begin(2, kFirstId, kStart), Seen::fresh);
    window.end(2, kFirstId, false, kStart);
    EXPECT_EQ(window.begin(1, kFirstId, kStart), Seen::handled);
    EXPECT_EQ(window.begin(2, kFirstId, kStart), Seen::fresh);
}

TEST(DedupWindow, AFailureIsForgotten) {
    DedupWindow window({});
    ASSERT_EQ(window.begin(1, kFirstId, kStart), Seen::fresh);
    window.end(1, kFirstId, false, kStart);
    EXPECT_EQ(window.size(), 0);
    handle(window, kFirstId);
    EXPECT_EQ(window.size(), 1);
}

TEST(DedupWindow, AnAttemptUnderWayIsNeitherFreshNorHandled) {
    DedupWindow window({.count_max = 1, .age_max = 1s});
    ASSERT_EQ(window.begin(1, kFirstId, kStart), Seen::fresh);
    EXPECT_EQ(window.begin(1, kFirstId, kStart), Seen::under_way);
    handle(window, delivery_id(1));
    handle(window, delivery_id(2));
    EXPECT_EQ(window.begin(1, kFirstId, kStart + 1h), Seen::under_way) << "however long it takes";
    window.end(1, kFirstId, true, kStart + 1h);
    EXPECT_EQ(window.begin(1, kFirstId, kStart + 1h), Seen::handled) << "its age begins at its end";
}

TEST(DedupWindow, TheOldestGoesWhenTheWindowIsFull) {
    DedupWindow window({.count_max = 3, .age_max = 1h});
    for (int i = 0; i < 5; ++i) {
        handle(window, delivery_id(i));
    }
    EXPECT_EQ(window.size(), 3);
    for (int i = 2; i < 5; ++i) {
        EXPECT_EQ(window.begin(1, delivery_id(i), kStart), Seen::handled) << i;
    }
    EXPECT_EQ(window.begin(1, delivery_id(1), kStart), Seen::fresh);
}

TEST(DedupWindow, WhatIsTooOldGoes) {
    DedupWindow window({.count_max = 10, .age_max = 10s});
    handle(window, delivery_id(1), kStart);
    handle(window, delivery_id(2), kStart + 1s);
    EXPECT_EQ(window.begin(1, delivery_id(1), kStart + 10s - 1ns), Seen::handled);
    EXPECT_EQ(window.begin(1, delivery_id(1), kStart + 10s), Seen::fresh);
    EXPECT_EQ(window.begin(1, delivery_id(2), kStart + 10s), Seen::handled);
}

TEST(DedupWindow, OfNoSizeRemembersNothing) {
    DedupWindow window({.count_max = 0, .age_max = 1h});
    handle(window, kFirstId);
    handle(window, kFirstId);
    EXPECT_EQ(window.size(), 0);
}

TEST(DedupWindow, WhatIsNoUuidIsAlwaysFresh) {
    DedupWindow window({});
    handle(window, "7");
    handle(window, "7");
    EXPECT_EQ(window.size(), 0);
}

// What a window does, with a list.
class NaiveWindow {
 public:
    using Key = std::pair<std::uint32_t, std::string>;
    Seen begin(const Key& key, MonoTime now) {
        expire(now);
        if (std::ranges::find(under_way_, key) != under_way_.end()) {
            return Seen::under_way;
        }
        const bool handled = std::ranges::find(handled_, key, &Handled::first) != handled_.end();
        if (!handled) {
            under_way_.push_back(key);
        }
        return handled ? Seen::handled : Seen::fresh;
    }
    void end(const Key& key, bool success, MonoTime now) {
        std::erase(under_way_, key);
        if (success) {
            handled_.emplace_back(key, now);
            expire(now);
        }
    }
    [[nodiscard]] std::size_t size() const { return handled_.size(); }
    [[nodiscard]] const std::vector<Key>& under_way() const { return under_way_; }

 private:
    using Handled = std::pair<Key, MonoTime>;
    void expire(MonoTime now) {
        while (!handled_.empty() && (handled_.size() > 100 || now - handled_.front().second >= 60s)
        ) {
            handled_.erase(handled_.begin());
        }
    }
    std::vector<Key> under_way_;
    std::vector<Handled> handled_;
};

TEST(DedupWindow, DoesWhatAListWouldDo) {
    DedupWindow window({.count_max = 100, .age_max = 60s});
    NaiveWindow naive;
    std::minstd_rand random(7);
    MonoTime now = kStart;
    std::map<Seen, int> count;
    for (int i = 0; i < 10'000; ++i) {
        now += std::chrono::milliseconds(random() % 1'000);
        if (naive.under_way().size() < random() % 60) {
            const NaiveWindow::Key event{
                random() % 2, delivery_id(static_cast<int>(random() % 400))
            };
            const Seen seen = window.begin(event.first, event.second, now);
            ASSERT_EQ(seen, naive.begin(event, now)) << i;
            ++count[seen];
        } else {
            const auto event = naive.under_way()[random() % naive.under_way().size()];
            const bool success = random() % 3 != 0;
            window.end(event.first, event.second, success, now);
            naive.end(event, success, now);
        }
        ASSERT_EQ(window.size(), naive.size()) << i;
    }
    EXPECT_GT(count[Seen::fresh], 1'000);
    EXPECT_GT(count[Seen::under_way], 100);
    EXPECT_GT(count[Seen::handled], 100);
}

// Of the thread alone: the test must not fail because the machine is busy.
std::chrono::nanoseconds thread_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Of two UUIDs that differ only in bits that a product carries beyond the table, a hash that
// multiplies makes the same, whatever it adds to them before.
TEST(DedupWindow, IdsMadeUpToMeetInTheTableAreAsQuickAsOthers) {
    constexpr std::uint64_t kCount = 10'000;
    std::mt19937_64 random(7);
    const auto time_of = [](const std::function<std::uint64_t(std::uint64_t)>& low_half) {
        DedupWindow window({.count_max = kCount});
        const auto begin = thread_time();
        for (std::uint64_t i = 0; i < kCount; ++i) {
            handle(
                window,
                fmt::format(
                    "00000000-0000-0000-{:04x}-{:012x}",
                    low_half(i) >> 48U,
                    low_half(i) & 0xFFFF'FFFF'FFFFU
                )
            );
        }
        return thread_time() - begin;
    };
    std::vector<std::uint64_t> any(kCount);
    std::ranges::generate(any, random);
    const auto others = time_of([&any](std::uint64_t i) { return any[i]; });
    EXPECT_LT(time_of([](std::uint64_t i) { return i << 44U; }), 10 * others);
}

}  // namespace
}  // namespace belfry::eventkit
