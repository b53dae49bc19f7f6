// The commands of the configuration: who may be run, what runs of each, what waits for its turn.
// Programs are started on a thread of their own, because reading one from a slow disk may take
// long; everything else is the I/O thread's. Owned by the wiring; what CommandsPorts names must
// outlive it.
#pragma once

#include "base/clock.h"
#include "base/task.h"
#include "hub/sink.h"
#include "net/loop.h"
#include "sinks/command_definition.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry {

struct CommandsPorts {
    Loop& loop;
    Clock& clock;
    Executor& spawner;  // a worker thread
};
using Environment = std::vector<std::pair<std::string, std::string>>;

class Commands {
 public:
    // Looks up programs and users. `environment` is the hub's, of which programs get PATH, HOME,
    // USER, LOGNAME, LANG, LC_ALL and TZ. An error has `field`, a path such as `deploy.user`.
    [[nodiscard]] static Result<std::unique_ptr<Commands>> make(
        const CommandDefinitions& definitions, const Environment& environment, CommandsPorts ports
    );
    ~Commands();  // kills what still runs
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;

    [[nodiscard]] bool has(std::string_view name) const;
    // Runs it with the event, at once or when fewer than its `concurrency` run.
    void run(const std::string& name, const std::string& subscription, Attempt, AttemptDone done);
    // Begins nothing any more: what waits, and what comes, is told to come again.
    void drain();
    // After drain(): ends what runs, whose outcomes nobody is told any more. `done` when nothing
    // runs, after ten seconds at most.
    void stop(Task done);
    [[nodiscard]] std::size_t running() const;

 private:
    struct Waiting;
    struct Command;
    struct State;

    explicit Commands(CommandsPorts ports);
    void start(Command& command, Waiting next);
    void start_next(Command& command);

    std::unique_ptr<State> state_;
};

}  // namespace belfry
