#include "sinks/commands.h"

#include "base/assert.h"
#include "sinks/command_input.h"
#include "sinks/command_process.h"
#include "sinks/command_program.h"
#include "sinks/command_run.h"

#include <algorithm>
#include <csignal>
#include <deque>
#include <set>

namespace belfry {

namespace {

using namespace std::chrono_literals;

constexpr Duration kStopWait = 10s;
constexpr Duration kComeAgain = 1s;

Outcome come_again() {
    return Outcome{
        .kind = Outcome::Kind::wait,
        .error = "not begun: the hub is stopping",
        .retry_after = kComeAgain
    };
}

}  // namespace

struct Commands::Waiting {
    std::string subscription;
    Attempt attempt;
    AttemptDone done;
};

struct Commands::Command {
    CommandDefinition definition;
    CommandProgram program;
    std::uint32_t running = 0;
    std::deque<Waiting> waiting;  // bounded by what the hub has under way
};

struct Commands::State {
    CommandsPorts ports;
    std::map<std::string, Command, std::less<>> commands;
    std::set<std::shared_ptr<CommandRun>> runs;
    bool draining = false;
    bool stopped = false;  // outcomes do not count any more
    Task when_stopped;
    TimerId stop_timer;

    void maybe_stopped() {
        if (when_stopped && runs.empty()) {
            ports.clock.cancel(std::exchange(stop_timer, {}));
            std::exchange(when_stopped, nullptr)();
        }
    }
};

Commands::Commands(CommandsPorts ports) : state_(new State{.ports = ports}) {}

Commands::~Commands() {
    state_->ports.clock.cancel(state_->stop_timer);
}

Result<std::unique_ptr<Commands>> Commands::make(
    const CommandDefinitions& definitions, const Environment& environment, CommandsPorts ports
) {
    // Who started the hub may have had it ignored: then nobody would learn how a program ended.
    std::signal(SIGCHLD, SIG_DFL);
    std::unique_ptr<Commands> commands(new Commands(ports));
    for (const auto& [name, definition] : definitions) {
        Result<CommandProgram> program = find_command_program(definition, environment);
        if (!program) {
            Error& error = program.error();
            error.field = name + "." + error.field;
            return std::unexpected(std::move(error));
        }
        Command& command = commands->state_->commands[name];
        command.definition = definition;
        command.program = *std::move(program);
    }
    return commands;
}

bool Commands::has(std::string_view name) const {
    return state_->commands.contains(name);
}

std::size_t Commands::running() const {
    return state_->runs.size();
}

void Commands::run(
    const std::string& name, const std::string& subscription, Attempt attempt, AttemptDone done
) {
    auto found = state_->commands.find(name);
    ASSERT(found != state_->commands.end());
    Command& command = found->second;
    // In Consul's form an event that another node is meant for is none for us.
    if (command.definition.format == CommandDefinition::Format::consul &&
        attempt.event.event.elsewhere) {
        done(Outcome{.kind = Outcome::Kind::settled});
        return;
    }
    if (state_->draining) {
        done(come_again());
        return;
    }
    command.waiting.push_back({subscription, std::move(attempt), std::move(done)});
    start_next(command);
}

void Commands::start_next(Command& command) {
    if (command.waiting.empty() || command.running >= command.definition.concurrency) {
        return;
    }
    Waiting next = std::move(command.waiting.front());
    command.waiting.pop_front();
    start(command, std::move(next));
}

void Commands::start(Command& command, Waiting next) {
    const CommandDefinition& definition = command.definition;
    CommandSpec spec{
        .program = command.program.path,
        .argv = command.program.argv,
        .environment = command_environment(
            command.program.environment, definition, next.subscription, next.attempt
        ),
        .input = command_input(definition.format, next.attempt.event),
    };
    const Duration timeout = definition.timeout.value_or(next.attempt.timeout);
    ++command.running;
    auto run = std::make_shared<CommandRun>(
        state_->ports.loop,
        state_->ports.clock,
        timeout,
        [this, &command, done = std::move(next.done)](
            const std::shared_ptr<CommandRun>& ended, Outcome outcome
        ) mutable {
            state_->runs.erase(ended);
            --command.running;
            if (!state_->stopped) {
                done(std::move(outcome));
            }
            start_next(command);
            state_->maybe_stopped();
        }
    );
    state_->runs.insert(run);
    run->arm();
    // A program that starts for nobody is killed by its destructor.
    state_->ports.spawner.post(
        [weak = std::weak_ptr(run), &loop = state_->ports.loop, spec = std::move(spec)] {
            loop.post([weak, child = CommandProcess::start(spec)]() mutable {
                if (auto alive = weak.lock()) {
                    alive->started(std::move(child));
                }
            });
        }
    );
}

void Commands::drain() {
    state_->draining = true;
    for (auto& [name, command] : state_->commands) {
        for (Waiting& waiting : std::exchange(command.waiting, {})) {
            waiting.done(come_again());
        }
    }
}

void Commands::stop(Task done) {
    drain();
    state_->stopped = true;
    state_->when_stopped = std::move(done);
    state_->stop_timer = state_->ports.clock.call_after(kStopWait, [this] {
        state_->runs.clear();
        state_->maybe_stopped();
    });
    const auto runs = state_->runs;  // a copy: ending one may take it out
    for (const std::shared_ptr<CommandRun>& run : runs) {
        run->end("the hub stopped");
    }
    state_->maybe_stopped();
}

}  // namespace belfry
