// What a handler may want to know beside its event: the step of a target, how long it has, the
// request's headers. Made by the library; lives as long as the handler runs and belongs to its
// thread.
#pragma once

#include <belfry/eventkit/event.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace belfry::eventkit {

class Context {
 public:
    // The step that the event is about: its own, or of a target event the one that came before it
    // under that id, even if this program was started since. nullopt: none came, or long ago.
    [[nodiscard]] virtual std::optional<StepExecution> step() const = 0;
    // The first header of that name in any case.
    [[nodiscard]] virtual std::optional<std::string_view> header(std::string_view name) const = 0;
    // When who called stops waiting (`Request-Timeout`); max() if it did not say, and in
    // asynchronous mode, where nobody waits.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point deadline() const = 0;
    // Nobody waits any more: the deadline has passed, or the caller is gone.
    [[nodiscard]] virtual bool is_cancelled() const = 0;

 protected:
    ~Context() = default;
};

}  // namespace belfry::eventkit
