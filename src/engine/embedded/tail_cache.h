// The newest durable batches, kept in memory for readers that keep up. I/O thread only; the batches
// are immutable and shared, so an event read from here stays valid after its batch was dropped.
#pragma once

#include "engine/embedded/batch.h"
#include "engine/log.h"

#include <deque>
#include <memory>
#include <optional>

namespace belfry {

class TailCache {
 public:
    // Keeps about `bytes` of batches, the newest one always.
    explicit TailCache(std::uint64_t bytes) : bytes_max_(bytes) {}

    // `batch` begins where the last one ended; an empty one is not kept.
    void add(std::shared_ptr<const Batch> batch);
    // Whether it holds every event from `from` on.
    [[nodiscard]] bool holds(Offset from) const;
    // nullopt if it does not hold `from`.
    [[nodiscard]] std::optional<StoredEvent> at(Offset offset) const;
    [[nodiscard]] std::optional<ReadResult> read(Offset from, ReadLimit limit) const;

 private:
    [[nodiscard]] std::size_t find(Offset offset) const;

    std::uint64_t bytes_max_;
    std::deque<std::shared_ptr<const Batch>> batches_;
    std::uint64_t bytes_ = 0;
};

}  // namespace belfry
