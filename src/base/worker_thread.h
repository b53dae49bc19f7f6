// A thread that runs posted tasks one after another: the log thread, the read thread, the SQLite
// thread.
#pragma once

#include "base/task.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace belfry {

// Owned by the wiring. Destruction runs what was posted, then joins. What a caller may have
// outstanding bounds the queue.
class WorkerThread final : public Executor {
 public:
    // `name` shows in top and gdb; at most 15 characters.
    explicit WorkerThread(const std::string& name);
    ~WorkerThread() override;

    void post(Task task) override;

 private:
    void run();

    // Guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task> tasks_;
    bool stopping_ = false;
    // Last: it uses the rest.
    std::thread thread_;
};

}  // namespace belfry
