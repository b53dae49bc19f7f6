// What a delivery and the circuit of its endpoint say to each other.
#include "base/logging.h"
#include "hub/delivery.h"

#include <algorithm>

namespace belfry {

// At most a probe begins. The next event that was never attempted is looked for even when it is not
// its turn: the others ask whether there is one. A probe with what failed does not wait until
// something is due: that may be hours after the endpoint is back.
Delivery::Step Delivery::step_while_open() {
    if (take_next() == Step::progress) {
        return Step::progress;
    }
    if (auto failed = exceptions_.to_probe(ports_.clock.now())) {
        return begin_retry(failed->second);
    }
    drop_refused_replays();
    return replays_.empty() ? Step::nothing : begin_replay();
}

// Who is to probe before this one needs no call: whoever may begin and has an event that the
// circuit refused, or one that failed, has a timer for the next probe.
//
// When it is the turn of events that were never attempted: the subscription whose turn of those is
// longest ago. Where there are none, and otherwise: the event that has been due for longest or, if
// none is, the one that will be first; one that was never attempted leaves that to those of its own
// subscription.
bool Delivery::is_behind_another(Circuit::Turn of, MonoTime now) {
    if (circuit_->turn() == Circuit::Turn::first) {
        for (Delivery* other : circuit_->deliveries) {
            if (other == this && of == Circuit::Turn::first) {
                return false;
            }
            if (other != this && other->first_waits_ && other->may_begin()) {
                return true;
            }
        }
    }
    const auto own = exceptions_.to_probe(now);
    if (own && of == Circuit::Turn::first) {
        return true;
    }
    const std::pair mine = own.value_or(std::pair(now, Offset{}));
    return std::ranges::any_of(circuit_->deliveries, [&](Delivery* other) {
        if (other == this || !other->may_begin()) {
            return false;
        }
        const auto due = other->exceptions_.to_probe(now);
        return due && *due < mine;
    });
}

bool Delivery::admit(Circuit::Turn of, bool& probe) {
    probe = false;
    if (!circuit_->open()) {
        return true;
    }
    const MonoTime now = ports_.clock.now();
    if (circuit_->wants_probe(now) && !is_behind_another(of, now)) {
        probe = circuit_->take_probe(*this, of, now);
    }
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
            note_success(attempt, outcome);
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

// What failed while the endpoint was away may be due in hours. It is tried now, one event after the
// other, up to one that does not settle: that one fails by itself, perhaps.
void Delivery::note_success(const UnderWay& attempt, const Outcome& outcome) {
    const bool settled = outcome.kind != Outcome::Kind::unclear;
    tries_early_ = tries_early_ || (settled && attempt.probe);
    if (!circuit_->succeeded()) {
        return;
    }
    log_info("endpoint answers again", {{"endpoint", endpoint_}});
    for (Delivery* each : circuit_->deliveries) {
        each->tries_early_ = settled;
    }
    wake_circuit();
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

void Delivery::return_probe() {
    circuit_->return_probe(*this, ports_.clock.now());
    tries_early_ = !circuit_->open();
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
