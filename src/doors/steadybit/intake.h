// POST /steadybit/events: one event of Steadybit into the log, its body byte for byte, answered
// once it is durable. Owned by the door. I/O thread only.
#pragma once

#include "base/limits.h"
#include "doors/routes.h"
#include "doors/steadybit/errors.h"
#include "event/event.h"
#include "hub/hub.h"

#include <string>

namespace belfry {

class SteadybitIntake {
 public:
    SteadybitIntake(Hub& hub, const Limits& limits, MalformedStatus malformed)
        : hub_(hub), limits_(limits), malformed_(malformed) {}

    void take(RequestContext& context);

 private:
    void publish(RequestContext& context, const Event& event);
    // The log knows the id, with other content: nothing new to store.
    void answer_known(Exchange exchange, std::string tenant, std::string source, std::string id);

    // Constant after construction.
    Hub& hub_;
    const Limits& limits_;
    const MalformedStatus malformed_;
};

}  // namespace belfry
