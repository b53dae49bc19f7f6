// One event on its way through its handlers. Made on the I/O thread, run on a worker, and given
// back to the I/O thread, which alone answers and deletes; the two meet in atomics only.
#pragma once

#include "base/clock.h"
#include "eventkit/index.h"
#include "eventkit/problem.h"
#include "eventkit/workers.h"
#include "net/http.h"

#include <belfry/eventkit/context.h>
#include <belfry/eventkit/event.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace belfry::eventkit {

class StepCache;

class EventCall final : public Job, public Context {
 public:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    // What the handlers may ask for beside the event.
    struct Surroundings {
        Headers headers = {};
        MonoTime deadline = MonoTime::max();
        StepCache& steps;
        const Clock& clock;
    };

    EventCall(
        std::uint64_t lane,
        Event&& event,
        std::shared_ptr<const Route> route,
        Surroundings surroundings
    )
        : Job(lane),
          event_(std::move(event)),
          route_(std::move(route)),
          surroundings_(std::move(surroundings)) {}

    // Nobody waits for it any more.
    void give_up() { cancelled_.store(true); }

    void run() override;
    [[nodiscard]] std::optional<StepExecution> step() const override;
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const override;
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override;
    [[nodiscard]] bool is_cancelled() const override;

    [[nodiscard]] const Event& event() const { return event_; }
    [[nodiscard]] const Route& route() const { return *route_; }
    // Afterwards: what went wrong.
    [[nodiscard]] const std::optional<Problem>& problem() const { return problem_; }

    // I/O thread.
    std::optional<Exchange> exchange;  // not answered yet
    TimerId timer;

 private:
    const Event event_;
    const std::shared_ptr<const Route> route_;
    const Surroundings surroundings_;
    std::atomic<bool> cancelled_ = false;
    std::optional<Problem> problem_;  // the worker's until the call is given back
};

}  // namespace belfry::eventkit
