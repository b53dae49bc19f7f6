#include "hub/state_writer.h"

#include "base/logging.h"

#include <iterator>
#include <utility>

namespace belfry {

namespace {

template <typename T>
void prepend(std::vector<T>& earlier, std::vector<T>& later) {
    earlier.insert(
        earlier.end(), std::make_move_iterator(later.begin()), std::make_move_iterator(later.end())
    );
    later = std::move(earlier);
}

// Puts what could not be written before what came since.
void put_back(StateChanges& failed, StateChanges& since) {
    for (const SubscriptionKey& key : since.forget) {
        std::erase_if(failed.cursors, [&](const auto& row) { return row.subscription == key; });
        std::erase_if(failed.exceptions, [&](const auto& row) { return row.subscription == key; });
        std::erase_if(failed.attempts, [&](const auto& row) { return row.subscription == key; });
    }
    prepend(failed.forget, since.forget);
    if (!since.live_mark) {
        since.live_mark = failed.live_mark;
    }
    prepend(failed.cursors, since.cursors);
    prepend(failed.exceptions, since.exceptions);
    prepend(failed.attempts, since.attempts);
    prepend(failed.dead_letters, since.dead_letters);
    prepend(failed.erase_dead_letters, since.erase_dead_letters);
}

}  // namespace

StateWriter::StateWriter(Clock& clock, State& state) : clock_(clock), state_(state) {}

StateWriter::~StateWriter() {
    clock_.cancel(timer_);
}

void StateWriter::touched() {
    if (committing_) {
        return;  // the end of that commit begins the next
    }
    // Never commits from here: the caller may be half way through a change whose parts belong
    // together.
    if (waiting_.size() >= kChangesPerCommit) {
        if (!soon_) {
            soon_ = true;
            arm(Duration::zero());
        }
    } else if (timer_ == TimerId{}) {
        arm(kInterval);
    }
}

void StateWriter::add_dead_letter(DeadLetterRow row) {
    unsaved_bytes_ += row.record.size();
    waiting_.dead_letters.push_back(std::move(row));
    touched();
}

void StateWriter::flush(Task done) {
    enqueue({[done = std::move(done)](Result<void> /*saved*/) mutable { done(); }, true});
}

void StateWriter::try_flush(std::move_only_function<void(Result<void>)> done) {
    enqueue({std::move(done), false});
}

void StateWriter::enqueue(Waiting waiting) {
    waiting_done_.push_back(std::move(waiting));
    if (!committing_) {
        commit();
    }
}

void StateWriter::arm(Duration delay) {
    clock_.cancel(timer_);
    timer_ = clock_.call_after(delay, [this] {
        timer_ = TimerId{};
        if (!committing_) {
            commit();
        }
    });
}

void StateWriter::commit() {
    clock_.cancel(timer_);
    timer_ = TimerId{};
    soon_ = false;
    if (gather_) {
        gather_(waiting_);
    }
    under_way_ = std::exchange(waiting_, {});
    under_way_bytes_ = unsaved_bytes_;
    under_way_done_ = std::exchange(waiting_done_, {});
    committing_ = true;
    if (under_way_.empty()) {
        committed({});
        return;
    }
    // The copy is kept until the commit is known to have succeeded.
    state_.commit(under_way_, [this](Result<void> result) { committed(std::move(result)); });
}

void StateWriter::committed(Result<void> result) {
    committing_ = false;
    if (!result) {
        if (!failing_) {
            log_error("delivery state cannot be saved", {{"detail", result.error().detail}});
        }
        failing_ = true;
        if (result.error().code == Errc::disk_full && disk_full_) {
            disk_full_(result.error().detail);
        }
        put_back(under_way_, waiting_);
        std::vector<Waiting> patient;
        std::vector<Waiting> told;
        for (Waiting& each : std::exchange(under_way_done_, {})) {
            (each.patient ? patient : told).push_back(std::move(each));
        }
        prepend(patient, waiting_done_);
        arm(kRetryInterval);
        for (Waiting& each : told) {
            each.done(fail(
                Errc::unavailable,
                "Delivery state cannot be saved at the moment. What was asked for is kept and will "
                "be saved when the disk takes it."
            ));
        }
        return;
    }
    if (failing_) {
        log_info("delivery state is saved again");
    }
    failing_ = false;
    under_way_ = {};
    unsaved_bytes_ -= under_way_bytes_;
    for (Waiting& each : std::exchange(under_way_done_, {})) {
        each.done({});
    }
    if (committing_) {
        return;  // a task above flushed again
    }
    if (!waiting_done_.empty()) {
        commit();
    } else if (!waiting_.empty()) {
        touched();
    }
}

}  // namespace belfry
