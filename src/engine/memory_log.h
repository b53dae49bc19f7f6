// A Log in memory for tests of what stands above it: appends succeed at once unless told otherwise,
// segments are counted events, reads can be kept out of the tail and delayed. No deduplication.
#pragma once

#include "base/clock.h"
#include "base/rng.h"
#include "base/task.h"
#include "engine/log.h"
#include "event/record.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace belfry {

class MemoryLog final : public Log {
 public:
    MemoryLog(Clock& clock, Rng& rng, Executor& loop) : clock_(clock), rng_(rng), loop_(loop) {}

    std::uint64_t events_per_segment = 1'000;
    std::uint64_t bytes_per_segment = 1'000;
    std::uint64_t lists = 0;                 // asked for so far
    mutable std::uint64_t entries_read = 0;  // by read() and read_tail()
    bool holds_lists = false;                // a list waits for release_lists(), as for a slow disk
    std::uint64_t tail_events = UINT64_MAX;  // how many of the newest read_tail() gives
    std::vector<Gap> gaps;
    std::optional<Error> refusal;       // what appends get instead
    std::optional<Error> read_failure;  // what read() gets instead
    std::optional<Error> trim_failure;  // what trim() says, though its events are out of the log
    int trims = 0;                      // calls of trim()
    Offset unreadable_below;            // read() fails if it begins there
    bool honours_bytes = false;         // of a ReadLimit, by the size of the data
    std::string told_of_full_disk;      // the last reason

    void append(std::span<const Event> events, AppendDone done) override {
        if (refusal) {
            done(std::unexpected(*refusal));
            return;
        }
        std::vector<Appended> appended;
        Offset first = next_offset();
        for (const Event& event : events) {
            std::uint64_t low =
                event.id.empty() ? rng_.next() : uuid_low_half(event.source, event.id);
            auto bytes = std::make_shared<std::vector<std::byte>>();
            encode_record(event, clock_.wall(), low, *bytes);
            appended.push_back(Appended{.offset = next_offset(), .uuid_low = low});
            records_.push_back(std::move(bytes));
        }
        done(std::span<const Appended>(appended));
        if (observer_ && first < next_offset()) {
            observer_(first, next_offset());
        }
    }
    void read(Offset from, ReadLimit limit, ReadDone done) override {
        loop_.post([this, from, limit, done = std::move(done)]() mutable {
            if (read_failure || from < unreadable_below) {
                done(std::unexpected(read_failure.value_or(Error{.detail = "unreadable"})));
            } else {
                done(get(from, limit));
            }
        });
    }
    [[nodiscard]] std::optional<ReadResult> read_tail(Offset from, ReadLimit limit) override {
        if (from < first_ || next_offset() - from > tail_events) {
            return std::nullopt;
        }
        return get(from, limit).value();
    }
    void list(ListQuery query, ListDone done) override {
        ++lists;
        const Offset begin = std::max(first_, query.after ? query.after->next() : first_);
        const Offset end = std::min(query.before.value_or(next_offset()), next_offset());
        const bool rises = query.order == ListQuery::Order::ascending;
        ListResult page;
        for (std::uint64_t i = 0; begin.value + i < end.value; ++i) {
            const Offset at{rises ? begin.value + i : end.value - 1 - i};
            StoredEvent event = decode(at);
            if (event.event.tenant == query.tenant &&
                (!query.type || query.type->matches(event.event.type)) &&
                (!query.leaves_out_elsewhere || !event.event.elsewhere) &&
                (!query.since || event.recorded >= *query.since)) {
                page.events.push_back(std::move(event));
            }
            if (page.events.size() == query.limit) {
                page.next = at;
                break;
            }
        }
        if (holds_lists) {
            held_lists_.emplace_back([done = std::move(done), page = std::move(page)]() mutable {
                done(std::move(page));
            });
            return;
        }
        done(std::move(page));
    }
    // Answers the lists that were held.
    void release_lists() {
        holds_lists = false;
        for (Task& answer : std::exchange(held_lists_, {})) {
            answer();
        }
    }
    void find(std::string tenant, std::string id, std::string source, FindDone done) override {
        const std::optional<Uuid> uuid = parse_uuid(id);
        for (Offset at = next_offset(); at > first_;) {
            at = Offset{at.value - 1};
            const StoredEvent stored = decode(at);
            if (stored.event.tenant == tenant &&
                (source.empty() || stored.event.source == source) &&
                (stored.id() == id || stored.uuid() == uuid)) {
                done(decode(at));
                return;
            }
        }
        done(fail(Errc::not_found, "no such event"));
    }
    [[nodiscard]] Offset first_offset() const override { return first_; }
    [[nodiscard]] Offset next_offset() const override { return Offset{records_.size()}; }
    [[nodiscard]] std::vector<SegmentInfo> segments() const override {
        std::vector<SegmentInfo> result;
        for (Offset at = first_; at < next_offset();) {
            Offset end{(at.value / events_per_segment + 1) * events_per_segment};
            bool sealed = end <= next_offset();
            end = std::min(end, next_offset());
            result.push_back(SegmentInfo{
                .first = at,
                .next = end,
                .bytes = bytes_per_segment,
                .newest = decode(Offset{end.value - 1}).recorded,
                .sealed = sealed,
            });
            at = end;
        }
        return result;
    }
    [[nodiscard]] LogStatus status() const override {
        return LogStatus{.first = first_, .next = next_offset(), .appended = records_.size()};
    }
    void trim(Offset before, std::move_only_function<void(Result<void>)> done) override {
        ++trims;
        first_ = std::max(first_, before);
        if (trim_failure) {
            done(std::unexpected(*trim_failure));
            return;
        }
        done({});
    }
    void disk_is_full(std::string reason) override { told_of_full_disk = std::move(reason); }
    void on_durable(std::function<void(Offset, Offset)> observer) override {
        observer_ = std::move(observer);
    }
    void stop(std::move_only_function<void()> done) override { done(); }

 private:
    [[nodiscard]] StoredEvent decode(Offset offset) const {
        const auto& bytes = records_[offset.value];
        return decode_record(*bytes, offset, bytes).value();
    }
    [[nodiscard]] Result<ReadResult> get(Offset from, ReadLimit limit) const {
        if (from < first_) {
            return std::unexpected(Error{.code = Errc::offset_expired, .first_offset = first_.value}
            );
        }
        ReadResult result{.entries = {}, .next = from};
        std::size_t bytes = 0;
        while (result.next < next_offset() && result.entries.size() < limit.events) {
            auto gap = std::ranges::find(gaps, result.next, &Gap::from);
            if (gap != gaps.end()) {
                result.entries.emplace_back(*gap);
                result.next = gap->to;
                continue;
            }
            StoredEvent event = decode(result.next);
            bytes += event.event.data.value_or("").size();
            if (honours_bytes && bytes > limit.bytes && !result.entries.empty()) {
                break;
            }
            result.entries.emplace_back(std::move(event));
            result.next = result.next.next();
        }
        entries_read += result.entries.size();
        return result;
    }

    Clock& clock_;
    Rng& rng_;
    Executor& loop_;
    Offset first_;
    std::vector<std::shared_ptr<std::vector<std::byte>>> records_;
    std::vector<Task> held_lists_;
    std::function<void(Offset, Offset)> observer_;
};

}  // namespace belfry
