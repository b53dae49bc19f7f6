// For tests: an event with nothing but what every event has.
#pragma once

#include "event/event.h"

namespace belfry {

inline Event small_event() {
    Event event;
    event.source = "/s";
    event.type = "t";
    return event;
}

}  // namespace belfry
