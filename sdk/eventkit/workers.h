// A few threads that run jobs: those of one lane one after another in the order they were posted,
// others beside them. Jobs go over and come back in batches, and one thread is woken for a batch,
// because a wake-up costs more than a small job; the others, if jobs are left after a millisecond.
// Owned by the server; the I/O thread posts and takes back.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace belfry::eventkit {

class Job {
 public:
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    // On a worker thread; does not throw.
    virtual void run() = 0;

 protected:
    ~Job() = default;

 private:
    friend class Workers;
    std::uint64_t lane_ = 0;
    Job* next_ = nullptr;  // behind it in its lane
};

class Workers {
 public:
    // `some_done` is called by a worker when jobs have come to lie ready for take_done(), and not
    // again before they were taken.
    Workers(Clock& clock, std::function<void()> some_done);
    // Ends when all that was handed over has run.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // Once, before the first job is handed over.
    [[nodiscard]] Result<void> start(std::size_t threads);
    // Gathers; the job stays where it is until take_done() gives it back.
    void post(Job& job, std::uint64_t lane) {
        job.lane_ = lane;
        gathered_.push_back(&job);
    }
    void hand_over();
    // A job that none has begun is not run then, and not given back. False: it is too late for
    // that.
    [[nodiscard]] bool withdraw(Job& job);
    // In the order they ended.
    [[nodiscard]] std::vector<Job*> take_done();

 private:
    struct Lane {
        Job* first = nullptr;  // waits for the one that runs or is ready
        Job* last = nullptr;
    };
    void run();
    void enqueue(Job& job);
    void wake_more();
    void release_lane(const Job& job);
    [[nodiscard]] static bool unlink(Lane& lane, const Job& job);

    const std::function<void()> some_done_;
    Clock& clock_;
    std::vector<Job*> gathered_;  // I/O thread, like the next
    TimerId wake_timer_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable wake_;
    std::unordered_map<std::uint64_t, Lane> lanes_;  // those with a job that is ready or runs
    std::deque<Job*> ready_;
    std::vector<Job*> done_;
    std::size_t idle_ = 0;
    bool stopping_ = false;
    // Last: they use the rest.
    std::vector<std::thread> threads_;
};

}  // namespace belfry::eventkit
