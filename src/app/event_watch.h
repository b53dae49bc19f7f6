// A watch: waits at a hub's list of user events and runs a command for what is new, as `consul
// watch` does, but for each event once: the mark (WatchState) is behind an event only after its
// command ended with 0. Owned by the command line; hub, state and console outlive it; one thread.
#pragma once

#include "app/child_process.h"
#include "app/console.h"
#include "app/event_list.h"
#include "app/hub_client.h"
#include "app/watch_state.h"

#include <optional>
#include <string>
#include <vector>

namespace belfry {

// How long to wait after so many failures in a row, from 1. A hub: Consul's 5 s times their square,
// at most 180 s. A command: 1 s, 2 s, 4 s … 60 s.
[[nodiscard]] Duration hub_wait(std::uint64_t failures);
[[nodiscard]] Duration command_wait(std::uint64_t failures);

struct WatchOptions {
    std::string name;  // of the events; empty: all
    Program program;   // run with CONSUL_INDEX and a JSON array of events as its input
    // Tests make the waits short.
    std::function<Duration(std::uint64_t failures)> hub_wait = belfry::hub_wait;
    std::function<Duration(std::uint64_t failures)> command_wait = belfry::command_wait;
};

// The list that is asked for; `index` 0: at once.
[[nodiscard]] Target event_list_target(std::string_view name, std::uint64_t index, Duration wait);

class EventWatch {
 public:
    // Without a state nothing outlives the run, and the first list is handed over even if empty.
    EventWatch(HubClient& hub, WatchOptions options, WatchState* state, Console& console);

    // Until SIGINT, SIGTERM or SIGHUP, which end the command's process group too (ok), until the
    // hub refuses, or if its first answer does not come.
    [[nodiscard]] ExitCode run();

 private:
    struct Answer {
        std::uint64_t index = 0;
        std::vector<ListedEvent> events;
    };

    void end_on_signals();
    void stop();
    [[nodiscard]] HubResult<Answer> ask();
    [[nodiscard]] bool endures(const HubFailure& failure);
    void take(Answer answer);
    void hand_over(const std::vector<ListedEvent>& events, std::uint64_t index);
    [[nodiscard]] bool command_succeeds(const Program& program);
    void pause(Duration wait);

    HubClient& hub_;
    const WatchOptions options_;
    WatchState* const state_;
    Console& console_;

    std::optional<EventMark> mark_;
    std::uint64_t index_ = 0;  // the hub's last
    std::uint64_t hub_failures_ = 0;
    std::uint64_t command_failures_ = 0;
    bool has_answered_ = false;
    bool owes_first_;  // the first list, whatever is in it
    bool stopping_ = false;
    ChildProcess* child_ = nullptr;  // while it runs
};

}  // namespace belfry
