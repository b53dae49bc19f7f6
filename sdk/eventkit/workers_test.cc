#include "eventkit/workers.h"

#include "base/manual_clock.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <utility>
#include <vector>

namespace belfry::eventkit {
namespace {

class TestJob final : public Job {
 public:
    explicit TestJob(std::function<void()> work) : work_(std::move(work)) {}
    void run() override { work_(); }

 private:
    const std::function<void()> work_;
};

// Counts to a number that a test waits for.
class Latch {
 public:
    void arrive() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    void wait(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ >= count; });
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

struct WorkersTest : testing::Test {
    WorkersTest() { EXPECT_TRUE(workers.start(3)); }

    void post(std::uint64_t lane, std::function<void()> work) {
        jobs.push_back(std::make_unique<TestJob>(std::move(work)));
        workers.post(*jobs.back(), lane);
    }
    // Until all that was posted is done.
    void finish() {
        workers.hand_over();
        while (finished.size() < jobs.size()) {
            some_done.wait(++waits);
            for (Job* job : workers.take_done()) {
                finished.push_back(job);
            }
        }
    }

    std::vector<std::unique_ptr<TestJob>> jobs;
    std::vector<Job*> finished;
    Latch some_done;
    int waits = 0;
    ManualClock clock;
    Workers workers{clock, [this] { some_done.arrive(); }};
};

TEST_F(WorkersTest, JobsOfALaneRunOneAfterAnotherInOrder) {
    std::vector<int> order;  // no lock: the lane is one
    for (int i = 0; i < 1000; ++i) {
        post(7, [&order, i] { order.push_back(i); });
    }
    finish();
    ASSERT_EQ(order.size(), 1000U);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
        EXPECT_EQ(finished[static_cast<std::size_t>(i)], jobs[static_cast<std::size_t>(i)].get());
    }
}

TEST_F(WorkersTest, LanesRunBesideOneAnother) {
    Latch met;
    for (std::uint64_t lane = 0; lane < 3; ++lane) {
        post(lane, [&met] {
            met.arrive();
            met.wait(3);
        });
    }
    workers.hand_over();
    clock.advance(std::chrono::milliseconds(1));
    finish();
    EXPECT_EQ(finished.size(), 3U);
}

TEST_F(WorkersTest, ALaneThatHangsHoldsUpNoOther) {
    Latch go;
    std::vector<int> held;
    std::vector<int> free;
    post(1, [&] {
        go.wait(1);
        held.push_back(1);
    });
    post(1, [&] { held.push_back(2); });
    for (int i = 0; i < 100; ++i) {
        post(2, [&free, i] { free.push_back(i); });
    }
    workers.hand_over();
    clock.advance(std::chrono::milliseconds(1));
    while (finished.size() < 100) {
        some_done.wait(++waits);
        for (Job* job : workers.take_done()) {
            finished.push_back(job);
        }
    }
    EXPECT_EQ(free.size(), 100U);
    EXPECT_EQ(finished.size(), 100U) << "neither job of the other lane";
    go.arrive();
    finish();
    EXPECT_EQ(held, (std::vector<int>{1, 2}));
}

TEST_F(WorkersTest, NothingRunsBeforeItIsHandedOver) {
    bool ran = false;
    post(1, [&ran] { ran = true; });
    EXPECT_TRUE(workers.take_done().empty());
    finish();
    EXPECT_TRUE(ran);
}

// One runs, and behind it are the first, one in the middle and the last of its lane, one that is
// ready in another, with one behind it, and one that was not handed over.
TEST(Workers, AJobThatIsWithdrawnIsNotRunAndHoldsUpNone) {
    Latch begun;
    Latch go;
    Latch some_done;
    std::vector<int> ran;  // no lock: there is one thread
    ManualClock clock;
    Workers workers(clock, [&] { some_done.arrive(); });
    ASSERT_TRUE(workers.start(1));
    TestJob running([&] {
        begun.arrive();
        go.wait(1);
    });
    workers.post(running, 1);
    workers.hand_over();
    begun.wait(1);
    EXPECT_FALSE(workers.withdraw(running)) << "it runs";
    std::vector<std::unique_ptr<TestJob>> jobs;
    for (const int i : {0, 1, 2, 3, 4, 5, 6}) {
        jobs.push_back(std::make_unique<TestJob>([&ran, i] { ran.push_back(i); }));
        workers.post(*jobs.back(), i < 5 ? 1U : 2U);
    }
    workers.hand_over();
    for (const std::size_t i : {0U, 2U, 4U, 5U}) {
        EXPECT_TRUE(workers.withdraw(*jobs[i])) << i;
        EXPECT_FALSE(workers.withdraw(*jobs[i])) << i;
    }
    TestJob behind([&ran] { ran.push_back(7); });
    workers.post(behind, 1);
    TestJob gathered([&ran] { ran.push_back(8); });
    workers.post(gathered, 3);
    EXPECT_TRUE(workers.withdraw(gathered));
    workers.hand_over();
    go.arrive();
    std::size_t finished = 0;
    for (int waits = 1; finished < 5; ++waits) {
        some_done.wait(waits);
        finished += workers.take_done().size();
    }
    EXPECT_EQ(ran, (std::vector<int>{6, 1, 3, 7}));
    EXPECT_FALSE(workers.withdraw(behind)) << "it has run";
}

TEST(Workers, EndAfterWhatWasHandedOver) {
    int count = 0;
    std::vector<std::unique_ptr<TestJob>> jobs;
    {
        ManualClock clock;
        Workers workers(clock, [] {});
        ASSERT_TRUE(workers.start(1));
        for (int i = 0; i < 10; ++i) {
            jobs.push_back(std::make_unique<TestJob>([&count] { ++count; }));
            workers.post(*jobs.back(), 1);
        }
        workers.hand_over();
    }
    EXPECT_EQ(count, 10);
}

bool blocks(int signal) {
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return sigismember(&blocked, signal) == 1;
}

TEST_F(WorkersTest, AJobBlocksNoSignalsAsWhatItStartsWouldBlockThem) {
    std::vector<int> blocked;
    post(1, [&] {
        std::ranges::copy_if(
            std::to_array({SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD, SIGALRM}),
            std::back_inserter(blocked),
            blocks
        );
    });
    finish();
    EXPECT_THAT(blocked, testing::IsEmpty());
}

}  // namespace
}  // namespace belfry::eventkit
