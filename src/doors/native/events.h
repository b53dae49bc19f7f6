// Reading single events and pages of them: GET /api/v1/events, /api/v1/events/{id} and its data.
// Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/native/native_door.h"

namespace belfry {

class EventReads {
 public:
    explicit EventReads(const NativeDoorPorts& ports)
        : log_(ports.hub.log()), clock_(ports.clock), limits_(ports.limits) {}

    void list(RequestContext& context);
    void get(RequestContext& context);
    void get_data(RequestContext& context);

 private:
    void find(const RequestContext& context, FindDone done);

    Log& log_;
    Clock& clock_;
    const Limits& limits_;
};

// The event of the caller's tenant that `id` names: an offset, the UUID form or the publisher's id;
// of several the newest. `source` narrows unless empty. offset_expired; not_found in the same words
// whether there is none, it is another tenant's, or the caller may not read its type.
void find_event(Log& log, const Caller& caller, std::string id, std::string source, FindDone done);

}  // namespace belfry
