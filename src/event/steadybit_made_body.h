// The body that a Steadybit listener gets for an event: the event's own data if that is a body of
// the Event API under the event's name, else one made of the event's attributes. Pure: the same
// bytes whenever it is asked. May be called from any thread.
#pragma once

#include "event/event.h"

#include <memory>
#include <optional>
#include <string_view>

namespace belfry {

// A name that Steadybit gives to events of its own, now or in an earlier version of the Event API.
[[nodiscard]] bool is_steadybit_event_name(std::string_view type);

struct SteadybitCallBody {
    std::string_view bytes;
    std::shared_ptr<const void> owner;  // keeps them alive
};
// nullopt: listeners must not have it. It has one of Steadybit's own names, but its data is not
// what they expect under that name.
[[nodiscard]] std::optional<SteadybitCallBody> steadybit_call_body(const StoredEvent& event);

}  // namespace belfry
