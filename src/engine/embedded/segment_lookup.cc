#include "engine/embedded/segment_lookup.h"

#include <algorithm>

namespace belfry {

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

std::vector<std::uint32_t> merge_locals(std::span<const Locals> lists, LocalRange range) {
    // A heap of what each list has left, by the element that comes next in the order.
    std::vector<Locals> heap;
    for (Locals list : lists) {
        auto begin = std::lower_bound(list.begin(), list.end(), range.from);
        auto end = std::lower_bound(begin, list.end(), range.to);
        if (begin != end) {
            heap.emplace_back(begin, end);
        }
    }
    auto head = [&](Locals list) { return range.descending ? list.back() : list.front(); };
    auto later = [&](Locals a, Locals b) {
        return range.descending ? head(a) < head(b) : head(a) > head(b);
    };
    std::make_heap(heap.begin(), heap.end(), later);
    std::vector<std::uint32_t> merged;
    while (!heap.empty() && merged.size() < range.max) {
        std::pop_heap(heap.begin(), heap.end(), later);
        Locals& next = heap.back();
        merged.push_back(head(next));
        next = range.descending ? next.first(next.size() - 1) : next.subspan(1);
        if (next.empty()) {
            heap.pop_back();
        } else {
            std::push_heap(heap.begin(), heap.end(), later);
        }
    }
    return merged;
}

LocalRange local_range(const CandidateQuery& query, const SegmentFacts& facts) {
    auto local = [&](Offset offset) {
        Offset inside = std::clamp(offset, facts.header.base, facts.next);
        return static_cast<std::uint32_t>(inside - facts.header.base);
    };
    return {
        .from = local(query.from),
        .to = local(query.to),
        .descending = query.descending,
        .max = query.max,
    };
}

}  // namespace belfry
