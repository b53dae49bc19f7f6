// /api/v1/policies: what tokens may do, under a name. Owned by the native door's routes. I/O thread
// only.
#pragma once

#include "doors/native/native_door.h"

namespace belfry {

class Policies {
 public:
    explicit Policies(const NativeDoorPorts& ports)
        : administration_(ports.administration), limits_(ports.limits) {}

    void create(RequestContext& context);
    void list(RequestContext& context);
    void get(RequestContext& context);
    void replace(RequestContext& context);
    void remove(RequestContext& context);

 private:
    // The policy in the body, its tenant filled in; the answer was given if there is none.
    [[nodiscard]] std::optional<Policy> read_body(RequestContext& context);
    [[nodiscard]] AccessAdministration::Done<Policy> answer_with(Exchange exchange, int status);

    AccessAdministration& administration_;
    const Limits& limits_;
};

}  // namespace belfry
