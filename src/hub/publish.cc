// One event's journey into the log; the rest of it, from the log to the listeners, is
// deliveries.cc.
#include "base/assert.h"
#include "hub/hub_impl.h"

namespace belfry {

void Hub::publish(const Caller& caller, std::span<const Event> events, PublishDone done) {
    Impl& hub = *impl_;

    // 1. Translate: the door did; what arrives here has passed check_event().

    // 2. Authorise: may this caller publish each of these types in its tenant?
    if (hub.stopping) {
        done(fail(Errc::unavailable, "the hub is stopping"));
        return;
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
        ASSERT(events[i].tenant == caller.tenant);
        Result<void> allowed = caller.check(Resource::event, Verb::write, events[i].type);
        if (!allowed) {
            Error error = allowed.error();
            if (events.size() > 1) {
                error.index = i;
            }
            done(std::unexpected(std::move(error)));
            return;
        }
    }

    // 3. Append: the log finds duplicates, gives offsets, writes one batch and syncs it. `done`
    // runs after the
    //    sync, not before. From then on the events are durable and readers may see them.
    hub.ports.log.append(
        events,
        [tally = hub.published.tally(events, caller.door),
         done = std::move(done)](Result<std::span<const Appended>> receipts) mutable {
            if (receipts) {
                tally.add(*receipts);
            }
            done(std::move(receipts));
        }
    );

    // 4–6. Match, deliver, settle: the log tells Impl::durable() once per commit.
}

}  // namespace belfry
