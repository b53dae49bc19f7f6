#include "net/loop.h"

#include "net/poller.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <pthread.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace belfry {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Loop, RunsPostedTasksInOrderAndEndsTheTurnBehindThem) {
    Loop loop;
    std::vector<std::string> seen;
    loop.on_turn_end([&] {
        if (seen.size() >= 2) {
            seen.emplace_back("end");
            loop.stop();
        }
    });
    loop.post([&] {
        seen.emplace_back("one");
        loop.post([&] { seen.emplace_back("two"); });
    });
    loop.run();
    EXPECT_THAT(seen, testing::ElementsAre("one", "two", "end"));
}

TEST(Loop, ATaskPostedWhenTheTurnEndsRunsBeforeSleeping) {
    Loop loop;
    bool posted = false;
    bool ran = false;
    loop.on_turn_end([&] {
        if (!std::exchange(posted, true)) {
            loop.post([&] {
                ran = true;
                loop.stop();
            });
        }
    });
    loop.run();
    EXPECT_TRUE(ran);
}

TEST(Loop, AnotherThreadWakesIt) {
    Loop loop;
    std::thread thread;
    int ran = 0;
    // Posted from a thread that starts when the loop goes to sleep, and many more while it runs.
    loop.post([&] {
        thread = std::thread([&] {
            for (int i = 0; i < 10'000; ++i) {
                loop.post([&] {
                    if (++ran == 10'000) {
                        loop.stop();
                    }
                });
            }
        });
    });
    loop.run();
    thread.join();
    EXPECT_EQ(ran, 10'000);
}

TEST(Loop, EveryPostToASleepingLoopWakesIt) {
    Loop loop;
    std::atomic<int> ran = 0;
    std::thread thread([&] {
        for (int i = 0; i < 2'000; ++i) {
            loop.post([&] { ++ran; });
            while (ran.load() <= i) {
                std::this_thread::yield();
            }
        }
        loop.stop();
    });
    loop.run();
    thread.join();
    EXPECT_EQ(ran.load(), 2'000);
}

TEST(Loop, StopFromAnotherThreadEndsIt) {
    Loop loop;
    std::thread thread;
    loop.post([&] { thread = std::thread([&] { loop.stop(); }); });
    loop.run();
    thread.join();
    bool ran = false;
    loop.post([&] {
        ran = true;
        loop.stop();
    });
    loop.run();
    EXPECT_TRUE(ran) << "it runs again after a stop";
}

TEST(Loop, TimersRunAtTheirTimesUnlessCancelled) {
    Loop loop;
    std::vector<int> ran;
    const MonoTime start = loop.now();
    loop.call_after(milliseconds(3), [&] {
        ran.push_back(3);
        EXPECT_GE(loop.now() - start, milliseconds(3));
        loop.stop();
    });
    const TimerId cancelled = loop.call_after(milliseconds(2), [&] { ran.push_back(2); });
    loop.call_after(milliseconds(1), [&] {
        ran.push_back(1);
        loop.cancel(cancelled);
    });
    loop.call_at(start, [&] { ran.push_back(0); });
    EXPECT_TRUE(ran.empty()) << "never from within call_at";
    loop.run();
    EXPECT_THAT(ran, testing::ElementsAre(0, 1, 3));
}

TEST(Loop, ATimerThatSetsItselfAgainAtOnceStarvesNobody) {
    Loop loop;
    int ran = 0;
    std::function<void()> again = [&] {
        ++ran;
        loop.call_at(loop.now(), again);
    };
    again();
    int turns = 0;
    loop.on_turn_end([&] {
        if (++turns == 3) {
            loop.post([&] { loop.stop(); });
        }
    });
    loop.run();
    EXPECT_GT(ran, 3);
}

TEST(Loop, TakesSignals) {
    Loop loop;
    std::vector<int> seen;
    loop.on_signal([&](int number) {
        seen.push_back(number);
        if (seen.size() == 2) {
            loop.stop();
        } else {
            ::raise(SIGINT);
        }
    });
    loop.post([] { ::raise(SIGTERM); });
    loop.run();
    EXPECT_THAT(seen, testing::ElementsAre(SIGTERM, SIGINT));
}

TEST(Loop, SignalsReachALoopThatNeverSleeps) {
    Loop loop;
    std::function<void()> again = [&] { loop.post(again); };
    loop.post(again);
    bool seen = false;
    loop.on_signal([&](int) {
        seen = true;
        loop.stop();
    });
    loop.post([] { ::raise(SIGTERM); });
    loop.run();
    EXPECT_TRUE(seen);
}

bool sleeps(pid_t thread) {
    std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(stat), {});
    return text.contains(") S ");
}

TEST(Loop, ASignalDoesNotInterruptWhatAnotherThreadWaitsFor) {
    Loop loop;
    int signals = 0;
    loop.on_signal([&](int) { ++signals; });
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    std::atomic<pid_t> id = 0;
    ssize_t got = 0;
    std::thread reader([&] {
        id = ::gettid();
        char byte = 0;
        got = ::read(ends[0], &byte, 1);
    });
    EXPECT_TRUE(run_until(loop, [&] { return id != 0 && sleeps(id); }));
    ::pthread_kill(reader.native_handle(), SIGHUP);
    EXPECT_TRUE(run_until(loop, [&] { return signals == 1 && sleeps(id); }));
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
    reader.join();
    EXPECT_EQ(got, 1);
    ::close(ends[0]);
    ::close(ends[1]);
}

// A socket that is always ready.
struct Ready final : Watcher {
    explicit Ready(Loop& l) : loop(l) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        EXPECT_TRUE(loop.poller().add(pair[0], EPOLLIN, this));
        EXPECT_EQ(::write(pair[1], "x", 1), 1);
    }
    ~Ready() {
        if (watched) {
            loop.poller().remove(pair[0], this);
        }
        ::close(pair[0]);
        ::close(pair[1]);
    }
    void on_ready(std::uint32_t) override {
        ++told;
        if (tell) {
            tell();
        }
    }
    Loop& loop;
    int pair[2]{};
    bool watched = true;
    int told = 0;
    std::function<void()> tell;
};

TEST(Loop, ABurstWithoutEndIsCutForTheTurnsEnd) {
    Loop loop;
    Ready ready(loop);
    int turns = 0;
    loop.on_turn_end([&] {
        if (++turns == 5) {
            loop.stop();
        }
    });
    loop.run();
    EXPECT_GE(ready.told, 5);
    EXPECT_EQ(turns, 5);
}

TEST(Poller, AWatcherThatWasRemovedIsNotTold) {
    Loop loop;
    Ready first(loop);
    Ready second(loop);
    const auto remove_other = [](Ready& mine, Ready& other) {
        mine.tell = [&] {
            if (std::exchange(other.watched, false)) {
                mine.loop.poller().remove(other.pair[0], &other);
            }
        };
    };
    remove_other(first, second);
    remove_other(second, first);
    EXPECT_EQ(loop.poller().poll(), 2U) << "both were ready";
    EXPECT_EQ(first.told + second.told, 1);
}

}  // namespace
}  // namespace belfry
