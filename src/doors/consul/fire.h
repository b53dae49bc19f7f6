// PUT /v1/event/fire/:name. Owned by the door. I/O thread only.
#pragma once

#include "catalog/node_identity.h"
#include "catalog/services.h"
#include "doors/consul/answer.h"
#include "hub/hub.h"

#include <string>

namespace belfry {

class EventFire {
 public:
    struct Ports {
        Hub& hub;
        const Limits& limits;
        const NodeIdentity& node;
        const Services& services;
        ConsulAnswers& answers;
        bool strict_status = false;
    };
    explicit EventFire(const Ports& ports);

    // Checks in Consul's order, asks for event:write after that, and publishes. Whether the event
    // is for this node is judged now, with the services of this moment.
    void fire(RequestContext& context);

    // What Consul says to a body of more bytes than this hub takes.
    void refuse_size(Exchange& exchange);

 private:
    void publish(RequestContext& context, const Event& event);

    // Constant after construction.
    Hub& hub_;
    const Limits& limits_;
    const NodeIdentity& node_;
    const Services& services_;
    ConsulAnswers& answers_;
    const bool strict_status_;
    const std::string source_;  // of what is fired here
    // I/O thread.
    std::string answer_;  // being written; keeps its memory
};

}  // namespace belfry
