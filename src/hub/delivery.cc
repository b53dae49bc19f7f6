#include "hub/delivery.h"

#include "base/logging.h"

#include <algorithm>

namespace belfry {

Delivery::Delivery(
    const DeliveryPorts& ports,
    const Subscription& subscription,
    std::shared_ptr<Sink> sink,
    const DeliveryStart& start
)
    : ports_(ports),
      key_(subscription.key()),
      subscription_(subscription),
      sink_(std::move(sink)),
      endpoint_(sink_->endpoint()),
      circuit_(&ports.circuits.join(circuit_name(), *this)),
      noted_(ports.noted),
      dead_(start.dead) {
    restore(start);
}

Delivery::~Delivery() {
    ports_.clock.cancel(timer_);
    ports_.circuits.leave(circuit_name(), *this);
}

void Delivery::restore(const DeliveryStart& start) {
    position_ = start.cursor;
    for (const ExceptionRow& row : start.exceptions) {
        if (row.offset >= start.cursor) {
            // An event below it was under way at the crash; both are read again, in order.
            ports_.writer.changes().exceptions.push_back(
                ExceptionRow{.subscription = key_, .offset = row.offset, .erased = true}
            );
            ports_.writer.touched();
            continue;
        }
        Duration delay = std::clamp<Duration>(
            row.next_at - ports_.clock.wall(), Duration::zero(), std::chrono::hours(36)
        );
        Exception exception{
            .attempts = row.attempts,
            .step = row.step,
            .key = OrderKey{row.order_key},
            .due = ports_.clock.now() + delay,
            .due_wall = row.next_at,
        };
        if (exception.key != OrderKey{} && !key_order_.enter(exception.key, row.offset)) {
            exception.waits = Exception::Waits::earlier_event;
        }
        exceptions_.add(row.offset, exception);
    }
}

void Delivery::moved() {
    if (!std::exchange(moved_, true)) {
        ports_.moved(*this);
    }
}

void Delivery::configure(const Subscription& subscription, std::shared_ptr<Sink> sink) {
    bool was_active = is_active();
    if (live_) {
        fall_behind(ports_.log.next_offset());  // the filter may be another from here on
    }
    noted_.clear();
    got({});
    if (subscription.sink != subscription_.sink) {
        sink_ = std::move(sink);
    }
    const bool other_filter = subscription.filter != subscription_.filter;
    if (sink_->endpoint() != endpoint_) {
        end_probe();
        ports_.circuits.leave(circuit_name(), *this);
        endpoint_ = sink_->endpoint();
        circuit_ = &ports_.circuits.join(circuit_name(), *this);
    }
    subscription_ = subscription;
    if (other_filter) {
        forget_unwanted();
    }
    if (was_active && !is_active()) {
        ports_.clock.cancel(timer_);
        timer_ = TimerId{};
    }
    pump();
}

// What waits for a retry is looked at when its event is read.
void Delivery::forget_unwanted() {
    last_error_.clear();
    std::erase_if(replays_, [this](const Replay& replay) {
        const bool unwanted = !wants(replay.event);
        replay_bytes_ -= unwanted ? replay.bytes : 0;
        return unwanted;
    });
}

bool Delivery::is_active() const {
    return subscription_.state == SubscriptionState::active;
}

void Delivery::pump() {
    if (pumping_) {
        pump_again_ = true;
        return;
    }
    pumping_ = true;
    examined_ = 0;
    refused_by_circuit_ = false;
    first_waits_ = false;
    do {
        pump_again_ = false;
        while (step() == Step::progress) {
        }
    } while (pump_again_);
    pumping_ = false;
    arm_timer();
}

// Begins at most one thing: a due retry first, then a replay, then the next event.
Delivery::Step Delivery::step() {
    if (!may_begin()) {
        return Step::nothing;
    }
    if (circuit_->open()) {
        return step_while_open();
    }
    if (std::optional<Offset> retry = exceptions_.due_at(ports_.clock.now())) {
        return begin_retry(*retry);
    }
    if (std::exchange(tries_early_, false)) {
        if (auto early = exceptions_.to_probe(ports_.clock.now())) {
            return begin_retry(early->second);
        }
    }
    drop_refused_replays();
    if (!replays_.empty()) {
        return begin_replay();
    }
    return take_next();
}

bool Delivery::may_begin() {
    if (!is_active() || stopping_ || abandoned_ || ports_.writer.is_behind()) {
        return false;
    }
    bool one_at_a_time = subscription_.delivery.order == DeliveryPolicy::Order::all;
    if (under_way_ >= (one_at_a_time ? 1 : subscription_.delivery.max_in_flight)) {
        return false;
    }
    const std::optional<Pace>& pace = subscription_.delivery.pace;
    if (!pace) {
        return true;
    }
    MonoTime now = ports_.clock.now();
    if (now >= pace_began_ + pace->every) {
        pace_began_ = now;
        pace_used_ = 0;
    }
    return pace_used_ < pace->events;
}

Delivery::Step Delivery::begin_retry(Offset offset) {
    bool probe = false;
    if (!admit(Circuit::Turn::failed, probe)) {
        return Step::nothing;
    }
    const Exception& exception = *exceptions_.find(offset);
    Slot slot = take_slot();
    UnderWay& attempt = slots_[slot];
    attempt.kind = UnderWay::Kind::reading;
    attempt.offset = offset;
    attempt.attempts = exception.attempts;
    attempt.key = exception.key;
    attempt.probe = probe || exception.due > ports_.clock.now();
    exceptions_.wait_for_outcome(offset);
    read_retry(slot);
    return Step::progress;
}

void Delivery::read_retry(Slot slot) {
    constexpr ReadLimit kOne{.events = 1, .bytes = 1};
    Offset offset = slots_[slot].offset;
    if (std::optional<ReadResult> tail = ports_.log.read_tail(offset, kOne)) {
        got_retry(slot, std::move(*tail));
        return;
    }
    ports_.log.read(offset, kOne, [this, slot](Result<ReadResult> result) {
        got_retry(slot, std::move(result));
    });
}

void Delivery::got_retry(Slot slot, Result<ReadResult> result) {
    UnderWay& attempt = slots_[slot];
    StoredEvent* event = nullptr;
    if (result && !result->entries.empty()) {
        event = std::get_if<StoredEvent>(&result->entries.front());
    }
    const bool is_read = event != nullptr && event->offset == attempt.offset;
    if (is_read && !abandoned_ && wants(*event)) {
        attempt.kind = UnderWay::Kind::retry;
        attempt.event = std::move(*event);
        begin(slot);
        return;
    }
    const Offset offset = attempt.offset;
    const bool probe = attempt.probe;
    bool expired = !result && result.error().code == Errc::offset_expired;
    free_slot(slot);
    if (abandoned_) {
        if (is_idle()) {
            ports_.drained(*this);
        }
        return;
    }
    if (is_read) {  // the filter is another since it was attempted
        release_exception(offset);
        if (probe) {
            return_probe();
        }
    } else if (expired || result) {
        give_up_unread(offset, expired ? "expired" : "unreadable");
    } else {
        read_again(offset);
    }
    if (probe) {
        end_probe();
    }
    pump();
    if (stopping_ && is_idle()) {
        ports_.drained(*this);
    }
}

// Not before it is due: it may have been a probe, or tried early.
void Delivery::read_again(Offset offset) {
    const Exception& exception = *exceptions_.find(offset);
    const MonoTime soon = ports_.clock.now() + kReadAgain;
    if (exception.due > soon) {
        exceptions_.wait_until(offset, exception.due, exception.due_wall);
    } else {
        exceptions_.wait_until(offset, soon, ports_.clock.wall() + kReadAgain);
    }
}

// Whoever asked for them has lost the right since; their dead letters stay.
void Delivery::drop_refused_replays() {
    while (!replays_.empty() && replays_.front().grant != nullptr) {
        const Grant& grant = *replays_.front().grant;
        std::string_view type = replays_.front().event.event.type;
        if (grant.valid() && grant.allows(Resource::dead_letter, Verb::write, {}) &&
            grant.allows(Resource::event, Verb::read, type)) {
            return;
        }
        take_replay();
    }
}

Replay Delivery::take_replay() {
    Replay replay = std::move(replays_.front());
    replays_.pop_front();
    replay_bytes_ -= replay.bytes;
    return replay;
}

Delivery::Step Delivery::begin_replay() {
    bool probe = false;
    if (!admit(Circuit::Turn::failed, probe)) {
        return Step::nothing;
    }
    Slot slot = take_slot();
    UnderWay& attempt = slots_[slot];
    attempt.kind = UnderWay::Kind::replay;
    attempt.replay = std::make_unique<Replay>(take_replay());
    attempt.event = attempt.replay->event;
    attempt.offset = attempt.event.offset;
    attempt.attempts = attempt.replay->attempts;
    attempt.probe = probe;
    begin(slot);
    return Step::progress;
}

// Attempts the event, or lets it wait for an earlier one of its key; the position passes it either
// way, and with it goes the event, if it stands in the buffer.
Delivery::Step Delivery::take(const StoredEvent& event) {
    const Offset offset = event.offset;
    OrderKey key = order_key(event.event);
    if (key != OrderKey{} && key_order_.is_busy(key)) {
        key_order_.enter(key, offset);
        exceptions_.add(
            offset,
            Exception{
                .waits = Exception::Waits::earlier_event,
                .key = key,
                .due_wall = ports_.clock.wall()
            }
        );
        store_exception(offset);
        pass_to(offset.next());
        return Step::progress;
    }
    bool probe = false;
    first_waits_ = !admit(Circuit::Turn::first, probe);
    if (first_waits_) {
        return Step::nothing;
    }
    if (key != OrderKey{}) {
        key_order_.enter(key, offset);
    }
    Slot slot = take_slot();
    UnderWay& attempt = slots_[slot];
    attempt.kind = UnderWay::Kind::first;
    attempt.event = event;
    attempt.offset = offset;
    attempt.attempts = 0;
    attempt.key = key;
    attempt.probe = probe;
    pass_to(offset.next());
    begin(slot);
    return Step::progress;
}

OrderKey Delivery::order_key(const Event& event) const {
    const DeliveryPolicy& policy = subscription_.delivery;
    if (policy.order != DeliveryPolicy::Order::key) {
        return {};
    }
    std::optional<std::string_view> value;
    if (policy.key.empty()) {
        value = event.attribute("partitionkey");
        if (!value) {
            value = event.attribute("subject");
        }
    } else {
        value = event.attribute(policy.key);
    }
    if (!value) {
        return {};
    }
    return OrderKey{std::max<std::uint64_t>(1, uuid_low_half(policy.key, *value))};
}

Delivery::Slot Delivery::take_slot() {
    if (free_slots_.empty()) {
        free_slots_.push_back(static_cast<Slot>(slots_.size()));
        slots_.emplace_back();
    }
    Slot slot = free_slots_.back();
    free_slots_.pop_back();
    ++under_way_;
    return slot;
}

void Delivery::free_slot(Slot slot) {
    slots_[slot] = UnderWay{};
    free_slots_.push_back(slot);
    --under_way_;
}

void Delivery::begin(Slot slot) {
    UnderWay& attempt = slots_[slot];
    attempt.began = ports_.clock.now();
    attempt.began_wall = ports_.clock.wall();
    attempt.sink = sink_;
    ++pace_used_;
    std::shared_ptr<Sink> sink = sink_;
    sink->attempt(
        Attempt{
            .event = attempt.event,
            .number = attempt.attempts + 1,
            .replay = attempt.replay ? attempt.replay->id : std::string{},
            .listener = attempt.replay ? attempt.replay->listener : std::string{},
            .timeout = subscription_.delivery.timeout,
        },
        [this, slot](const Outcome& outcome) { ended(slot, outcome); }
    );
}

// One timer for whatever comes first: a due retry, the next interval of the pace, a probe.
void Delivery::arm_timer() {
    std::optional<MonoTime> when;
    auto consider = [&](MonoTime time) { when = when ? std::min(*when, time) : time; };
    auto now = [&] { return ports_.clock.now(); };  // mostly there is nothing to wait for
    if (is_active() && !stopping_ && !abandoned_) {
        if (ports_.writer.is_behind()) {
            consider(now() + StateWriter::kInterval);
        } else if (may_begin()) {
            if (circuit_->open() && (refused_by_circuit_ || exceptions_.to_probe(now()))) {
                if (auto probe = circuit_->next_probe(now())) {
                    consider(*probe);
                }
            } else if (auto due = exceptions_.next_due()) {
                consider(due->first);
            }
            if (examined_ >= kExaminedPerPump && !live_) {
                consider(now());
            }
        } else if (subscription_.delivery.pace &&
                   pace_used_ >= subscription_.delivery.pace->events) {
            consider(pace_began_ + subscription_.delivery.pace->every);
        }
    }
    if (timer_ != TimerId{} && when && *when == timer_at_) {
        return;
    }
    ports_.clock.cancel(timer_);
    timer_ = TimerId{};
    if (when) {
        timer_at_ = *when;
        timer_ = ports_.clock.call_at(*when, [this] {
            timer_ = TimerId{};
            pump();
        });
    }
}

void Delivery::replay(Replay replay) {
    replay_bytes_ += replay.bytes;
    replays_.push_back(std::move(replay));
    pump();
}

void Delivery::stop() {
    stopping_ = true;
    arm_timer();
}

void Delivery::abandon() {
    abandoned_ = true;
    end_probe();
    arm_timer();
}

void Delivery::save_under_way() {
    for (UnderWay& attempt : slots_) {
        if (attempt.kind != UnderWay::Kind::first) {
            continue;
        }
        attempt.kind = UnderWay::Kind::retry;
        exceptions_.add(
            attempt.offset,
            Exception{
                .waits = Exception::Waits::outcome,
                .attempts = attempt.attempts,
                .key = attempt.key,
                .due_wall = ports_.clock.wall(),
            }
        );
        store_exception(attempt.offset);
    }
    moved();
}

CursorRow Delivery::cursor_row() const {
    CursorRow row{.subscription = key_, .cursor = position(), .live = live_};
    for (const UnderWay& attempt : slots_) {
        if (attempt.kind == UnderWay::Kind::first) {
            row.cursor = std::min(row.cursor, attempt.offset);
            row.live = false;
        }
    }
    return row;
}

Offset Delivery::oldest_unsettled() const {
    Offset oldest = cursor_row().cursor;
    if (std::optional<Offset> exception = exceptions_.oldest()) {
        oldest = std::min(oldest, *exception);
    }
    return oldest;
}

void Delivery::dead_letter_purged(std::uint64_t count) {
    dead_ -= std::min(dead_, count);
}

Delivery::Figures Delivery::figures() const {
    return Figures{
        .retrying = exceptions_.size(),
        .in_flight = under_way_,
        .dead = dead_,
        .settled = settled_,
        .failed = failed_,
        .circuit_open = circuit_->open(),
        .last_error = last_error_,
    };
}

}  // namespace belfry
