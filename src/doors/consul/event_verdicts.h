// For which node an event is that comes by another door than Consul's: with the extensions that a
// fire's filters become it is judged as a fire is, with this node's name and its services of now.
// Owned by the door that publishes; node, services and limits must outlive it. I/O thread only.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "catalog/node_identity.h"
#include "catalog/services.h"
#include "event/event.h"
#include "hub/access.h"

#include <span>

namespace belfry {

class EventVerdicts {
 public:
    EventVerdicts(const NodeIdentity& node, const Services& services, const Limits& limits)
        : node_(node), services_(services), limits_(limits) {}

    // Sets Event::elsewhere of those that have such extensions. A filter that is no regular
    // expression, or passes a limit, is for no node; the event is as good as any other. What the
    // caller may not publish is left for the hub to refuse. too_large, with `index`, where the
    // events have more different filters than one request may keep the loop busy with.
    [[nodiscard]] Result<void> judge(const Caller& caller, std::span<Event> events) const;

 private:
    // Constant after construction.
    const NodeIdentity& node_;
    const Services& services_;
    const Limits& limits_;
};

}  // namespace belfry
