// Delivery: one subscription at work. Knows how far the subscription is, what is under way, what
// waits; begins attempts when order, pace, circuit and bounds allow, and settles, retries or
// dead-letters by their outcome.
//
// It is *live* when it has examined the whole log: then the match index offers it each new event
// and it reads nothing. When it cannot take an event it falls behind: the index goes on noting what
// matches, and it reads those at its own pace; when they are too many, it examines the log itself
// after them. Either way its backlog is a position and the exceptions below it, not objects.
//
// Owned by Deliveries; what DeliveryPorts names must outlive it. I/O thread only. Sinks and the log
// may call back before they return.
#pragma once

#include "base/clock.h"
#include "base/duration_histogram.h"
#include "base/rng.h"
#include "catalog/subscription.h"
#include "engine/log.h"
#include "engine/state.h"
#include "hub/access.h"
#include "hub/attempt_history.h"
#include "hub/circuit.h"
#include "hub/exceptions.h"
#include "hub/noted_matches.h"
#include "hub/shared_reads.h"
#include "hub/sink.h"
#include "hub/state_writer.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belfry {

class Delivery;

// What all deliveries share.
struct DeliveryCounters {
    std::uint64_t settled = 0;
    std::uint64_t failed_attempts = 0;
    std::uint64_t dead_lettered = 0;
    std::uint64_t exhausted = 0;  // of those, after the last attempt
    DurationHistogram attempts;   // how long each took
    DurationHistogram lag;        // of each settled event, since it was recorded
};
struct DeliveryPorts {
    Clock& clock;
    Rng& rng;
    Log& log;
    SharedReads& reads;
    StateWriter& writer;
    Circuits& circuits;
    DeliveryCounters& counters;
    std::uint64_t& noted;                  // NotedMatches' budget
    std::function<void(Delivery&)> moved;  // its cursor row changed, first since row_gathered()
    std::function<void(Delivery&, const std::string& reason)> gone;  // the endpoint answered 410
    std::function<void(Delivery&)> drained;  // nothing is under way any more
};

// Where a delivery begins: what the last run stored, or the start of a new subscription.
struct DeliveryStart {
    Offset cursor;
    std::vector<ExceptionRow> exceptions;
    std::uint64_t dead = 0;
};

// A dead letter that is to be attempted again, out of order.
struct Replay {
    std::string dead_letter;  // its id
    std::string listener;     // whose it is; empty: the subscription's
    StoredEvent event;
    std::size_t bytes = 0;               // of its record
    std::uint32_t attempts = 0;          // so far
    std::string id;                      // Belfry-Replay
    std::shared_ptr<const Grant> grant;  // of who asked for it
};

class Delivery {
 public:
    Delivery(
        const DeliveryPorts& ports,
        const Subscription& subscription,
        std::shared_ptr<Sink> sink,
        const DeliveryStart& start
    );
    ~Delivery();
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    // The document changed. The position stays; attempts under way end by the old sink.
    void configure(const Subscription& subscription, std::shared_ptr<Sink> sink);
    // A new event that matches. Who is behind notes it, or will find it in the log.
    void offer(const StoredEvent& event);
    // New events from `from` on could not be offered: reads them.
    void miss(Offset from);
    // Begins whatever may begin now. Called when anything changed that could allow it.
    void pump();
    void replay(Replay replay);
    [[nodiscard]] std::size_t waiting_replays() const { return replays_.size(); }
    [[nodiscard]] std::size_t waiting_replay_bytes() const { return replay_bytes_; }
    // Begins nothing any more; outcomes of what is under way still count. For the hub's stop.
    void stop();
    // The subscription is gone: outcomes no longer count. Destroy it when it is_idle().
    void abandon();
    // Turns what is under way into exceptions, so that a stop loses no position.
    void save_under_way();
    // Retention is about to drop what lies below `before`: the unexamined part becomes a
    // dead-letter range of `count` events and the position moves. Exceptions below must have been
    // dead-lettered.
    void expire_before(Offset before, std::uint64_t count);
    // Gives up on an exception whose event retention drops; nullptr: and which nobody can read.
    void expire_exception(Offset offset, const StoredEvent* event);

    [[nodiscard]] const SubscriptionKey& key() const { return key_; }
    [[nodiscard]] const Subscription& subscription() const { return subscription_; }
    [[nodiscard]] std::shared_ptr<Sink> sink() const { return sink_; }
    [[nodiscard]] CursorRow cursor_row() const;
    void row_gathered() { moved_ = false; }
    [[nodiscard]] bool is_idle() const { return under_way_ == 0 && !reading_; }
    [[nodiscard]] bool is_active() const;
    // Tenant and filter.
    [[nodiscard]] bool wants(const StoredEvent& event) const;
    // Where it reads on; the log's end when live.
    [[nodiscard]] Offset position() const { return live_ ? ports_.log.next_offset() : position_; }
    // Every event below is settled or dead-lettered (or does not match).
    [[nodiscard]] Offset oldest_unsettled() const;
    [[nodiscard]] const Exceptions& exceptions() const { return exceptions_; }
    [[nodiscard]] const AttemptHistory& history() const { return history_; }
    void dead_letter_purged(std::uint64_t count);

    struct Figures {
        std::uint64_t retrying = 0;
        std::uint64_t in_flight = 0;
        std::uint64_t dead = 0;
        std::uint64_t settled = 0;
        std::uint64_t failed = 0;  // attempts
        bool circuit_open = false;
        std::string last_error;
    };
    [[nodiscard]] Figures figures() const;

 private:
    // One attempt under way. Slots are reused; their number is what the sink's answer carries.
    struct UnderWay {
        enum class Kind : std::uint8_t { free, reading, first, retry, replay };
        Kind kind = Kind::free;
        Offset offset;
        StoredEvent event;
        std::uint32_t attempts = 0;  // before this one
        OrderKey key;
        bool probe = false;  // or before the event is due: leaves the schedule as it is
        MonoTime began;
        WallTime began_wall;
        std::shared_ptr<Sink> sink;
        std::unique_ptr<Replay> replay;
    };
    using Slot = std::uint32_t;
    // Events a delivery examines before it leaves the loop to others.
    static constexpr std::uint64_t kExaminedPerPump = 2'000;
    // Of a read of the log, in examined events: matches that lie apart are a read each, and the
    // others would wait for 2,000 of them.
    static constexpr std::uint64_t kReadCost = 32;
    // After a read that failed for a reason that may pass.
    static constexpr std::chrono::milliseconds kReadAgain{5'000};
    enum class Step : bool { nothing, progress };

    void restore(const DeliveryStart& start);
    void moved();
    Step step();
    Step step_while_open();
    Step begin_retry(Offset offset);
    // Tenants do not learn from it how others fare, nor keep them from an endpoint.
    [[nodiscard]] std::string circuit_name() const {
        return subscription_.tenant + " " + endpoint_;
    }
    void drop_refused_replays();
    Replay take_replay();
    Step begin_replay();
    Step take_next();
    Step take(const StoredEvent& event);
    bool fill_buffer();
    void read_more(std::size_t events);
    void fall_behind(Offset position);
    void note(Offset offset);
    void pass_to(Offset next);
    void got(std::vector<LogEntry> entries);
    [[nodiscard]] bool may_begin();
    [[nodiscard]] OrderKey order_key(const Event& event) const;
    // Asks the circuit; a refusal is remembered for the timer.
    [[nodiscard]] bool admit(Circuit::Turn of, bool& probe);
    [[nodiscard]] bool is_behind_another(Circuit::Turn of, MonoTime now);
    [[nodiscard]] Slot take_slot();
    void free_slot(Slot slot);
    void begin(Slot slot);
    void read_retry(Slot slot);
    void got_retry(Slot slot, Result<ReadResult> result);
    void read_again(Offset offset);
    void ended(Slot slot, const Outcome& outcome);
    void note_endpoint(const UnderWay& attempt, const Outcome& outcome);
    void note_success(const UnderWay& attempt, const Outcome& outcome);
    void end_probe();
    // The event that was to probe, or to be tried early, was not sent: another one may be at once.
    void return_probe();
    void forget_unwanted();
    void note_failure(const UnderWay& attempt, const Outcome& outcome);
    // When it is tried again; nullopt if it became a dead letter instead.
    std::optional<WallTime> retry_later(const UnderWay& attempt, const Outcome& outcome);
    void settle(const UnderWay& attempt);
    void give_up(
        const UnderWay& attempt, std::string_view reason, const std::vector<std::string>& listeners
    );
    void write_dead_letter(
        const UnderWay& attempt, std::string_view reason, const std::string& listener
    );
    // Of an exception that there is no event to keep a copy of.
    void give_up_unread(Offset offset, std::string_view reason);
    void pass_unread(Offset to);
    void write_range(DeadLetterRange range, std::string_view reason);
    void replay_ended(const UnderWay& attempt, const Outcome& outcome);
    void leave_key(OrderKey key, Offset offset);
    void drop_exception(Offset offset);
    // Drops it, and what waits for its key goes on.
    void release_exception(Offset offset);
    void store_exception(Offset offset);
    [[nodiscard]] MonoTime due_after(std::uint32_t step, const Outcome& outcome);
    [[nodiscard]] AttemptRow attempt_row(const UnderWay& attempt, const Outcome& outcome) const;
    void arm_timer();
    void wake_circuit();

    // Constant after construction.
    const DeliveryPorts& ports_;
    const SubscriptionKey key_;
    // Configuration; replaced by configure().
    Subscription subscription_;
    std::shared_ptr<Sink> sink_;
    std::string endpoint_;
    Circuit* circuit_ = nullptr;
    // Position.
    bool live_ = false;
    Offset position_;     // everything below was examined; while live, what is at or above is still
                          // offered
    NotedMatches noted_;  // not while live
    std::vector<LogEntry> buffer_;  // read ahead
    std::size_t read_ = 0;          // where in it position_ is
    bool reading_ = false;
    std::uint64_t examined_ = 0;  // in this pump, to leave the loop to others
    // Unsettled.
    std::vector<UnderWay> slots_;
    std::vector<Slot> free_slots_;
    std::uint32_t under_way_ = 0;
    Exceptions exceptions_;
    KeyOrder key_order_;
    std::deque<Replay> replays_;
    std::size_t replay_bytes_ = 0;  // of them
    // Pace.
    MonoTime pace_began_{};
    std::uint32_t pace_used_ = 0;
    // Control.
    bool stopping_ = false;
    bool abandoned_ = false;
    bool moved_ = false;
    bool pumping_ = false;
    bool pump_again_ = false;
    bool tries_early_ = false;  // one event that failed, though none is due
    bool refused_by_circuit_ = false;
    bool first_waits_ = false;  // of what was refused, an event that was never attempted
    TimerId timer_;
    MonoTime timer_at_{};
    // Statistics.
    AttemptHistory history_;
    std::uint64_t settled_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t dead_ = 0;
    std::string last_error_;
};

}  // namespace belfry
