// StateWriter: gathers what delivery must remember and commits it together, every 200 ms or 1,000
// changes, one commit at a time. A commit that fails is kept and tried again; nothing is forgotten.
// Owned by the hub; clock and state must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "engine/state.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace belfry {

class StateWriter {
 public:
    static constexpr std::chrono::milliseconds kInterval{200};
    static constexpr std::chrono::milliseconds kRetryInterval{1000};
    static constexpr std::size_t kChangesPerCommit = 1'000;
    static constexpr std::size_t kChangesMax = 20'000;
    static constexpr std::size_t kDeadLetterBytesMax = std::size_t{64} * 1024 * 1024;

    StateWriter(Clock& clock, State& state);
    ~StateWriter();
    StateWriter(const StateWriter&) = delete;
    StateWriter& operator=(const StateWriter&) = delete;

    // Adds the cursors that moved; called when a commit is put together, so that a cursor and what
    // it passed are in one transaction.
    void before_commit(std::function<void(StateChanges&)> gather) { gather_ = std::move(gather); }

    // Called whenever a commit found no room on the disk, with what the disk said.
    void on_disk_full(std::function<void(std::string)> observer) {
        disk_full_ = std::move(observer);
    }

    // What the next commit will hold; call touched() after adding to it. Dead letters go through
    // add_dead_letter().
    [[nodiscard]] StateChanges& changes() { return waiting_; }
    void touched();
    // The one change that has no small bound of bytes: it brings a copy of the event.
    void add_dead_letter(DeadLetterRow row);
    // `done` runs when everything added so far is durable. Not to be called half way through a
    // change.
    void flush(Task done);
    // The same for somebody who waits for an answer: if the disk does not take it, that is told at
    // once, as unavailable, and what was added is kept and tried again all the same.
    void try_flush(std::move_only_function<void(Result<void>)> done);
    // The last commit failed; it is tried again.
    [[nodiscard]] bool is_failing() const { return failing_; }
    // So much is waiting for the disk that deliveries should pause.
    [[nodiscard]] bool is_behind() const {
        return waiting_.size() > kChangesMax || unsaved_bytes_ > kDeadLetterBytesMax;
    }

 private:
    struct Waiting {
        std::move_only_function<void(Result<void>)> done;
        bool patient;  // until it is durable
    };

    void enqueue(Waiting waiting);
    void arm(Duration delay);
    void commit();
    void committed(Result<void> result);

    // Constant after construction.
    Clock& clock_;
    State& state_;
    std::function<void(StateChanges&)> gather_;
    std::function<void(std::string)> disk_full_;
    // I/O thread.
    StateChanges waiting_;
    StateChanges under_way_;
    std::size_t unsaved_bytes_ = 0;  // of events in dead letters, those under way too
    std::size_t under_way_bytes_ = 0;
    bool committing_ = false;
    bool failing_ = false;
    bool soon_ = false;  // the timer is set for at once
    TimerId timer_;
    std::vector<Waiting> waiting_done_;  // for the next commit
    std::vector<Waiting> under_way_done_;
};

}  // namespace belfry
