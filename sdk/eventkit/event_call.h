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
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry::eventkit {

class StepCache;

class EventCall final : public Job, public Context {
 public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    // Reads the body where the event will stay, because events are large to move.
    EventCall(
        std::string_view body,
        std::shared_ptr<const Route> route,
        StepCache& steps,
        const Clock& clock
    )
        : event_(parse_event(body)), route_(std::move(route)), steps_(steps), clock_(clock) {}

    // What is wrong with the body, if something is: then it is no event, and cannot be run.
    [[nodiscard]] const EventError* error() const { return event_ ? nullptr : &event_.error(); }
    // What the handlers may ask for beside the event; before it is posted.
    void set_headers(Headers headers) { headers_ = std::move(headers); }
    void set_deadline(MonoTime deadline) { deadline_ = deadline; }

    // Nobody waits for it any more.
    void give_up() { cancelled_.store(true); }

    void run() override;
    [[nodiscard]] std::optional<StepExecution> step() const override;
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const override;
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override;
    [[nodiscard]] bool is_cancelled() const override;

    [[nodiscard]] const Event& event() const { return *event_; }
    [[nodiscard]] const Route& route() const { return *route_; }
    // Afterwards: what went wrong.
    [[nodiscard]] const std::optional<Problem>& problem() const { return problem_; }

    // I/O thread.
    std::optional<Exchange> exchange;  // not answered yet
    TimerId timer;

 private:
    const std::expected<Event, EventError> event_;
    const std::shared_ptr<const Route> route_;
    StepCache& steps_;
    const Clock& clock_;
    Headers headers_;
    MonoTime deadline_ = MonoTime::max();
    std::atomic<bool> cancelled_ = false;
    std::optional<Problem> problem_;  // the worker's until the call is given back
};

}  // namespace belfry::eventkit
