#include "engine/memory_state.h"

#include "engine/dead_letter_query.h"
#include "engine/page_token.h"

#include <algorithm>
#include <set>
#include <utility>

namespace belfry {

Result<StateSnapshot> MemoryState::load() {
    StateSnapshot snapshot;
    snapshot.live_mark = live_mark_;
    snapshot.next_offset = next_offset_;
    for (const auto& [key, row] : cursors_) {
        snapshot.cursors.push_back(row);
    }
    for (const auto& [key, row] : exceptions_) {
        snapshot.exceptions.push_back(row);
    }
    return snapshot;
}

void MemoryState::commit(StateChanges changes, std::move_only_function<void(Result<void>)> done) {
    device_.write([this, changes = std::move(changes), done = std::move(done)](const Error* failure
                  ) mutable {
        Result<void> result;
        if (failure != nullptr) {
            result = std::unexpected(*failure);
        } else {
            apply(std::move(changes));
        }
        device_.answer([done = std::move(done), result = std::move(result)]() mutable {
            done(std::move(result));
        });
    });
}

void MemoryState::apply(StateChanges changes) {
    for (const SubscriptionKey& subscription : changes.forget) {
        forget(subscription);
    }
    if (changes.live_mark) {
        live_mark_ = *changes.live_mark;
        saw(live_mark_);
    }
    for (CursorRow& row : changes.cursors) {
        saw(row.cursor);
        SubscriptionKey key = row.subscription;
        cursors_.insert_or_assign(std::move(key), std::move(row));
    }
    std::set<SubscriptionKey> touched;
    for (AttemptRow& row : changes.attempts) {
        touched.insert(row.subscription);
        keep_attempt(std::move(row));
    }
    for (DeadLetterRow& row : changes.dead_letters) {
        keep_dead_letter(std::move(row));
    }
    for (ExceptionRow& row : changes.exceptions) {
        EventKey key{row.subscription, row.offset};
        if (row.erased) {
            exceptions_.erase(key);
            touched.insert(row.subscription);
        } else {
            saw(row.offset.next());
            exceptions_.insert_or_assign(std::move(key), std::move(row));
        }
    }
    for (const std::string& id : changes.erase_dead_letters) {
        if (auto found = dead_letter_ids_.find(id); found != dead_letter_ids_.end()) {
            touched.insert(dead_letters_.at(found->second).subscription);
            dead_letters_.erase(found->second);
            dead_letter_ids_.erase(found);
        }
    }
    for (const SubscriptionKey& subscription : touched) {
        prune_attempts(subscription);
    }
}

void MemoryState::forget(const SubscriptionKey& subscription) {
    cursors_.erase(subscription);
    std::erase_if(exceptions_, [&](const auto& entry) {
        return entry.first.first == subscription;
    });
    std::erase_if(attempts_, [&](const auto& entry) {
        return entry.first.first == subscription && !has_dead_letter(entry.first);
    });
}

bool MemoryState::has_dead_letter(const EventKey& event) const {
    return std::ranges::any_of(dead_letters_, [&](const auto& entry) {
        return entry.second.subscription == event.first && entry.second.offset == event.second;
    });
}

// Of events that are neither exceptions nor dead letters only the newest attempts stay.
void MemoryState::prune_attempts(const SubscriptionKey& subscription) {
    std::vector<EventKey> settled;
    std::vector<std::uint64_t> positions;
    auto at = attempts_.lower_bound({subscription, Offset{}});
    for (; at != attempts_.end() && at->first.first == subscription; ++at) {
        if (!exceptions_.contains(at->first) && !has_dead_letter(at->first)) {
            settled.push_back(at->first);
            std::ranges::transform(
                at->second, std::back_inserter(positions), &KeptAttempt::position
            );
        }
    }
    std::size_t kept = cursors_.contains(subscription) ? kSettledAttempts : 0;
    if (positions.size() <= kept) {
        return;
    }
    std::ranges::sort(positions, std::greater{});
    std::uint64_t newest_dropped = positions[kept];
    for (const EventKey& event : settled) {
        std::deque<KeptAttempt>& attempts = attempts_.at(event);
        std::erase_if(attempts, [&](const KeptAttempt& attempt) {
            return attempt.position <= newest_dropped;
        });
        if (attempts.empty()) {
            attempts_.erase(event);
        }
    }
}

void MemoryState::keep_attempt(AttemptRow row) {
    saw(row.offset.next());
    std::deque<KeptAttempt>& kept = attempts_[{row.subscription, row.offset}];
    kept.push_back({++position_, std::move(row)});
    if (kept.size() > kAttemptsPerEvent) {
        kept.pop_front();
    }
}

void MemoryState::keep_dead_letter(DeadLetterRow row) {
    saw(row.range ? row.range->to : row.offset.next());
    auto [known, is_new] = dead_letter_ids_.try_emplace(row.id, position_ + 1);
    if (is_new) {
        ++position_;
        dead_letters_.emplace(known->second, std::move(row));
    }
}

void MemoryState::saw(Offset next) {
    next_offset_ = std::max(next_offset_, next);
}

DeadLetterRow MemoryState::with_attempts(DeadLetterRow row) const {
    row.attempts = attempts(row.subscription, row.offset);
    std::ranges::reverse(row.attempts);
    return row;
}

Result<DeadLetterPage> MemoryState::page(const DeadLetterQuery& query) const {
    Result<std::uint64_t> after = parse_page_token(query.after);
    if (!after) {
        return std::unexpected(after.error());
    }
    std::size_t limit = dead_letter_page_size(query);
    std::optional<TypePattern> type = dead_letter_type(query);
    DeadLetterPage page;
    std::uint64_t last = 0;
    std::size_t bytes = 0;
    for (auto at = dead_letters_.upper_bound(*after); at != dead_letters_.end(); ++at) {
        const DeadLetterRow& row = at->second;
        bool matches = row.tenant == query.tenant &&
                       (query.subscription.empty() || row.subscription == query.subscription) &&
                       (!type || (!row.type.empty() && type->matches(row.type))) &&
                       (!query.since || row.at >= *query.since);
        if (!matches) {
            continue;
        }
        if (page.rows.size() == limit || bytes >= kDeadLetterBytesPerPage) {
            page.next = page_token(last);
            break;
        }
        page.rows.push_back(with_attempts(row));
        bytes += row.record.size();
        last = at->first;
    }
    return page;
}

void MemoryState::list_dead_letters(
    DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done
) {
    device_.read([this, query = std::move(query), done = std::move(done)](const Error*) mutable {
        device_.answer([done = std::move(done), result = page(query)]() mutable {
            done(std::move(result));
        });
    });
}

void MemoryState::get_dead_letter(
    std::string tenant, std::string id, std::move_only_function<void(Result<DeadLetterRow>)> done
) {
    device_.read([this,
                  tenant = std::move(tenant),
                  id = std::move(id),
                  done = std::move(done)](const Error*) mutable {
        Result<DeadLetterRow> result = no_dead_letter(id);
        if (auto known = dead_letter_ids_.find(id); known != dead_letter_ids_.end()) {
            const DeadLetterRow& row = dead_letters_.at(known->second);
            if (row.tenant == tenant) {
                result = with_attempts(row);
            }
        }
        device_.answer([done = std::move(done), result = std::move(result)]() mutable {
            done(std::move(result));
        });
    });
}

void MemoryState::count_dead_letters(
    std::move_only_function<void(Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>>)>
        done
) {
    device_.read([this, done = std::move(done)](const Error*) mutable {
        std::map<SubscriptionKey, std::uint64_t> counts;
        for (const auto& [position, row] : dead_letters_) {
            counts[row.subscription] += row.range ? row.range->count : 1;
        }
        std::vector<std::pair<SubscriptionKey, std::uint64_t>> result(counts.begin(), counts.end());
        device_.answer([done = std::move(done), result = std::move(result)]() mutable {
            done(std::move(result));
        });
    });
}

void MemoryState::oldest_dead_letter(
    std::move_only_function<void(Result<std::optional<WallTime>>)> done
) {
    device_.read([this, done = std::move(done)](const Error*) mutable {
        std::optional<WallTime> oldest;
        if (!dead_letters_.empty()) {
            oldest = dead_letters_.begin()->second.at;
        }
        device_.answer([done = std::move(done), oldest]() mutable { done(oldest); });
    });
}

std::vector<AttemptRow> MemoryState::attempts(
    const SubscriptionKey& subscription, std::optional<Offset> offset
) const {
    std::vector<const KeptAttempt*> found;
    auto at = attempts_.lower_bound({subscription, offset.value_or(Offset{})});
    for (; at != attempts_.end() && at->first.first == subscription; ++at) {
        if (offset && at->first.second != *offset) {
            break;
        }
        for (const KeptAttempt& kept : at->second) {
            found.push_back(&kept);
        }
    }
    std::ranges::sort(found, std::greater{}, &KeptAttempt::position);
    std::vector<AttemptRow> rows;
    for (const KeptAttempt* kept : found) {
        if (rows.size() == kAttemptsPerList) {
            break;
        }
        rows.push_back(kept->row);
    }
    return rows;
}

void MemoryState::list_attempts(
    SubscriptionKey subscription,
    std::optional<Offset> offset,
    std::move_only_function<void(Result<std::vector<AttemptRow>>)> done
) {
    device_.read([this,
                  subscription = std::move(subscription),
                  offset,
                  done = std::move(done)](const Error*) mutable {
        device_.answer([done = std::move(done), rows = attempts(subscription, offset)]() mutable {
            done(std::move(rows));
        });
    });
}

}  // namespace belfry
