// For tests: events that stand in a log without having been published.
#pragma once

#include "engine/log.h"

#include <span>
#include <string>

namespace belfry {

inline void append_events(
    Log& log, int count, const std::string& subject = "", const std::string& type = "t"
) {
    for (int i = 0; i < count; ++i) {
        Event event;
        event.source = "/test";
        event.type = type;
        event.subject = subject;
        log.append(std::span(&event, 1), [](auto) {});
    }
}

}  // namespace belfry
