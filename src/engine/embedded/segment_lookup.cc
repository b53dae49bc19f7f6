#include "engine/embedded/segment_lookup.h"

#include <algorithm>

namespace belfry {

namespace {

// Adds what the lists have in one range, until the query's `max` is reached.
void merge_range(
    std::span<const Locals> lists,
    const LocalRange& range,
    const CandidateQuery& query,
    std::vector<std::uint32_t>& merged
) {
    // A heap of what each list has left, by the element that comes next in the order.
    std::vector<Locals> heap;
    for (Locals list : lists) {
        auto begin = std::lower_bound(list.begin(), list.end(), range.from);
        auto end = std::lower_bound(begin, list.end(), range.to);
        if (begin != end) {
            heap.emplace_back(begin, end);
        }
    }
    auto head = [&](Locals list) { return query.descending ? list.back() : list.front(); };
    auto later = [&](Locals a, Locals b) {
        return query.descending ? head(a) < head(b) : head(a) > head(b);
    };
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty() && merged.size() < query.max) {
        std::pop_heap(heap.begin(), heap.end(), later);
        Locals& next = heap.back();
        merged.push_back(head(next));
        next = query.descending ? next.first(next.size() - 1) : next.subspan(1);
        if (next.empty()) {
            heap.pop_back();
        } else {
            std::push_heap(heap.begin(), heap.end(), later);
        }
    }
}

}  // namespace

bool type_key_matches(
    std::string_view key, const std::string& tenant, const std::optional<TypePattern>& type
) {
    if (key.empty()) {
        return true;
    }
    if (key.size() <= tenant.size() || key[tenant.size()] != '\0' || !key.starts_with(tenant)) {
        return false;
    }
    return !type || type->matches(key.substr(tenant.size() + 1));
}

std::vector<LocalRange> local_ranges(
    const CandidateQuery& query, const SegmentFacts& facts, std::span<const SegmentBlock> blocks
) {
    auto range = [&](Offset from, Offset to) {
        const Offset begin = std::clamp(query.from, from, to);
        return LocalRange{
            .from = static_cast<std::uint32_t>(begin - facts.header.base),
            .to = static_cast<std::uint32_t>(std::clamp(query.to, begin, to) - facts.header.base),
        };
    };
    if (!query.since && !query.until) {
        return {range(facts.header.base, facts.next)};
    }
    std::vector<LocalRange> ranges;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const SegmentBlock& block = blocks[i];
        if ((query.since && block.newest < *query.since) ||
            (query.until && block.oldest >= *query.until)) {
            continue;
        }
        const Offset end = i + 1 < blocks.size() ? blocks[i + 1].first : facts.next;
        const LocalRange next = range(block.first, end);
        if (next.from == next.to) {
            continue;
        }
        if (!ranges.empty() && ranges.back().to == next.from) {
            ranges.back().to = next.to;
        } else {
            ranges.push_back(next);
        }
    }
    if (query.descending) {
        std::ranges::reverse(ranges);
    }
    return ranges;
}

std::vector<std::uint32_t> merge_locals(
    std::span<const Locals> lists, std::span<const LocalRange> ranges, const CandidateQuery& query
) {
    std::vector<std::uint32_t> merged;
    for (const LocalRange& range : ranges) {
        if (merged.size() >= query.max) {
            break;
        }
        merge_range(lists, range, query, merged);
    }
    return merged;
}

}  // namespace belfry
