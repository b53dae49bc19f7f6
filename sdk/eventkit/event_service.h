// What the extension's server answers: the index, and events once their handlers are done with
// them, or in asynchronous mode as soon as they wait. Owned by Serving, together with everything it
// is given, which must outlive it; I/O thread only, but for some_done().
#pragma once

#include "eventkit/dedup_window.h"
#include "eventkit/event_call.h"
#include "eventkit/health.h"
#include "eventkit/registry.h"
#include "eventkit/step_cache.h"
#include "eventkit/workers.h"
#include "net/http.h"
#include "net/loop.h"

#include <belfry/eventkit/options.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string_view>

namespace belfry::eventkit {

class EventService final : public HttpService {
 public:
    EventService(const Options& options, Registry& registry, Loop& loop);
    // Waits for the handlers that run.
    ~EventService() override;

    [[nodiscard]] Admission admit(const HttpRequest& head) override;
    void handle(const HttpRequest& request, Exchange exchange) override;
    void refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange)
        override;

    // Reads the step cache and starts the workers; before the first request.
    [[nodiscard]] Result<void> open();
    // Beside the index; none: the paths of `health` are nobody's.
    void serve_health(const Health* health) { health_ = health; }
    // Events that wait or are with their handlers.
    [[nodiscard]] std::size_t unfinished() const { return unfinished_; }
    // Called whenever the last of them is done.
    void when_idle(Task idle) { idle_ = std::move(idle); }

 private:
    using CallMemory = std::pmr::polymorphic_allocator<>;
    struct DeleteCall {
        std::pmr::memory_resource* memory;
        void operator()(EventCall* call) const { CallMemory(memory).delete_object(call); }
    };
    using OwnedCall = std::unique_ptr<EventCall, DeleteCall>;

    void answer_index(const Index& index, const HttpRequest& request, Exchange exchange);
    void take_event(
        const std::shared_ptr<const Route>& route, const HttpRequest& request, Exchange exchange
    );
    [[nodiscard]] OwnedCall new_call(
        std::string_view body, const std::shared_ptr<const Route>& route
    );
    // Answers already, because the queue is full or the event was here before.
    [[nodiscard]] bool turns_away(const Event& event, const Route& route, Exchange& exchange);
    void begin(EventCall& call, Exchange exchange);
    [[nodiscard]] bool is_full(std::size_t bytes) const;
    [[nodiscard]] std::uint64_t lane_of(const Event& event, const Exchange& exchange) const;
    void give_up(EventCall& call);
    void take_done();
    void finish(EventCall& call, MonoTime now);
    void forget(EventCall& call, bool was_handled, MonoTime now);
    void tell_if_idle();

    const Options& options_;
    Registry& registry_;
    Loop& loop_;
    const Health* health_ = nullptr;
    std::size_t unfinished_ = 0;
    std::size_t unfinished_bytes_ = 0;
    Task idle_;
    std::pmr::unsynchronized_pool_resource calls_;  // their memory: they are large and many
    DedupWindow dedup_;
    std::unique_ptr<StepCache> steps_;
    // Last: its threads end before the rest goes.
    Workers workers_;
};

}  // namespace belfry::eventkit
