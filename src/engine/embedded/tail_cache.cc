#include "engine/embedded/tail_cache.h"

#include "base/assert.h"
#include "event/record.h"

#include <algorithm>

namespace belfry {

namespace {

StoredEvent decode(const std::shared_ptr<const Batch>& batch, std::size_t number) {
    auto event = decode_record(batch->body(number), batch->first() + number, batch);
    ASSERT(event.has_value());  // we encoded it
    return std::move(*event);
}

}  // namespace

void TailCache::add(std::shared_ptr<const Batch> batch) {
    if (batch->count() == 0) {
        return;
    }
    if (!batches_.empty() && batches_.back()->next() != batch->first()) {
        batches_.clear();  // after a gap: `holds` promises every event
        bytes_ = 0;
    }
    bytes_ += batch->bytes().size();
    batches_.push_back(std::move(batch));
    while (bytes_ > bytes_max_ && batches_.size() > 1) {
        bytes_ -= batches_.front()->bytes().size();
        batches_.pop_front();
    }
}

bool TailCache::holds(Offset from) const {
    return !batches_.empty() && from >= batches_.front()->first() && from < batches_.back()->next();
}

std::optional<StoredEvent> TailCache::at(Offset offset) const {
    if (!holds(offset)) {
        return std::nullopt;
    }
    const auto& batch = batches_[find(offset)];
    return decode(batch, offset - batch->first());
}

std::optional<ReadResult> TailCache::read(Offset from, ReadLimit limit) const {
    if (!holds(from)) {
        return std::nullopt;
    }
    ReadResult result{.entries = {}, .next = from};
    result.entries.reserve(std::min<std::size_t>(limit.events, batches_.back()->next() - from));
    std::size_t bytes = 0;
    for (std::size_t i = find(from); i < batches_.size(); ++i) {
        const auto& batch = batches_[i];
        for (std::size_t number = result.next - batch->first(); number < batch->count(); ++number) {
            std::size_t size = batch->record_bytes(number);
            bool first = result.entries.empty();
            if (!first && (result.entries.size() >= limit.events || bytes + size > limit.bytes)) {
                return result;
            }
            bytes += size;
            result.entries.emplace_back(decode(batch, number));
            result.next = result.next.next();
        }
    }
    return result;
}

std::size_t TailCache::find(Offset offset) const {
    auto after = std::upper_bound(
        batches_.begin(),
        batches_.end(),
        offset,
        [](Offset wanted, const auto& batch) { return wanted < batch->first(); }
    );
    return static_cast<std::size_t>(after - batches_.begin()) - 1;
}

}  // namespace belfry
