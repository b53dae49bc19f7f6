#include "eventkit/workers.h"

#include <fmt/format.h>

#include <chrono>
#include <pthread.h>
#include <system_error>
#include <utility>

namespace belfry::eventkit {
namespace {

constexpr Duration kWakeMore = std::chrono::milliseconds(1);

}  // namespace

Workers::Workers(Clock& clock, std::function<void()> some_done)
    : some_done_(std::move(some_done)), clock_(clock) {}

// They keep the program's signal mask, because the programs that a handler starts have it, too.
Result<void> Workers::start(std::size_t threads) {
    Result<void> started;
    try {
        for (std::size_t i = 0; i < threads; ++i) {
            threads_.emplace_back([this] { run(); });
            pthread_setname_np(threads_.back().native_handle(), "eventkit-worker");
        }
    } catch (const std::system_error& error) {
        started = fail(
            Errc::unavailable,
            fmt::format(
                "of the {} threads for handlers {} could be started: {}",
                threads,
                threads_.size(),
                error.code().message()
            )
        );
    }
    return started;
}

Workers::~Workers() {
    clock_.cancel(wake_timer_);
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void Workers::hand_over() {
    if (gathered_.empty()) {
        return;
    }
    bool wake = false;
    bool is_batch = false;
    {
        const std::lock_guard lock(mutex_);
        for (Job* job : gathered_) {
            enqueue(*job);
        }
        wake = !ready_.empty() && idle_ > 0;
        is_batch = ready_.size() > 1;
    }
    gathered_.clear();
    if (wake) {
        wake_.notify_one();
    }
    if (is_batch && wake_timer_ == TimerId()) {
        wake_timer_ = clock_.call_after(kWakeMore, [this] { wake_more(); });
    }
}

// Who was woken has not got through: the jobs are no small ones.
void Workers::wake_more() {
    wake_timer_ = {};
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        wake = !ready_.empty() && idle_ > 0;
    }
    if (wake) {
        wake_.notify_all();
    }
}

void Workers::enqueue(Job& job) {
    const auto [place, is_new] = lanes_.try_emplace(job.lane_);
    Lane& lane = place->second;
    if (is_new) {
        ready_.push_back(&job);
    } else if (lane.first == nullptr) {
        lane.first = lane.last = &job;
    } else {
        lane.last = lane.last->next_ = &job;
    }
}

void Workers::release_lane(const Job& job) {
    const auto place = lanes_.find(job.lane_);
    Lane& lane = place->second;
    if (lane.first == nullptr) {
        lanes_.erase(place);
    } else {
        ready_.push_back(lane.first);
        lane.first = lane.first->next_;
    }
}

bool Workers::withdraw(Job& job) {
    if (std::erase(gathered_, &job) > 0) {
        return true;
    }
    const std::lock_guard lock(mutex_);
    if (std::erase(ready_, &job) > 0) {
        release_lane(job);
        return true;
    }
    const auto place = lanes_.find(job.lane_);
    return place != lanes_.end() && unlink(place->second, job);
}

bool Workers::unlink(Lane& lane, const Job& job) {
    Job* before = nullptr;
    Job* at = lane.first;
    while (at != nullptr && at != &job) {
        before = std::exchange(at, at->next_);
    }
    if (at == nullptr) {
        return false;
    }
    (before == nullptr ? lane.first : before->next_) = job.next_;
    if (lane.last == &job) {
        lane.last = before;
    }
    return true;
}

std::vector<Job*> Workers::take_done() {
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, {});
}

void Workers::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        wake_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
        --idle_;
        if (ready_.empty()) {
            return;
        }
        Job* job = ready_.front();
        ready_.pop_front();
        lock.unlock();
        job->run();
        lock.lock();
        release_lane(*job);
        done_.push_back(job);
        if (done_.size() == 1) {
            lock.unlock();
            some_done_();
            lock.lock();
        }
    }
}

}  // namespace belfry::eventkit
