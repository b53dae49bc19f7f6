// A State in memory, for tests: deterministic, and as slow, failing or forgetful as its device is
// told to be. Keeps the contract of engine/state.h to the letter; the same tests run against it and
// the embedded one.
#pragma once

#include "engine/memory_device.h"
#include "engine/state.h"

#include <deque>
#include <map>
#include <unordered_map>

namespace belfry {

class MemoryState final : public State {
 public:
    explicit MemoryState(Executor& loop) : device_(loop) {}

    [[nodiscard]] MemoryDevice& device() { return device_; }
    // The process dies and starts again: what was committed stays.
    void crash() { device_.crash(); }

    [[nodiscard]] Result<StateSnapshot> load() override;
    void commit(StateChanges changes, std::move_only_function<void(Result<void>)> done) override;
    void list_dead_letters(
        DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done
    ) override;
    void get_dead_letter(
        std::string tenant,
        std::string id,
        std::move_only_function<void(Result<DeadLetterRow>)> done
    ) override;
    void count_dead_letters(
        std::move_only_function<
            void(Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>>)> done
    ) override;
    void oldest_dead_letter(std::move_only_function<void(Result<std::optional<WallTime>>)> done
    ) override;
    void list_attempts(
        SubscriptionKey subscription,
        std::optional<Offset> offset,
        std::move_only_function<void(Result<std::vector<AttemptRow>>)> done
    ) override;

 private:
    using EventKey = std::pair<SubscriptionKey, Offset>;
    struct KeptAttempt {
        std::uint64_t position = 0;
        AttemptRow row;
    };

    void apply(StateChanges changes);
    void forget(const SubscriptionKey& subscription);
    void keep_attempt(AttemptRow row);
    void keep_dead_letter(DeadLetterRow row);
    [[nodiscard]] bool has_dead_letter(const EventKey& event) const;
    void prune_attempts(const SubscriptionKey& subscription);
    [[nodiscard]] DeadLetterRow with_attempts(DeadLetterRow row) const;
    void saw(Offset next);
    [[nodiscard]] Result<DeadLetterPage> page(const DeadLetterQuery& query) const;
    [[nodiscard]] std::vector<AttemptRow> attempts(
        const SubscriptionKey& subscription, std::optional<Offset> offset
    ) const;

    MemoryDevice device_;
    // Committed.
    Offset live_mark_;
    Offset next_offset_;
    std::map<SubscriptionKey, CursorRow> cursors_;
    std::map<EventKey, ExceptionRow> exceptions_;
    std::map<EventKey, std::deque<KeptAttempt>> attempts_;
    std::map<std::uint64_t, DeadLetterRow> dead_letters_;  // by insertion
    std::unordered_map<std::string, std::uint64_t> dead_letter_ids_;
    std::uint64_t position_ = 0;  // of the last insertion
};

}  // namespace belfry
