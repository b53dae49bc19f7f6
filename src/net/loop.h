// The I/O loop: an Asio io_context on one thread, as the Executor and Clock of everything that lives there.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/task.h"

namespace boost::asio {
class io_context;
}

namespace belfry {

// Owned by main; outlives everything that was given it. run() is the I/O thread.
class Loop final : public Executor, public Clock {
 public:
    Loop();
    ~Loop() override;

    // Runs until stop(). A turn: every handler that is ready, and those that became ready meanwhile; then
    // `on_turn_end` (group commit); then sleep until something is ready.
    void run();
    void stop();  // any thread
    void on_turn_end(std::function<void()> callback);
    // SIGTERM, SIGINT; `callback` on the I/O thread with the signal's number, each time.
    void on_signal(std::function<void(int)> callback);

    void post(Task task) override;
    [[nodiscard]] MonoTime now() const override;
    [[nodiscard]] WallTime wall() const override;
    TimerId call_at(MonoTime when, Task task) override;
    void cancel(TimerId timer) override;

    // For the net room only.
    [[nodiscard]] boost::asio::io_context& context();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace belfry
