#include "sinks/command_run.h"

#include "base/duration.h"
#include "sinks/readable_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace belfry {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kErrorOutputBytes = 1024;
constexpr std::size_t kReadBytes = 64 * 1024;  // a pipe holds no more
constexpr Duration kFloodPause = 5ms;
constexpr Duration kKillAfter = 5s;

std::string how_it_ended(const CommandEnd& end) {
    if (end.signal != 0) {
        const char* name = ::sigabbrev_np(end.signal);
        return fmt::format("ended by signal SIG{}", name == nullptr ? "?" : name);
    }
    if (end.exit_code < 0) {
        return "how it ended is not known";
    }
    return fmt::format("exited with {}", end.exit_code);
}

}  // namespace

CommandRun::CommandRun(Loop& loop, Clock& clock, Duration timeout, Done done)
    : loop_(loop), clock_(clock), timeout_(timeout), done_(std::move(done)) {}

CommandRun::~CommandRun() {
    unwatch();
}

void CommandRun::arm() {
    deadline_ = clock_.call_after(timeout_, [this] {
        deadline_ = {};
        end(fmt::format("did not end within {}", duration_text(timeout_)));
    });
}

void CommandRun::started(Result<CommandProcess> child) {
    if (!child) {
        finish(Outcome{.error = std::move(child.error().detail)});
        return;
    }
    child_.emplace(*std::move(child));
    watches_end_ = loop_.poller().add(child_->end_descriptor(), EPOLLIN, &end_watcher_);
    if (!watches_end_) {
        child_.reset();
        finish(Outcome{.error = "cannot be watched: no memory"});
        return;
    }
    watch_errors();
    if (!ended_why_.empty()) {
        signal_to_end();  // its time was over before it ran
    }
}

void CommandRun::end(std::string why) {
    if (!ended_why_.empty()) {
        return;
    }
    ended_why_ = std::move(why);
    if (child_) {
        signal_to_end();
    }
}

void CommandRun::signal_to_end() {
    child_->signal_group(SIGTERM);
    kill_timer_ = clock_.call_after(kKillAfter, [this] {
        kill_timer_ = {};
        child_->signal_group(SIGKILL);
    });
}

void CommandRun::ended() {
    keep_last_errors();
    unwatch();
    if (!ended_why_.empty()) {
        // Others of the group may have outlived it. Only now the number is sure to be theirs.
        child_->signal_group(SIGKILL);
    }
    const CommandEnd end = child_->take_end();
    Outcome outcome;
    if (ended_why_.empty() && end.signal == 0 && end.exit_code == 0) {
        outcome.kind = Outcome::Kind::settled;
    } else {
        outcome.status = static_cast<std::uint32_t>(std::max(end.exit_code, 0));
        outcome.error = ended_why_.empty() ? how_it_ended(end)
                                           : fmt::format("{}; {}", ended_why_, how_it_ended(end));
    }
    outcome.response = readable_text(errors_, kErrorOutputBytes);
    finish(std::move(outcome));
}

void CommandRun::read_errors() {
    static thread_local std::array<char, kReadBytes> buffer;
    const ssize_t count = ::read(child_->error_descriptor(), buffer.data(), buffer.size());
    if (count < 0) {
        return;  // not yet; of a pipe there is no other reason
    }
    const auto bytes = static_cast<std::size_t>(count);
    errors_.append(buffer.data(), std::min(bytes, kErrorOutputBytes - errors_.size()));
    if (bytes > 0 && errors_.size() < kErrorOutputBytes) {
        return;
    }
    // The rest is only thrown away, at a pace that leaves the loop to others.
    loop_.poller().remove(child_->error_descriptor(), &error_watcher_);
    watches_errors_ = false;
    if (bytes == 0) {
        child_->close_errors();
    } else {
        errors_timer_ = clock_.call_after(kFloodPause, [this] {
            errors_timer_ = {};
            watch_errors();
        });
    }
}

// What was written before the end is in the pipe. Whoever it left behind may hold the other end
// open, so nobody waits for that.
void CommandRun::keep_last_errors() {
    std::array<char, kErrorOutputBytes> buffer;
    while (child_->error_descriptor() >= 0 && errors_.size() < kErrorOutputBytes) {
        const ssize_t count =
            ::read(child_->error_descriptor(), buffer.data(), kErrorOutputBytes - errors_.size());
        if (count <= 0) {
            return;
        }
        errors_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

// If the kernel refuses, a program that writes much waits, and its time ends it.
void CommandRun::watch_errors() {
    watches_errors_ = loop_.poller().add(child_->error_descriptor(), EPOLLIN, &error_watcher_);
}

void CommandRun::unwatch() {
    for (TimerId* timer : {&deadline_, &kill_timer_, &errors_timer_}) {
        clock_.cancel(std::exchange(*timer, {}));
    }
    if (std::exchange(watches_end_, false)) {
        loop_.poller().remove(child_->end_descriptor(), &end_watcher_);
    }
    if (std::exchange(watches_errors_, false)) {
        loop_.poller().remove(child_->error_descriptor(), &error_watcher_);
    }
}

// Last: `done` may drop what else keeps this.
void CommandRun::finish(Outcome outcome) {
    unwatch();
    auto self = shared_from_this();
    std::exchange(done_, nullptr)(self, std::move(outcome));
}

}  // namespace belfry
