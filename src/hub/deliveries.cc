#include "hub/deliveries.h"

#include "base/assert.h"
#include "base/logging.h"

#include <algorithm>

namespace belfry {

namespace {

// Stands in for a sink that cannot be made from a stored document: every attempt fails and says
// why.
class BrokenSink final : public Sink {
 public:
    BrokenSink(const SubscriptionKey& key, Error error)
        : endpoint_("broken:" + key), error_(std::move(error)) {}
    void attempt(Attempt, AttemptDone done) override {
        done(Outcome{.kind = Outcome::Kind::failed, .error = error_.detail});
    }
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    std::string endpoint_;
    Error error_;
};

// Where a subscription begins whose document is stored but whose cursor is not: a crash came
// between the two, before its creation was answered. By time it may begin a little early, never
// late.
Offset start_of(const Log& log, const Start& start) {
    if (std::holds_alternative<StartEarliest>(start)) {
        return log.first_offset();
    }
    if (const Offset* offset = std::get_if<Offset>(&start)) {
        return std::max(*offset, log.first_offset());
    }
    if (const WallTime* time = std::get_if<WallTime>(&start)) {
        for (const SegmentInfo& segment : log.segments()) {
            if (segment.newest >= *time) {
                return segment.first;
            }
        }
    }
    return log.next_offset();
}

}  // namespace

Deliveries::Deliveries(Ports ports, CircuitOptions circuits)
    : ports_(std::move(ports)),
      circuits_(circuits),
      reads_(ports_.clock, ports_.log),
      delivery_ports_{
          .clock = ports_.clock,
          .rng = ports_.rng,
          .log = ports_.log,
          .reads = reads_,
          .writer = ports_.writer,
          .circuits = circuits_,
          .counters = counters_,
          .noted = noted_,
          .moved =
              [this](Delivery& delivery) {
                  moved_.push_back(&delivery);
                  ports_.writer.touched();
              },
          .gone = [this](
                      Delivery& delivery, const std::string& reason
                  ) { ports_.disable(delivery.key(), reason); },
          .drained = [this](Delivery& delivery) { drained(delivery); },
      } {}

Deliveries::~Deliveries() = default;

void Deliveries::restore(StateSnapshot snapshot) {
    for (CursorRow& row : snapshot.cursors) {
        Offset cursor = row.live ? std::max(row.cursor, snapshot.live_mark) : row.cursor;
        starts_[row.subscription].cursor = cursor;
    }
    for (ExceptionRow& row : snapshot.exceptions) {
        auto at = starts_.find(row.subscription);
        if (at != starts_.end()) {
            at->second.exceptions.push_back(std::move(row));
        }
    }
}

void Deliveries::set_dead_counts(
    const std::vector<std::pair<SubscriptionKey, std::uint64_t>>& counts
) {
    for (const auto& [key, count] : counts) {
        auto at = starts_.find(key);
        if (at != starts_.end()) {
            at->second.dead = count;
        }
    }
}

void Deliveries::set_start(const SubscriptionKey& key, Offset start) {
    starts_[key] = DeliveryStart{.cursor = std::max(start, ports_.log.first_offset())};
}

void Deliveries::changed(const SubscriptionKey& key, const Subscription* subscription) {
    auto at = entries_.find(key);
    if (subscription == nullptr) {
        if (at != entries_.end()) {
            remove(key);
        }
    } else if (at == entries_.end()) {
        add(key, *subscription);
    } else {
        configure(at->second, *subscription);
    }
}

void Deliveries::add(const SubscriptionKey& key, const Subscription& subscription) {
    Result<std::unique_ptr<Sink>> sink = ports_.make_sink(subscription);
    if (!sink) {
        log_error(
            "a subscription has no usable sink",
            {{"subscription", key}, {"detail", sink.error().detail}}
        );
        sink = std::make_unique<BrokenSink>(key, sink.error());
    }
    DeliveryStart start{.cursor = start_of(ports_.log, subscription.start)};
    if (auto at = starts_.find(key); at != starts_.end()) {
        start = std::move(at->second);
        starts_.erase(at);
    }
    start.cursor = std::min(start.cursor, ports_.log.next_offset());
    if (free_ids_.empty()) {
        free_ids_.push_back(static_cast<MatchIndex::Id>(by_id_.size()));
        by_id_.push_back(nullptr);
    }
    MatchIndex::Id id = free_ids_.back();
    free_ids_.pop_back();
    auto delivery =
        std::make_unique<Delivery>(delivery_ports_, subscription, std::move(*sink), start);
    by_id_[id] = delivery.get();
    index_.insert(id, subscription.tenant, subscription.filter);
    Delivery& added = *delivery;
    entries_.emplace(key, Entry{.delivery = std::move(delivery), .id = id});
    delivery_ports_.moved(added);
    if (begun_) {
        added.pump();
    }
}

void Deliveries::configure(Entry& entry, const Subscription& subscription) {
    Result<std::unique_ptr<Sink>> sink = ports_.make_sink(subscription);
    if (!sink) {
        sink = std::make_unique<BrokenSink>(entry.delivery->key(), sink.error());
    }
    index_.erase(entry.id);
    index_.insert(entry.id, subscription.tenant, subscription.filter);
    entry.delivery->configure(subscription, std::move(*sink));
}

void Deliveries::remove(const SubscriptionKey& key) {
    auto node = entries_.extract(key);
    Entry& entry = node.mapped();
    index_.erase(entry.id);
    by_id_[entry.id] = nullptr;
    free_ids_.push_back(entry.id);
    std::erase(moved_, entry.delivery.get());
    entry.delivery->abandon();
    StateChanges& changes = ports_.writer.changes();
    // What was gathered for it must not come back after it is forgotten.
    std::erase_if(changes.exceptions, [&](const auto& row) { return row.subscription == key; });
    std::erase_if(changes.attempts, [&](const auto& row) { return row.subscription == key; });
    changes.forget.push_back(key);
    ports_.writer.touched();
    if (!entry.delivery->is_idle()) {
        removed_.push_back(std::move(entry.delivery));
    }
}

void Deliveries::drained(Delivery& delivery) {
    std::erase_if(removed_, [&](const auto& removed) { return removed.get() == &delivery; });
    if (!when_idle_) {
        return;
    }
    bool idle = removed_.empty() && std::ranges::all_of(entries_, [](const auto& entry) {
                    return entry.second.delivery->is_idle();
                });
    if (idle) {
        // Not from within the delivery that tells us.
        ports_.clock.call_after(Duration::zero(), std::exchange(when_idle_, nullptr));
    }
}

void Deliveries::begin() {
    begun_ = true;
    for (auto& [key, start] : std::exchange(starts_, {})) {
        ports_.writer.changes().forget.push_back(key);  // its document went in the crash
        ports_.writer.touched();
    }
    for_each([](Delivery& delivery) { delivery.pump(); });
}

void Deliveries::stop(Task idle) {
    for_each([](Delivery& delivery) { delivery.stop(); });
    bool busy = !removed_.empty() || std::ranges::any_of(entries_, [](const auto& entry) {
        return !entry.second.delivery->is_idle();
    });
    if (busy) {
        when_idle_ = std::move(idle);
    } else {
        idle();
    }
}

void Deliveries::save_under_way() {
    for_each([](Delivery& delivery) { delivery.save_under_way(); });
}

void Deliveries::durable(Offset first, Offset next) {
    if (entries_.empty()) {
        return;
    }
    for (Offset at = first; at < next;) {
        std::optional<ReadResult> batch = ports_.log.read_tail(at, ReadLimit{});
        if (!batch) {
            // Gone from memory already: whoever is live falls behind and reads it.
            for_each([&](Delivery& delivery) { delivery.miss(at); });
            return;
        }
        for (const LogEntry& entry : batch->entries) {
            const auto* event = std::get_if<StoredEvent>(&entry);
            if (event == nullptr) {
                continue;
            }
            matched_.clear();
            index_.match(event->event, matched_);
            for (MatchIndex::Id id : matched_) {
                if (by_id_[id] != nullptr) {
                    by_id_[id]->offer(*event);
                }
            }
        }
        ASSERT(batch->next > at);
        at = batch->next;
    }
    ports_.writer.touched();  // the live mark moved
}

void Deliveries::gather(StateChanges& changes) {
    changes.live_mark = ports_.log.next_offset();
    for (Delivery* delivery : moved_) {
        changes.cursors.push_back(delivery->cursor_row());
        delivery->row_gathered();
    }
    moved_.clear();
}

Delivery* Deliveries::find(const SubscriptionKey& key) {
    auto at = entries_.find(key);
    return at == entries_.end() ? nullptr : at->second.delivery.get();
}

const Delivery* Deliveries::find(const SubscriptionKey& key) const {
    auto at = entries_.find(key);
    return at == entries_.end() ? nullptr : at->second.delivery.get();
}

}  // namespace belfry
