#include "eventkit/event_call.h"

#include "eventkit/step_cache.h"
#include "net/http_syntax.h"

#include <algorithm>
#include <exception>

namespace belfry::eventkit {
namespace {

constexpr const char* kUnexpected = "Internal Server Error";

// Handlers are other people's code: whatever they throw ends here.
std::optional<Problem> call(
    const Extension::ContextHandler& handler, const Event& event, const Context& context
) {
    try {
        handler(event, context);
        return std::nullopt;
    } catch (const ExtensionError& error) {
        return Problem{error.title, error.detail, error.type, error.instance};
    } catch (const std::exception& error) {
        return Problem{.title = kUnexpected, .detail = error.what()};
    } catch (...) {
        return Problem{.title = kUnexpected, .detail = "the handler threw what is no exception"};
    }
}

}  // namespace

void EventCall::give_up() {
    cancelled_.store(true);
    State expected = State::waiting;
    state_.compare_exchange_strong(expected, State::given_up);
}

void EventCall::run() {
    State expected = State::waiting;
    if (!state_.compare_exchange_strong(expected, State::begun)) {
        return;
    }
    if (parts_.event.step) {
        parts_.steps->remember(*parts_.event.step, parts_.clock->wall());
    }
    for (const auto& wish : parts_.wishes) {
        problem_ = call(wish->handler, parts_.event, *this);
        if (problem_) {
            return;
        }
    }
}

std::optional<StepExecution> EventCall::step() const {
    if (parts_.event.target && !parts_.event.step) {
        return parts_.steps->find(parts_.event.target->step_execution_id, parts_.clock->wall());
    }
    return parts_.event.step;
}

std::optional<std::string_view> EventCall::header(std::string_view name) const {
    const auto found = std::ranges::find_if(parts_.headers, [name](const auto& field) {
        return equals_ignoring_case(field.first, name);
    });
    return found == parts_.headers.end() ? std::nullopt
                                         : std::optional<std::string_view>(found->second);
}

std::chrono::steady_clock::time_point EventCall::deadline() const {
    return parts_.deadline;
}

bool EventCall::is_cancelled() const {
    return cancelled_.load();
}

}  // namespace belfry::eventkit
