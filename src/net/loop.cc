#include "net/loop.h"

#include "base/assert.h"
#include "net/poller.h"
#include "net/timer_heap.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace belfry {
namespace asio = boost::asio;

namespace {

// A turn without end would starve the group commit.
constexpr std::size_t kTurnEvents = 1024;
constexpr Duration kTurnTime = std::chrono::microseconds(500);
// A loop that never sleeps still looks after signals.
constexpr std::size_t kTurnsPerAsioPoll = 16;

// The kernel may choose any thread for a signal: the system call that it is in goes on afterwards.
void restart_calls_after(int number) {
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) == 0) {
        action.sa_flags |= SA_RESTART;
        ::sigaction(number, &action, nullptr);
    }
}

}  // namespace

// Tasks of other threads come through a locked inbox. Its eventfd is written only if the loop may
// be asleep, so a busy loop costs its posters no system call.
struct Loop::State final : Watcher {
    State() : poller_fd(context, ::fcntl(poller.descriptor(), F_DUPFD_CLOEXEC, 0)) {
        ASSERT(wake_fd >= 0);
        ASSERT(poller.add(wake_fd, EPOLLIN, this));
    }
    ~State() { ::close(wake_fd); }

    void on_ready(std::uint32_t events) override;
    bool run_posted();
    bool run_timers(MonoTime now);
    bool turn();
    void sleep();
    void watch_poller();
    void wait_for_signal();
    [[nodiscard]] bool inbox_is_empty();

    Poller poller;
    TimerHeap timers;
    const int wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    asio::posix::stream_descriptor poller_fd;
    bool poller_watched = false;
    std::optional<asio::signal_set> signals;
    std::function<void(int)> signal_callback;
    std::vector<std::function<void()>> turn_end;
    std::vector<TurnFlusher*> flushers;
    std::vector<Task> running;  // the inbox being run

    std::atomic<bool> stopped{false};
    std::atomic<bool> asleep{false};
    std::mutex mutex;
    std::vector<Task> inbox;  // guarded by mutex
};

void Loop::State::on_ready(std::uint32_t /*events*/) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = ::read(wake_fd, &count, sizeof(count));
}

bool Loop::State::inbox_is_empty() {
    const std::lock_guard lock(mutex);
    return inbox.empty();
}

bool Loop::State::run_posted() {
    {
        const std::lock_guard lock(mutex);
        if (inbox.empty()) {
            return false;
        }
        running.swap(inbox);
    }
    for (Task& task : running) {
        task();
        task = nullptr;  // its captures end in order, before the next runs
    }
    running.clear();
    return true;
}

// As many as there were, so that a timer that sets itself again at once leaves the sockets their
// turn.
bool Loop::State::run_timers(MonoTime now) {
    bool any = false;
    for (std::size_t left = timers.size(); left > 0; --left) {
        Task task = timers.take_due(now);
        if (!task) {
            break;
        }
        task();
        any = true;
    }
    return any;
}

// False if nothing was ready.
bool Loop::State::turn() {
    const MonoTime end = std::chrono::steady_clock::now() + kTurnTime;
    MonoTime now = end - kTurnTime;
    std::size_t events = 0;
    bool worked = false;
    while (true) {
        const std::size_t ready = poller.poll();
        bool any = ready > 0;
        any |= run_posted();
        any |= run_timers(now);
        if (!any) {
            break;
        }
        worked = true;
        events += ready;
        now = std::chrono::steady_clock::now();
        if (events >= kTurnEvents || now >= end) {
            break;
        }
    }
    for (const auto& callback : turn_end) {
        callback();
    }
    for (bool sent = true; sent;) {
        sent = false;
        for (TurnFlusher* flusher : flushers) {
            sent |= flusher->flush_turn();
        }
        worked |= sent;  // what was sent may have let requests in whose events are to be committed
    }
    return worked;
}

void Loop::State::watch_poller() {
    if (poller_watched) {
        return;
    }
    poller_watched = true;
    poller_fd.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [this](const boost::system::error_code& error) {
            if (!error) {
                poller_watched = false;
            }
        }
    );
}

// The inbox is looked at once more after `asleep` is set: a poster that saw it unset posted before
// that look.
void Loop::State::sleep() {
    asleep.store(true);
    if (inbox_is_empty() && !stopped.load()) {
        watch_poller();
        if (const auto next = timers.next()) {
            context.run_one_until(
                std::chrono::time_point_cast<std::chrono::steady_clock::duration>(*next)
            );
        } else {
            context.run_one();
        }
    }
    asleep.store(false);
}

void Loop::State::wait_for_signal() {
    signals->async_wait([this](const boost::system::error_code& error, int number) {
        if (error) {
            return;
        }
        signal_callback(number);
        wait_for_signal();
    });
}

Loop::Loop() : state_(std::make_unique<State>()) {}

Loop::~Loop() = default;

void Loop::run() {
    std::size_t busy_turns = 0;
    while (!state_->stopped.load()) {
        if (!state_->turn()) {
            state_->sleep();
            busy_turns = 0;
        } else if (++busy_turns % kTurnsPerAsioPoll == 0) {
            state_->context.poll();
        }
    }
    state_->stopped.store(false);
}

void Loop::stop() {
    state_->stopped.store(true);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(state_->wake_fd, &one, sizeof(one));
}

void Loop::on_turn_end(std::function<void()> callback) {
    state_->turn_end.push_back(std::move(callback));
}

void Loop::on_signal(std::function<void(int)> callback) {
    const bool first = !state_->signals.has_value();
    state_->signal_callback = std::move(callback);
    if (first) {
        state_->signals.emplace(state_->context, SIGTERM, SIGINT, SIGHUP);
        for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
            restart_calls_after(number);
        }
        state_->wait_for_signal();
    }
}

void Loop::post(Task task) {
    {
        const std::lock_guard lock(state_->mutex);
        state_->inbox.push_back(std::move(task));
    }
    if (state_->asleep.exchange(false)) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(state_->wake_fd, &one, sizeof(one));
    }
}

MonoTime Loop::now() const {
    return std::chrono::steady_clock::now();
}

WallTime Loop::wall() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()
    );
}

TimerId Loop::call_at(MonoTime when, Task task) {
    return state_->timers.add(when, std::move(task));
}

void Loop::cancel(TimerId timer) {
    state_->timers.cancel(timer);
}

Poller& Loop::poller() {
    return state_->poller;
}

void Loop::add_flusher(TurnFlusher* flusher) {
    state_->flushers.push_back(flusher);
}

void Loop::remove_flusher(const TurnFlusher* flusher) {
    std::erase(state_->flushers, flusher);
}

}  // namespace belfry
