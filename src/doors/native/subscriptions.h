// /api/v1/subscriptions: create, read, replace, remove, pause, resume, test, rotate the secret,
// look at attempts. Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/native/native_door.h"

namespace belfry {

class Subscriptions {
 public:
    explicit Subscriptions(const NativeDoorPorts& ports)
        : hub_(ports.hub), catalog_(ports.catalog), clock_(ports.clock), limits_(ports.limits) {}

    void create(RequestContext& context);
    void list(RequestContext& context);
    void get(RequestContext& context);
    void replace(RequestContext& context);
    void remove(RequestContext& context);
    void pause(RequestContext& context);
    void resume(RequestContext& context);
    void test(RequestContext& context);
    void rotate_secret(RequestContext& context);
    void list_attempts(RequestContext& context);

 private:
    enum class Location : bool { leave_out, add };

    void set_state(RequestContext& context, SubscriptionState state);
    // The answer to a change: the document as it now is, with its ETag. Takes the exchange.
    [[nodiscard]] Catalog::Done answer_with(RequestContext& context, int status, Location location);
    // What an attempt said is left out for who may not read every type the filter matches.
    [[nodiscard]] std::string json_of(const Subscription& subscription, const Caller& caller) const;

    Hub& hub_;
    const Catalog& catalog_;
    const Clock& clock_;
    const Limits& limits_;
};

}  // namespace belfry
