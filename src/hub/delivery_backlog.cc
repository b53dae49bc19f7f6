// Which events a delivery takes next: those it is offered while it is live, those that were noted
// for it, and those it finds in the log.
#include "base/logging.h"
#include "hub/delivery.h"

#include <algorithm>

namespace belfry {

namespace {

using std::chrono::milliseconds;

// What is read ahead at once by a delivery that is behind.
constexpr ReadLimit kReadAhead{.events = 64, .bytes = 256 * 1024};

}  // namespace

void Delivery::offer(const StoredEvent& event) {
    if (event.offset < position_) {
        return;
    }
    if (!live_) {
        if (noted_.is_open()) {
            noted_.add(event.offset);
        }
        return;
    }
    bool room =
        may_begin() && exceptions_.size() + under_way_ < subscription_.delivery.max_unsettled;
    bool in_order =
        subscription_.delivery.order != DeliveryPolicy::Order::all || exceptions_.empty();
    if (!room || !in_order || !replays_.empty() || exceptions_.due_at(ports_.clock.now())) {
        note(event.offset);
        pump();
        return;
    }
    if (take(event) == Step::nothing) {
        note(event.offset);
        arm_timer();
    }
}

// The first that it cannot take.
void Delivery::note(Offset offset) {
    fall_behind(offset);
    noted_.open();
    noted_.add(offset);
}

void Delivery::miss(Offset from) {
    if (live_) {
        fall_behind(std::max(from, position_));
        pump();
    } else {
        noted_.close(std::max(from, position_));
    }
}

void Delivery::fall_behind(Offset position) {
    live_ = false;
    position_ = position;
    moved();
}

// Everything below `next` is examined, and more where the index did it.
void Delivery::pass_to(Offset next) {
    position_ = next;
    noted_.drop_below(next);
    if (!noted_.empty()) {
        position_ = noted_.front();
    } else if (noted_.is_open()) {
        noted_.clear();
        live_ = true;
    } else if (noted_.end() > next) {
        position_ = noted_.end();
    }
    while (read_ < buffer_.size() && end_of(buffer_[read_]) <= position_) {
        ++read_;
    }
    if (read_ == buffer_.size()) {
        got({});  // entries hold whole batches of the log
    }
    moved();
}

Delivery::Step Delivery::take_next() {
    const DeliveryPolicy& policy = subscription_.delivery;
    bool in_order = policy.order != DeliveryPolicy::Order::all || exceptions_.empty();
    if (live_ || !in_order || exceptions_.size() + under_way_ >= policy.max_unsettled) {
        return Step::nothing;
    }
    while (!live_ && examined_ < kExaminedPerPump && fill_buffer()) {
        ++examined_;
        const LogEntry& entry = buffer_[read_];
        if (const Gap* gap = std::get_if<Gap>(&entry)) {
            pass_unread(gap->to);
            return Step::progress;
        }
        const StoredEvent& event = std::get<StoredEvent>(entry);
        if (wants(event)) {
            return take(event);
        }
        pass_to(event.offset.next());
    }
    return Step::nothing;
}

bool Delivery::wants(const StoredEvent& event) const {
    return event.event.tenant == subscription_.tenant && subscription_.filter.matches(event.event);
}

// True if there is an entry to examine in the buffer.
bool Delivery::fill_buffer() {
    if (read_ < buffer_.size()) {
        return true;
    }
    if (reading_) {
        return false;
    }
    if (position_ >= ports_.log.next_offset()) {
        live_ = true;
        moved();
        return false;
    }
    const std::size_t events = noted_.empty() ? kReadAhead.events : noted_.run(kReadAhead.events);
    const ReadLimit limit{.events = events, .bytes = kReadAhead.bytes};
    if (std::optional<ReadResult> tail = ports_.log.read_tail(position_, limit)) {
        got(std::move(tail->entries));
    } else {
        examined_ += kReadCost;
        read_more(events);
    }
    return read_ < buffer_.size();
}

void Delivery::got(std::vector<LogEntry> entries) {
    buffer_ = std::move(entries);
    read_ = 0;
}

void Delivery::read_more(std::size_t events) {
    reading_ = true;
    ports_.reads.read(position_, events, [this, from = position_](Result<ReadResult> result) {
        reading_ = false;
        if (abandoned_ || stopping_) {
            if (is_idle()) {
                ports_.drained(*this);
            }
            return;
        }
        if (from != position_ || live_) {
            pump();  // retention or a new configuration moved it meanwhile
            return;
        }
        if (!result) {
            if (result.error().code == Errc::offset_expired && result.error().first_offset) {
                // Retention leaves a dead-letter range before it passes a subscription; here the
                // log began later than the stored position, after data loss that an operator
                // accepted.
                pass_unread(Offset{*result.error().first_offset});
                pump();
                return;
            }
            log_warn(
                "deliveries cannot read",
                {{"subscription", key_}, {"detail", result.error().detail}}
            );
            ports_.clock.cancel(timer_);
            timer_at_ = ports_.clock.now() + kReadAgain;
            timer_ = ports_.clock.call_at(timer_at_, [this] {
                timer_ = TimerId{};
                pump();
            });
            return;
        }
        got(std::move(result->entries));
        pump();
    });
}

}  // namespace belfry
