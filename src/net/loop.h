// The I/O loop: an Asio io_context on one thread, as the Executor and Clock of everything that
// lives there.
#pragma once

#include "base/clock.h"
#include "base/task.h"

#include <functional>
#include <memory>

namespace belfry {

class Poller;

// What the net room does last in a turn: send the answers and requests that the turn brought.
class TurnFlusher {
 public:
    // False if there was nothing to send. Called again until that is so everywhere.
    virtual bool flush_turn() = 0;

 protected:
    ~TurnFlusher() = default;
};

// Owned by main; outlives everything that was given it. run() is the I/O thread.
class Loop final : public Executor, public Clock {
 public:
    Loop();
    ~Loop() override;

    // Runs until stop(). A turn: every handler that is ready, and those that became ready meanwhile
    // (a burst without end is cut at 1,024 sockets or 500 µs); then `on_turn_end` (group commit);
    // then answers and requests are sent; then sleep until something is ready.
    void run();
    // Any thread. Ends the run() that is on, or the next one at once; the one after it runs again.
    void stop();
    void on_turn_end(std::function<void()> callback);
    // SIGTERM, SIGINT, SIGHUP; `callback` on the I/O thread with the signal's number, each time.
    void on_signal(std::function<void(int)> callback);

    void post(Task task) override;
    [[nodiscard]] MonoTime now() const override;
    [[nodiscard]] WallTime wall() const override;
    TimerId call_at(MonoTime when, Task task) override;
    void cancel(TimerId timer) override;

    // For who watches descriptors of its own; I/O thread.
    [[nodiscard]] Poller& poller();
    // For the net room only, on the I/O thread.
    void add_flusher(TurnFlusher* flusher);
    void remove_flusher(const TurnFlusher* flusher);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace belfry
