// /api/v1/tokens: issue, list, show, revoke. Secrets are answered once, at their issue. Owned by
// the native door's routes. I/O thread only.
#pragma once

#include "doors/native/native_door.h"

namespace belfry {

class Tokens {
 public:
    explicit Tokens(const NativeDoorPorts& ports)
        : administration_(ports.administration), limits_(ports.limits) {}

    void create(RequestContext& context);
    void list(RequestContext& context);
    void get(RequestContext& context);
    void revoke(RequestContext& context);

 private:
    AccessAdministration& administration_;
    const Limits& limits_;
};

}  // namespace belfry
