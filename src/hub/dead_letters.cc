#include "hub/dead_letters.h"

#include "event/record.h"

#include <fmt/format.h>

namespace belfry {

DeadLetters::DeadLetters(Rng& rng, State& state, StateWriter& writer, Deliveries& deliveries)
    : rng_(rng), state_(state), writer_(writer), deliveries_(deliveries) {}

// What the deliveries gave up on a moment ago is written first, so that it is on the page.
void DeadLetters::list(
    DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done
) {
    writer_.flush([this, query = std::move(query), done = std::move(done)]() mutable {
        state_.list_dead_letters(std::move(query), std::move(done));
    });
}

void DeadLetters::replay(
    std::string tenant, std::string id, std::move_only_function<void(Result<std::string>)> done
) {
    state_.get_dead_letter(
        std::move(tenant),
        std::move(id),
        [this, done = std::move(done)](Result<DeadLetterRow> row) mutable {
            if (!row) {
                done(std::unexpected(row.error()));
                return;
            }
            std::string replay_id = new_replay_id();
            Result<void> queued = queue(std::move(*row), replay_id);
            if (!queued) {
                done(std::unexpected(queued.error()));
                return;
            }
            done(std::move(replay_id));
        }
    );
}

void DeadLetters::replay_all(DeadLetterQuery query, ReplayedDone done) {
    query.limit = 1'000;
    query.after.clear();
    writer_.flush([this, query = std::move(query), done = std::move(done)]() mutable {
        replay_page(std::move(query), new_replay_id(), 0, std::move(done));
    });
}

void DeadLetters::replay_page(
    DeadLetterQuery query, std::string replay_id, std::uint64_t queued, ReplayedDone done
) {
    DeadLetterQuery page_query = query;
    state_.list_dead_letters(
        std::move(page_query),
        [this,
         query = std::move(query),
         replay_id = std::move(replay_id),
         queued,
         done = std::move(done)](Result<DeadLetterPage> page) mutable {
            if (!page) {
                done(std::unexpected(page.error()));
                return;
            }
            for (DeadLetterRow& row : page->rows) {
                if (queued < kReplayMax && queue(std::move(row), replay_id)) {
                    ++queued;
                }
            }
            if (!page->next || queued >= kReplayMax) {
                done(std::pair{std::move(replay_id), queued});
                return;
            }
            query.after = std::move(*page->next);
            replay_page(std::move(query), std::move(replay_id), queued, std::move(done));
        }
    );
}

Result<void> DeadLetters::queue(DeadLetterRow row, const std::string& replay_id) {
    if (row.range) {
        return fail(
            Errc::bad_request, "a range of expired events cannot be replayed: the log dropped them"
        );
    }
    Delivery* delivery = deliveries_.find(row.subscription);
    if (delivery == nullptr) {
        return fail(Errc::conflict, "its subscription is gone; create it again to replay");
    }
    if (delivery->waiting_replays() >= kReplayMax) {
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
        .event = std::move(*event),
        .attempts = attempts,
        .id = replay_id,
    });
    return {};
}

void DeadLetters::purge(
    std::string tenant, std::string id, std::move_only_function<void(Result<void>)> done
) {
    state_.get_dead_letter(
        std::move(tenant),
        id,
        [this, id, done = std::move(done)](Result<DeadLetterRow> row) mutable {
            if (!row) {
                done(std::unexpected(row.error()));
                return;
            }
            if (Delivery* delivery = deliveries_.find(row->subscription)) {
                delivery->dead_letter_purged(row->range ? row->range->count : 1);
            }
            writer_.changes().erase_dead_letters.push_back(std::move(id));
            writer_.touched();
            writer_.flush([done = std::move(done)]() mutable { done({}); });
        }
    );
}

std::string DeadLetters::new_replay_id() {
    return fmt::format("rp_{:016x}", rng_.next());
}

}  // namespace belfry
