// What a delivery and the circuit of its endpoint say to each other.
#include "base/logging.h"
#include "hub/delivery.h"

#include <algorithm>

namespace belfry {

// Another subscription of the endpoint has an event that has been due for longer, or will be due
// earlier where none is: that one probes. It needs no call: whoever has one and may begin has a
// timer for the next probe.
bool Delivery::is_behind_another(MonoTime now) {
    const std::pair mine = exceptions_.to_probe(now).value_or(std::pair(now, Offset{}));
    return std::ranges::any_of(circuit_->deliveries, [&](Delivery* other) {
        auto due = other->exceptions_.to_probe(now);
        return other != this && due && *due < mine && other->may_begin();
    });
}

bool Delivery::admit(bool& probe) {
    if (!circuit_->open()) {
        probe = false;
        return true;
    }
    MonoTime now = ports_.clock.now();
    if (circuit_->wants_probe(now) && is_behind_another(now)) {
        refused_by_circuit_ = true;
        return false;
    }
    probe = circuit_->take_probe(*this, now);
    refused_by_circuit_ = refused_by_circuit_ || !probe;
    return probe;
}

void Delivery::note_endpoint(const UnderWay& attempt, const Outcome& outcome) {
    if (attempt.sink->endpoint() != endpoint_) {
        return;  // it went to where the subscription pointed before
    }
    switch (outcome.kind) {
        case Outcome::Kind::settled:
        case Outcome::Kind::rejected:
        case Outcome::Kind::unclear:
            if (circuit_->succeeded()) {
                log_info("endpoint answers again", {{"endpoint", endpoint_}});
                wake_circuit();
            }
            return;
        case Outcome::Kind::failed:
            if (attempt.probe) {
                end_probe();
            } else {
                note_failure(attempt, outcome);
            }
            return;
        case Outcome::Kind::wait:
        case Outcome::Kind::gone:
            if (attempt.probe) {
                end_probe();
            }
            return;
    }
}

void Delivery::note_failure(const UnderWay& attempt, const Outcome& outcome) {
    const MonoTime now = ports_.clock.now();
    const Exception* exception = exceptions_.find(attempt.offset);
    const MonoTime due = exception == nullptr ? due_after(0, outcome) : exception->due;
    if (circuit_->failed(now, due - now)) {
        log_warn(
            "endpoint fails; its deliveries wait for a probe",
            {{"endpoint", endpoint_}, {"detail", outcome.error}}
        );
        wake_circuit();  // their timers are for when their events are due
    }
}

// If it took longer than an interval, the others have no timer for theirs.
void Delivery::end_probe() {
    circuit_->probe_ended(*this);
    if (circuit_->wants_probe(ports_.clock.now())) {
        wake_circuit();
    }
}

void Delivery::wake_circuit() {
    std::vector<Delivery*> others = circuit_->deliveries;
    for (Delivery* delivery : others) {
        if (delivery != this) {
            delivery->pump();
        }
    }
}

}  // namespace belfry
