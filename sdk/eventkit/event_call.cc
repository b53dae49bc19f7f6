#include "eventkit/event_call.h"

#include "base/ascii.h"
#include "eventkit/step_cache.h"

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

void EventCall::run() {
    if (event_->step) {
        steps_.remember(*event_->step, clock_.wall());
    }
    for (const auto& wish : route_->wishes) {
        if (!problem_ && wish->is_for(event_->name)) {
            problem_ = call(wish->handler, *event_, *this);
        }
    }
}

std::optional<StepExecution> EventCall::step() const {
    if (event_->target && !event_->step) {
        return steps_.find(event_->target->step_execution_id, clock_.wall());
    }
    return event_->step;
}

std::optional<std::string_view> EventCall::header(std::string_view name) const {
    const auto found = std::ranges::find_if(headers_, [name](const auto& field) {
        return equals_ignoring_case(field.first, name);
    });
    return found == headers_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::chrono::steady_clock::time_point EventCall::deadline() const {
    return deadline_;
}

bool EventCall::is_cancelled() const {
    return cancelled_.load();
}

}  // namespace belfry::eventkit
