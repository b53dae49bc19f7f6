// Log: the durable, ordered record of events. Two engines implement it; nothing above engine/ knows
// which. Everything here runs on the I/O thread; callbacks run there too, possibly before the call
// returns.
#pragma once

#include "base/duration_histogram.h"
#include "base/error.h"
#include "event/event.h"
#include "event/type_pattern.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace belfry {

// Where one event of an append() ended up.
struct Appended {
    Offset offset;
    std::uint64_t uuid_low = 0;
    bool duplicate = false;  // it was stored before; the offset is the first one's

    [[nodiscard]] Uuid uuid() const { return event_uuid(uuid_low, offset); }
};
using AppendDone = std::move_only_function<void(Result<std::span<const Appended>>)>;

// Offsets [from, to) hold nothing that can be read.
struct Gap {
    enum class Reason : std::uint8_t {
        damage,
        data_loss
    };  // data_loss: an operator accepted it at start
    Offset from;
    Offset to;
    Reason reason = Reason::damage;
};
using LogEntry = std::variant<StoredEvent, Gap>;

// One past what the entry stands for.
[[nodiscard]] inline Offset end_of(const LogEntry& entry) {
    const auto* gap = std::get_if<Gap>(&entry);
    return gap != nullptr ? gap->to : std::get<StoredEvent>(entry).offset.next();
}

struct ReadLimit {
    std::size_t events = 256;
    std::size_t bytes = 1024 * 1024;  // of records; at least one record is returned
};
struct ReadResult {
    std::vector<LogEntry> entries;  // in offset order
    Offset next;                    // where to go on; past the last entry
};
using ReadDone = std::move_only_function<void(Result<ReadResult>)>;

// What GET /api/v1/events asks. Empty texts are no condition.
struct ListQuery {
    enum class Order : std::uint8_t { ascending, descending };
    std::string tenant = "default";
    std::optional<TypePattern> type;
    std::string source;
    std::string subject;
    std::optional<WallTime> since;      // recorded >= since
    std::optional<WallTime> until;      // recorded < until
    std::optional<Offset> after;        // exclusive
    std::optional<Offset> before;       // exclusive
    bool leaves_out_elsewhere = false;  // events that were for other nodes
    Order order = Order::ascending;
    std::size_t limit = 100;
};
struct ListResult {
    std::vector<StoredEvent> events;
    std::optional<Offset> next;  // `after` (ascending) or `before` (descending) of the next page
};
using ListDone = std::move_only_function<void(Result<ListResult>)>;
using FindDone = std::move_only_function<void(Result<StoredEvent>)>;

// What retention looks at, oldest first.
struct SegmentInfo {
    Offset first;
    Offset next;  // one past its last event
    std::uint64_t bytes = 0;
    WallTime newest;  // recorded time of its last event
    bool sealed = false;
};

struct LogStatus {
    Offset first;
    Offset next;  // durable: events below it may be read
    std::uint64_t bytes = 0;
    std::size_t segments = 0;
    bool read_only = false;               // a sync failed; until restart
    bool disk_full = false;               // until space is back
    std::string reason;                   // of read_only or disk_full
    bool on_log_thread = false;           // commits run there because the disk is slow
    Duration commit_average{};            // moving average of one commit
    DurationHistogram commit_durations;   // of the write and sync of each commit
    DurationHistogram publish_durations;  // of each event, from the first of its commit on
    std::uint64_t commits = 0;
    std::uint64_t appended = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t checksum_failures = 0;
    std::uint64_t gap_events = 0;  // offsets found unreadable
};

class Log {
 public:
    virtual ~Log() = default;

    // Takes the events of one request: all or none. Bytes under the events are copied before
    // return. `done` gets one Appended per event once all of them are durable, or
    //   overloaded (log.pending_bytes are waiting), disk_full, read_only: nothing stored;
    //   id_conflict (with `index`): same tenant, source and id within the window, other content;
    //   nothing stored; outcome_unknown: the sync failed, it may or may not be stored.
    // Events without an id get 8 random bytes; events with one are deduplicated by (tenant, source,
    // id).
    virtual void append(std::span<const Event> events, AppendDone done) = 0;

    // Events from `from` on, up to next_offset(): empty there. offset_expired (with first_offset)
    // below first_offset().
    virtual void read(Offset from, ReadLimit limit, ReadDone done) = 0;
    // The same from memory only: nullopt if `from` is not in the tail. Just after on_durable() the
    // batch is.
    [[nodiscard]] virtual std::optional<ReadResult> read_tail(Offset from, ReadLimit limit) = 0;
    // A page of matching events. A page may be short or empty and still have `next`.
    virtual void list(ListQuery query, ListDone done) = 0;
    // The newest event of the tenant whose id (as readers see it) or UUID form is `id`; `source`
    // narrows unless empty. not_found.
    virtual void find(std::string tenant, std::string id, std::string source, FindDone done) = 0;

    [[nodiscard]] virtual Offset first_offset() const = 0;
    [[nodiscard]] virtual Offset next_offset() const = 0;
    [[nodiscard]] virtual std::vector<SegmentInfo> segments() const = 0;
    [[nodiscard]] virtual LogStatus status() const = 0;
    // Drops whole segments that lie entirely below `before`; never the one being written. `done`
    // runs when they are gone from disk. If they cannot go, the log begins behind them all the same
    // until a restart finds them again; every later call tries them first, whatever its `before`.
    virtual void trim(Offset before, std::move_only_function<void(Result<void>)> done) = 0;

    // Somebody else who writes beside the log found no room, for `reason`. Unless there is room on
    // the log's disk, it goes on as if its own write had been refused and lets go of what it keeps
    // in reserve for others; then they should try again.
    virtual void disk_is_full(std::string reason) = 0;

    // `observer` is called once per commit, after the receipts of its events were handed out, with
    // the offsets [first, next) that became durable. One observer, set before the first append.
    virtual void on_durable(std::function<void(Offset first, Offset next)> observer) = 0;

    // Commits what is pending, marks everything durable, closes. No call but status() may follow.
    virtual void stop(std::move_only_function<void()> done) = 0;
};

}  // namespace belfry
