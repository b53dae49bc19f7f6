#include "hub/dead_letters.h"

#include "base/fixed_limits.h"
#include "engine/dead_letter_query.h"
#include "event/record.h"

#include <fmt/format.h>

namespace belfry {

DeadLetters::DeadLetters(Rng& rng, State& state, StateWriter& writer, Deliveries& deliveries)
    : rng_(rng), state_(state), writer_(writer), deliveries_(deliveries) {}

namespace {

// A range has no type and tells only how many events a subscription missed.
bool may_see(const Caller& caller, const DeadLetterRow& row) {
    return row.range || caller.may(Resource::event, Verb::read, row.type);
}

// The dead letter, if it is for the caller.
Result<DeadLetterRow> as_told_to(const Caller& caller, Result<DeadLetterRow> row) {
    if (row && !may_see(caller, *row)) {
        return no_dead_letter(row->id);
    }
    return row;
}

}  // namespace

// What the deliveries gave up on a moment ago is written first, so that it is on the page.
void DeadLetters::list(
    const Caller& caller,
    DeadLetterQuery query,
    std::move_only_function<void(Result<DeadLetterPage>)> done
) {
    auto readable = [caller, done = std::move(done)](Result<DeadLetterPage> page) mutable {
        if (page) {
            std::erase_if(page->rows, [&](const auto& row) { return !may_see(caller, row); });
        }
        done(std::move(page));
    };
    writer_.try_flush([this,
                       query = std::move(query),
                       readable = std::move(readable)](Result<void> saved) mutable {
        if (!saved) {
            readable(std::unexpected(saved.error()));
            return;
        }
        state_.list_dead_letters(std::move(query), std::move(readable));
    });
}

void DeadLetters::replay(
    const Caller& caller, std::string id, std::move_only_function<void(Result<std::string>)> done
) {
    state_.get_dead_letter(
        caller.tenant,
        std::move(id),
        [this, caller, done = std::move(done)](Result<DeadLetterRow> found) mutable {
            Result<DeadLetterRow> row = as_told_to(caller, std::move(found));
            if (!row) {
                done(std::unexpected(row.error()));
                return;
            }
            std::string replay_id = new_replay_id();
            Result<void> queued = queue(std::move(*row), replay_id, caller);
            if (!queued) {
                done(std::unexpected(queued.error()));
                return;
            }
            done(std::move(replay_id));
        }
    );
}

void DeadLetters::replay_all(const Caller& caller, DeadLetterQuery query, ReplayedDone done) {
    query.limit = 1'000;
    query.after.clear();
    Replaying replaying{
        .caller = caller, .query = std::move(query), .id = new_replay_id(), .done = std::move(done)
    };
    writer_.try_flush([this, replaying = std::move(replaying)](Result<void> saved) mutable {
        if (!saved) {
            replaying.done(std::unexpected(saved.error()));
            return;
        }
        replay_page(std::move(replaying));
    });
}

void DeadLetters::replay_page(Replaying replaying) {
    DeadLetterQuery query = replaying.query;
    state_.list_dead_letters(
        std::move(query),
        [this, replaying = std::move(replaying)](Result<DeadLetterPage> page) mutable {
            if (!page) {
                replaying.done(std::unexpected(page.error()));
                return;
            }
            bool full = false;
            for (DeadLetterRow& row : page->rows) {
                if (full || !may_see(replaying.caller, row)) {
                    continue;
                }
                const Result<void> queued = queue(std::move(row), replaying.id, replaying.caller);
                replaying.queued += queued ? 1 : 0;
                // Of several subscriptions another one may have room.
                full = replaying.queued >= kReplaysMax ||
                       (!queued && queued.error().code == Errc::rate_limited &&
                        !replaying.query.subscription.empty());
            }
            if (!page->next || full) {
                replaying.done(std::pair{std::move(replaying.id), replaying.queued});
                return;
            }
            replaying.query.after = std::move(*page->next);
            replay_page(std::move(replaying));
        }
    );
}

Result<void> DeadLetters::queue(
    DeadLetterRow row, const std::string& replay_id, const Caller& caller
) {
    if (row.range) {
        return fail(
            Errc::bad_request,
            "a range cannot be replayed: the log has dropped its events or cannot read them"
        );
    }
    Delivery* delivery = deliveries_.find(row.subscription);
    if (delivery == nullptr) {
        return fail(Errc::conflict, "its subscription is gone; create it again to replay");
    }
    if (delivery->waiting_replays() >= kReplaysMax ||
        delivery->waiting_replay_bytes() >= kReplayBytesMax) {
        return fail(
            Errc::rate_limited, "as many replays wait already as this subscription may have"
        );
    }
    auto record = std::make_shared<const std::vector<std::byte>>(std::move(row.record));
    Result<StoredEvent> event = decode_record(*record, row.offset, record);
    if (!event) {
        return std::unexpected(event.error());
    }
    std::uint32_t attempts = row.attempts.empty() ? 0 : row.attempts.back().attempt;
    delivery->replay(Replay{
        .dead_letter = std::move(row.id),
        .listener = std::move(row.listener),
        .event = std::move(*event),
        .bytes = record->size(),
        .attempts = attempts,
        .id = replay_id,
        .grant = caller.grant,
    });
    return {};
}

void DeadLetters::purge(
    const Caller& caller, std::string id, std::move_only_function<void(Result<void>)> done
) {
    state_.get_dead_letter(
        caller.tenant,
        id,
        [this, id, caller, done = std::move(done)](Result<DeadLetterRow> found) mutable {
            Result<DeadLetterRow> row = as_told_to(caller, std::move(found));
            if (!row) {
                done(std::unexpected(row.error()));
                return;
            }
            if (Delivery* delivery = deliveries_.find(row->subscription)) {
                delivery->dead_letter_purged(row->range ? row->range->count : 1);
            }
            writer_.changes().erase_dead_letters.push_back(std::move(id));
            writer_.touched();
            writer_.try_flush(std::move(done));
        }
    );
}

std::string DeadLetters::new_replay_id() {
    return fmt::format("rp_{:016x}", rng_.next());
}

}  // namespace belfry
