// One program under way: from its start to its end, at the latest five seconds after its time.
// Then its process group gets SIGTERM, five seconds later SIGKILL. Its errors are read as they
// come, the first KiB kept; a flood of them is read slowly. Owned by Commands; the loop and the
// clock must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "hub/sink.h"
#include "net/loop.h"
#include "net/poller.h"
#include "sinks/command_process.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace belfry {

class CommandRun : public std::enable_shared_from_this<CommandRun> {
 public:
    using Done = std::move_only_function<void(const std::shared_ptr<CommandRun>&, Outcome)>;

    // Its time begins here. `done` is called once, when the program has ended or could not start.
    CommandRun(Loop& loop, Clock& clock, Duration timeout, Done done);
    ~CommandRun();
    CommandRun(const CommandRun&) = delete;
    CommandRun& operator=(const CommandRun&) = delete;

    void arm();  // after construction
    void started(Result<CommandProcess> child);
    // SIGTERM now, SIGKILL later. `why` is the outcome's error.
    void end(std::string why);

 private:
    // The loop's two ways in.
    struct EndWatcher final : Watcher {
        explicit EndWatcher(CommandRun& to) : run(to) {}
        void on_ready(std::uint32_t) override { run.ended(); }
        CommandRun& run;
    };
    struct ErrorWatcher final : Watcher {
        explicit ErrorWatcher(CommandRun& to) : run(to) {}
        void on_ready(std::uint32_t) override { run.read_errors(); }
        CommandRun& run;
    };

    void ended();
    void read_errors();
    void keep_last_errors();
    void watch_errors();
    void unwatch();
    void signal_to_end();
    void finish(Outcome outcome);

    // Constant after construction.
    Loop& loop_;
    Clock& clock_;
    const Duration timeout_;
    // The run.
    Done done_;
    std::optional<CommandProcess> child_;
    EndWatcher end_watcher_{*this};
    ErrorWatcher error_watcher_{*this};
    bool watches_end_ = false;
    bool watches_errors_ = false;
    std::string errors_;     // the first KiB
    std::string ended_why_;  // empty: it was not told to end
    TimerId deadline_;
    TimerId kill_timer_;
    TimerId errors_timer_;
};

}  // namespace belfry
