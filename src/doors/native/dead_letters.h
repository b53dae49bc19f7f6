// /api/v1/dead-letters: what subscriptions gave up on; list, replay, purge.
// Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/native/native_door.h"

namespace belfry {

class DeadLetters {
 public:
    explicit DeadLetters(const NativeDoorPorts& ports)
        : hub_(ports.hub), clock_(ports.clock), limits_(ports.limits) {}

    void list(RequestContext& context);
    void replay_one(RequestContext& context);
    void replay_matching(RequestContext& context);
    void purge(RequestContext& context);

 private:
    Hub& hub_;
    Clock& clock_;
    const Limits& limits_;
};

}  // namespace belfry
