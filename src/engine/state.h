// State: what delivery must remember across a restart: cursors, exceptions, failed attempts, dead
// letters. The hub gathers changes and commits them together, so a dead letter or an exception is
// on disk no later than the cursor that passes it. I/O thread only, callbacks too, except load(),
// which is for the start.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/offset.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace belfry {

// Which subscription: unique over all tenants, "<tenant>/<name>".
using SubscriptionKey = std::string;

// Every event below `cursor` is settled, an exception, a dead letter, or does not match. `live`
// says that nothing holds the cursor back: then the store's live mark counts if it is higher.
struct CursorRow {
    SubscriptionKey subscription;
    Offset cursor;
    bool live = false;
};

// An unsettled event below the cursor, or the word that it is one no more.
struct ExceptionRow {
    SubscriptionKey subscription;
    Offset offset;
    std::uint32_t attempts = 0;  // so far; 0: waits for an earlier event of its key
    std::uint32_t step = 0;  // of the retry schedule that were used up (probes and waits use none)
    std::uint64_t order_key = 0;  // hash of its ordering key; 0: none
    WallTime next_at;             // when it is due
    bool erased = false;          // drops the row
};

// One attempt that failed. The last 20 per (subscription, event) are kept as long as the event is
// an exception or a dead letter; afterwards as long as they are among the newest 1,000 of such
// events' attempts of the subscription. A subscription without a cursor keeps none of these.
struct AttemptRow {
    SubscriptionKey subscription;
    Offset offset;
    std::uint64_t uuid_low = 0;  // of the event
    std::uint32_t attempt = 1;
    WallTime at;
    std::uint32_t duration_ms = 0;
    std::uint32_t status = 0;  // 0: no answer
    std::string error;
    std::string response;  // first KiB
    std::optional<WallTime> next_at;
};

struct DeadLetterRange {
    Offset from;
    Offset to;
    std::uint64_t count = 0;
};
// An event that a subscription gave up on, with a copy of it, or a range of which there is none:
// retention passed it, or it cannot be read.
struct DeadLetterRow {
    std::string id;
    std::string tenant;
    SubscriptionKey subscription;
    std::string listener;  // empty unless a subscription has several
    std::string reason;    // rejected | exhausted | expired | unreadable
    WallTime at;
    Offset offset;                  // of the event; of a range, its first
    std::string type;               // the event's; empty for a range
    std::vector<std::byte> record;  // the event as encode_record() wrote it; empty for a range
    std::optional<DeadLetterRange> range;
    std::vector<AttemptRow> attempts;  // oldest first; filled in when read, not stored with the row
};

// One atomic change. Members are applied in this order, rows of a member in theirs: a later row
// about the same thing wins.
struct StateChanges {
    std::vector<SubscriptionKey>
        forget;  // drops cursor, exceptions and attempts; dead letters and their attempts stay
    std::optional<Offset> live_mark;
    std::vector<CursorRow> cursors;
    std::vector<AttemptRow> attempts;
    std::vector<DeadLetterRow> dead_letters;  // one with a known id changes nothing
    std::vector<ExceptionRow> exceptions;
    std::vector<std::string> erase_dead_letters;

    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::size_t size() const;  // rows
};

struct StateSnapshot {
    Offset live_mark;
    std::vector<CursorRow> cursors;
    std::vector<ExceptionRow> exceptions;  // by subscription, then offset
    // One past the highest event that State was ever told of, by whatever row: the log must go on
    // here or later, because an offset that State has seen never means another event.
    Offset next_offset;
};

// What the engines keep and answer at most.
inline constexpr std::size_t kAttemptsPerEvent = 20;
inline constexpr std::size_t kSettledAttempts =
    1000;  // of events that are settled, per subscription
inline constexpr std::size_t kAttemptsPerList = 1000;
inline constexpr std::size_t kDeadLettersPerPage = 1000;
// Of their events; the one that reaches it is the page's last.
inline constexpr std::size_t kDeadLetterBytesPerPage = 1024 * 1024;

struct DeadLetterQuery {
    std::string tenant = "default";
    SubscriptionKey subscription;  // empty: all
    std::string type;              // exact, or a prefix ending in `*`; empty: all
    std::optional<WallTime> since;
    std::string after;        // `next` of the page before; anything else is bad_request
    std::size_t limit = 100;  // within 1 and kDeadLettersPerPage
};
struct DeadLetterPage {
    std::vector<DeadLetterRow> rows;  // oldest first
    std::optional<std::string> next;
};

class State {
 public:
    virtual ~State() = default;
    // What the last run left. Blocks; before the loop runs.
    [[nodiscard]] virtual Result<StateSnapshot> load() = 0;
    // Durable (all of it, or none) when `done` runs with success. Commits are applied in call
    // order.
    virtual void commit(StateChanges changes, std::move_only_function<void(Result<void>)> done) = 0;
    virtual void list_dead_letters(
        DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done
    ) = 0;
    // not_found, also when it is another tenant's.
    virtual void get_dead_letter(
        std::string tenant,
        std::string id,
        std::move_only_function<void(Result<DeadLetterRow>)> done
    ) = 0;
    // (subscription, number) for all that have any, ranges counted by their `count`.
    virtual void count_dead_letters(
        std::move_only_function<
            void(Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>>)> done
    ) = 0;
    // When the one that is kept for longest was made, whoever's it is; nullopt: there is none.
    virtual void oldest_dead_letter(
        std::move_only_function<void(Result<std::optional<WallTime>>)> done
    ) = 0;
    // Newest first, at most 1,000; of one event if `offset` is set.
    virtual void list_attempts(
        SubscriptionKey subscription,
        std::optional<Offset> offset,
        std::move_only_function<void(Result<std::vector<AttemptRow>>)> done
    ) = 0;
};

}  // namespace belfry
