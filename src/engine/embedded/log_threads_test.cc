// The log with real threads and a real disk: what the thread sanitizer looks at.
#include "base/seeded_rng.h"
#include "base/worker_thread.h"
#include "engine/embedded/log_test_bed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <unistd.h>

namespace belfry {
namespace {

// The loop of a test: tasks come from any thread and run here.
class QueueExecutor final : public Executor {
 public:
    void post(Task task) override {
        std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        wake_.notify_one();
    }
    // Runs turns until `done()`; each turn ends as the program's loop ends it.
    template <typename Done>
    void run_until(EmbeddedLog& log, Done done) {
        while (!done()) {
            log.end_turn();
            if (done()) {
                return;
            }
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return !tasks_.empty(); });
            std::deque<Task> batch = std::exchange(tasks_, {});
            lock.unlock();
            for (Task& task : batch) {
                task();
            }
        }
    }

 private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task> tasks_;
};

// Real time; timers are not needed here and never fire.
class PlainClock final : public Clock {
 public:
    [[nodiscard]] MonoTime now() const override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] WallTime wall() const override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    TimerId call_at(MonoTime, Task) override { return TimerId{++last_}; }
    void cancel(TimerId) override {}

 private:
    std::uint64_t last_ = 0;
};

TEST(LogThreads, CommitsReadsAndSealsOnRealThreads) {
    std::string directory = testing::TempDir() + "belfry-log-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    PlainClock clock;
    SeededRng rng(1);
    QueueExecutor loop;
    std::uint64_t stored = 0;
    for (auto slow : {std::chrono::microseconds(1'000'000), std::chrono::microseconds(0)}) {
        WorkerThread log_thread("log");
        WorkerThread read_thread("read");
        EmbeddedLogOptions options;
        options.directory = directory;
        options.segment_bytes = 1 << 20;
        options.tail_bytes = 64 << 10;
        options.reserve_bytes = 1 << 20;
        options.slow_commit = slow;  // the second time everything goes through the log thread
        auto log = EmbeddedLog::open(
            options,
            {.files = posix_file_system(),
             .clock = clock,
             .rng = rng,
             .loop = loop,
             .log_thread = log_thread,
             .read_thread = read_thread}
        );
        ASSERT_TRUE(log) << log.error().detail;
        EventText text{.data = std::string(8'000, 'x')};
        std::vector<Event> events{text.event(), text.event()};
        std::uint64_t answered = 0;
        std::uint64_t read = 0;
        constexpr std::uint64_t kRequests = 300;
        for (std::uint64_t sent = 0; sent < kRequests; ++sent) {
            (*log)->append(events, [&](const auto& result) { answered += result ? 1 : 0; });
            loop.run_until(**log, [&] { return sent < answered + 3; });
            bool done = false;
            (*log)->read(Offset{stored + sent / 2}, {.events = 3}, [&](const auto& result) {
                done = true;
                read += result ? result->entries.size() : 0;
            });
            loop.run_until(**log, [&] { return done; });
        }
        loop.run_until(**log, [&] { return answered == kRequests; });
        EXPECT_GT(read, kRequests / 2);
        bool stopped = false;
        (*log)->stop([&] { stopped = true; });
        loop.run_until(**log, [&] { return stopped; });
        stored += kRequests * 2;
        EXPECT_EQ((*log)->next_offset(), Offset{stored});
        EXPECT_GE((*log)->segments().size(), 4U);
    }
    auto& files = posix_file_system();
    for (const std::string& name : files.list(directory + "/log").value()) {
        EXPECT_TRUE(files.remove(directory + "/log/" + name));
    }
    EXPECT_TRUE(files.remove(directory + "/lock"));
    ::rmdir((directory + "/log").c_str());
    ::rmdir(directory.c_str());
}

}  // namespace
}  // namespace belfry
