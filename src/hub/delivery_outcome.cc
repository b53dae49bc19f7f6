// What the outcome of an attempt means: settled, tried again, or a dead letter.
#include "base/logging.h"
#include "event/record.h"
#include "hub/delivery.h"

#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

std::uint32_t elapsed_ms(MonoTime from, MonoTime to) {
    return static_cast<std::uint32_t>(duration_cast<milliseconds>(to - from).count());
}

std::string new_dead_letter_id(Rng& rng) {
    return fmt::format("dl_{:016x}{:016x}", rng.next(), rng.next());
}

}  // namespace

void Delivery::ended(Slot slot, const Outcome& outcome) {
    UnderWay attempt = std::move(slots_[slot]);
    free_slot(slot);
    if (abandoned_) {
        if (is_idle()) {
            ports_.drained(*this);
        }
        return;
    }
    const MonoTime now = ports_.clock.now();
    ports_.counters.attempts.add(now - attempt.began);
    if (outcome.kind != Outcome::Kind::settled) {
        ++ports_.counters.failed_attempts;
        ++failed_;
        if (wants(attempt.event)) {  // or who may see the subscription may not see the event
            last_error_ = outcome.error;
        }
    }
    if (attempt.kind == UnderWay::Kind::replay) {
        replay_ended(attempt, outcome);
    } else if (outcome.kind == Outcome::Kind::settled) {
        history_.add(SettledAttempt{
            .event = attempt.event.uuid(),
            .offset = attempt.offset,
            .at = attempt.began_wall,
            .attempt = attempt.attempts + 1,
            .duration_ms = elapsed_ms(attempt.began, now),
            .status = outcome.status,
        });
        settle(attempt);
    } else {
        AttemptRow row = attempt_row(attempt, outcome);
        if (outcome.kind == Outcome::Kind::rejected) {
            give_up(attempt, "rejected", outcome.rejected_by);
        } else {
            for (const std::string& listener : outcome.rejected_by) {
                write_dead_letter(attempt, "rejected", listener);
            }
            row.next_at = retry_later(attempt, outcome);
        }
        ports_.writer.changes().attempts.push_back(std::move(row));
        ports_.writer.touched();
    }
    moved();
    note_endpoint(attempt, outcome);
    // Of an endpoint that it had before, nothing follows for the one that it has.
    if (outcome.kind == Outcome::Kind::gone && attempt.sink == sink_) {
        ports_.gone(*this, "the endpoint answered 410 Gone");
    }
    if (is_idle()) {
        ports_.drained(*this);
    }
    pump();
}

// Jittered by ±20 % so that what failed together is not retried together.
MonoTime Delivery::due_after(std::uint32_t step, const Outcome& outcome) {
    if (outcome.retry_after) {
        return ports_.clock.now() + *outcome.retry_after;
    }
    const auto& schedule = subscription_.delivery.retry;
    if (schedule.empty()) {
        return ports_.clock.now();
    }
    milliseconds delay = schedule[std::min<std::size_t>(step, schedule.size() - 1)];
    double jitter = 0.8 + 0.4 * ports_.rng.unit();
    return ports_.clock.now() +
           duration_cast<Duration>(std::chrono::duration<double, std::milli>(delay) * jitter);
}

std::optional<WallTime> Delivery::retry_later(const UnderWay& attempt, const Outcome& outcome) {
    if (attempt.offset < ports_.log.first_offset()) {
        give_up(attempt, "expired", outcome.unsettled);
        return std::nullopt;
    }
    Exception* exception = exceptions_.find(attempt.offset);
    std::uint32_t step = exception == nullptr ? 0 : exception->step;
    bool uses_schedule =
        outcome.kind == Outcome::Kind::failed || outcome.kind == Outcome::Kind::unclear;
    bool counts = uses_schedule && !attempt.probe;
    if (counts && step >= subscription_.delivery.retry.size()) {
        give_up(attempt, "exhausted", outcome.unsettled);
        return std::nullopt;
    }
    const MonoTime now = ports_.clock.now();
    if (exception == nullptr) {
        exception = &exceptions_.add(
            attempt.offset,
            Exception{.waits = Exception::Waits::outcome, .key = attempt.key, .due = now}
        );
    }
    // A probe leaves its event due when it was: the circuit says when the next one goes. Where the
    // endpoint answered, the circuit may be closed now, and an event that is due would follow at
    // once.
    const bool failed = outcome.kind == Outcome::Kind::failed;
    const bool keeps_due =
        attempt.probe && !outcome.retry_after && (failed || exception->due > now);
    MonoTime due = keeps_due ? std::max(exception->due, now) : due_after(step, outcome);
    WallTime due_wall = ports_.clock.wall() + duration_cast<microseconds>(due - now);
    exception->held = outcome.retry_after.has_value();
    exception->attempts = attempt.attempts + 1;
    exception->step = step + (counts ? 1 : 0);
    exceptions_.wait_until(attempt.offset, due, due_wall);
    store_exception(attempt.offset);
    return due_wall;
}

void Delivery::settle(const UnderWay& attempt) {
    ++settled_;
    ++ports_.counters.settled;
    ports_.counters.lag.add(ports_.clock.wall() - attempt.event.recorded);
    if (attempt.kind == UnderWay::Kind::retry) {
        drop_exception(attempt.offset);
    }
    leave_key(attempt.key, attempt.offset);
}

// One for each listener, of a sink that has several.
void Delivery::give_up(
    const UnderWay& attempt, std::string_view reason, const std::vector<std::string>& listeners
) {
    if (listeners.empty()) {
        write_dead_letter(attempt, reason, {});
    }
    for (const std::string& listener : listeners) {
        write_dead_letter(attempt, reason, listener);
    }
    if (exceptions_.find(attempt.offset) != nullptr) {
        drop_exception(attempt.offset);
    }
    leave_key(attempt.key, attempt.offset);
}

void Delivery::write_dead_letter(
    const UnderWay& attempt, std::string_view reason, const std::string& listener
) {
    DeadLetterRow row{
        .id = new_dead_letter_id(ports_.rng),
        .tenant = subscription_.tenant,
        .subscription = key_,
        .listener = listener,
        .reason = std::string(reason),
        .at = ports_.clock.wall(),
        .offset = attempt.offset,
        .type = std::string(attempt.event.event.type),
    };
    encode_record(attempt.event.event, attempt.event.recorded, attempt.event.uuid_low, row.record);
    ports_.writer.add_dead_letter(std::move(row));
    ++dead_;
    ++ports_.counters.dead_lettered;
    ports_.counters.exhausted += reason == "exhausted" ? 1 : 0;
    log_warn(
        "event became a dead letter",
        {{"subscription", key_},
         {"offset", attempt.offset.value},
         {"reason", reason},
         {"detail", last_error_}}
    );
}

void Delivery::replay_ended(const UnderWay& attempt, const Outcome& outcome) {
    if (outcome.kind == Outcome::Kind::settled) {
        ports_.writer.changes().erase_dead_letters.push_back(attempt.replay->dead_letter);
        ++settled_;
        ++ports_.counters.settled;
        if (dead_ > 0) {
            --dead_;
        }
    } else {
        ports_.writer.changes().attempts.push_back(attempt_row(attempt, outcome));
    }
    ports_.writer.touched();
}

void Delivery::leave_key(OrderKey key, Offset offset) {
    if (key == OrderKey{}) {
        return;
    }
    std::optional<Offset> next = key_order_.leave(key, offset);
    if (!next) {
        return;
    }
    const Exception* exception = exceptions_.find(*next);
    if (exception != nullptr && exception->waits == Exception::Waits::earlier_event) {
        exceptions_.wait_until(*next, ports_.clock.now(), ports_.clock.wall());
    }
}

void Delivery::drop_exception(Offset offset) {
    exceptions_.erase(offset);
    ports_.writer.changes().exceptions.push_back(
        ExceptionRow{.subscription = key_, .offset = offset, .erased = true}
    );
    ports_.writer.touched();
}

void Delivery::release_exception(Offset offset) {
    const OrderKey key = exceptions_.find(offset)->key;
    drop_exception(offset);
    leave_key(key, offset);
    moved();
}

void Delivery::store_exception(Offset offset) {
    const Exception& exception = *exceptions_.find(offset);
    ports_.writer.changes().exceptions.push_back(ExceptionRow{
        .subscription = key_,
        .offset = offset,
        .attempts = exception.attempts,
        .step = exception.step,
        .order_key = exception.key.value,
        .next_at = exception.due_wall,
    });
    ports_.writer.touched();
}

AttemptRow Delivery::attempt_row(const UnderWay& attempt, const Outcome& outcome) const {
    return AttemptRow{
        .subscription = key_,
        .offset = attempt.offset,
        .uuid_low = attempt.event.uuid_low,
        .attempt = attempt.attempts + 1,
        .at = attempt.began_wall,
        .duration_ms = elapsed_ms(attempt.began, ports_.clock.now()),
        .status = outcome.status,
        .error = outcome.error,
        .response = outcome.response,
        .next_at = std::nullopt,
    };
}

void Delivery::expire_before(Offset before, std::uint64_t count) {
    if (live_ || position_ >= before) {
        return;
    }
    if (count > 0) {
        write_range({.from = position_, .to = before, .count = count}, "expired");
    }
    got({});
    pass_to(before);
}

// Whether the subscription would have wanted them nobody can know: it is told of all.
void Delivery::pass_unread(Offset to) {
    write_range({.from = position_, .to = to, .count = to - position_}, "unreadable");
    pass_to(to);
}

void Delivery::give_up_unread(Offset offset, std::string_view reason) {
    write_range({.from = offset, .to = offset.next(), .count = 1}, reason);
    release_exception(offset);
}

void Delivery::write_range(DeadLetterRange range, std::string_view reason) {
    ports_.writer.add_dead_letter(DeadLetterRow{
        .id = new_dead_letter_id(ports_.rng),
        .tenant = subscription_.tenant,
        .subscription = key_,
        .reason = std::string(reason),
        .at = ports_.clock.wall(),
        .offset = range.from,
        .range = range,
    });
    dead_ += range.count;
    ports_.counters.dead_lettered += range.count;
    log_warn(
        "events became dead letters without a copy",
        {{"subscription", key_},
         {"from", range.from.value},
         {"to", range.to.value},
         {"events", range.count},
         {"reason", reason}}
    );
}

void Delivery::expire_exception(Offset offset, const StoredEvent* event) {
    const Exception* exception = exceptions_.find(offset);
    if (exception == nullptr || exception->waits == Exception::Waits::outcome) {
        return;  // settled meanwhile, or under way: a failure gives it up
    }
    if (event == nullptr) {
        give_up_unread(offset, "unreadable");
        return;
    }
    if (!wants(*event)) {
        release_exception(offset);
        return;
    }
    UnderWay attempt;
    attempt.offset = offset;
    attempt.event = *event;
    attempt.attempts = exception->attempts;
    attempt.key = exception->key;
    give_up(attempt, "expired", {});
}

}  // namespace belfry
