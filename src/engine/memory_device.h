// The disk and the thread under the memory fakes, in a test's hands: operations can be held back,
// made to fail, or lost in a crash. Operations happen in the order given; their answers are posted
// to the loop. One thread.
#pragma once

#include "base/error.h"
#include "base/task.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace belfry {

class MemoryDevice {
 public:
    // Gets the failure the operation must report, nullptr if it is to succeed.
    using Operation = std::move_only_function<void(const Error* failure)>;

    // `loop` must outlive it.
    explicit MemoryDevice(Executor& loop) : loop_(loop) {}

    // For the fakes. An operation runs at once unless the device holds.
    void read(Operation operation) { add({std::move(operation), false}); }
    void write(Operation operation) { add({std::move(operation), true}); }
    // Posts an answer to the loop; after a crash() it is not given.
    void answer(Task task);

    // For the test. From now on operations wait: release(count) lets the oldest happen, release()
    // all, and ends the holding.
    void hold() { holds_ = true; }
    void release();
    void release(std::size_t count);
    [[nodiscard]] std::size_t held() const { return waiting_.size(); }
    // The next `count` writes change nothing and report `error`.
    void fail_writes(Error error, std::size_t count = 1);
    void heal() { failures_ = 0; }
    // The process dies: what was held never happened, answers under way are not given. What
    // happened stays.
    void crash();

 private:
    struct Waiting {
        Operation operation;
        bool is_write = false;
    };
    void add(Waiting waiting);
    void perform(Waiting waiting);

    Executor& loop_;
    bool holds_ = false;
    std::deque<Waiting> waiting_;
    Error failure_;
    std::size_t failures_ = 0;
    std::shared_ptr<char> life_ = std::make_shared<char>();  // ends with a crash
};

}  // namespace belfry
