#include "engine/embedded/segment_index.h"

#include "base/assert.h"

#include <algorithm>
#include <iterator>

namespace belfry {

namespace {

constexpr std::size_t kIdRun = 4096;

}  // namespace

SegmentIndex::SegmentIndex(const SegmentHeader& header) {
    facts_.header = header;
    facts_.next = header.base;
    type_lists_.resize(1);  // the others
}

void SegmentIndex::add(const Entry& entry) {
    ASSERT(entry.offset >= facts_.next);
    reach(entry.offset.next(), facts_.end);
    auto local = static_cast<std::uint32_t>(entry.offset - facts_.header.base);
    positions_[local] = static_cast<std::uint32_t>(entry.position / kAlignment);
    type_lists_[entry.type].push_back(local);
    if (entry.id_hash != 0) {
        ids_.push_back({.hash = entry.id_hash, .local = local});
        if (ids_.size() % kIdRun == 0) {
            std::sort(ids_.end() - static_cast<std::ptrdiff_t>(kIdRun), ids_.end());
        }
    }
    const bool first = blocks_.empty();
    facts_.oldest = first ? entry.recorded : std::min(facts_.oldest, entry.recorded);
    facts_.newest = first ? entry.recorded : std::max(facts_.newest, entry.recorded);
    add_to_blocks(entry);
}

void SegmentIndex::add_to_blocks(const Entry& entry) {
    if (blocks_.empty() || entry.position >= blocks_.back().position + kBlockBytes) {
        blocks_.push_back({
            .first = entry.offset,
            .position = entry.position,
            .oldest = entry.recorded,
            .newest = entry.recorded,
        });
        return;
    }
    SegmentBlock& block = blocks_.back();
    block.oldest = std::min(block.oldest, entry.recorded);
    block.newest = std::max(block.newest, entry.recorded);
}

std::uint32_t SegmentIndex::type_number(const std::string& key) {
    auto found = type_numbers_.find(key);
    if (found != type_numbers_.end()) {
        return found->second;
    }
    if (type_keys_.size() == kTypesPerSegment) {
        return 0;
    }
    type_keys_.push_back(key);
    type_lists_.emplace_back();
    auto number = static_cast<std::uint32_t>(type_keys_.size());
    type_numbers_.emplace(key, number);
    return number;
}

void SegmentIndex::reach(Offset next, std::uint64_t end) {
    ASSERT(next >= facts_.next);
    facts_.next = next;
    facts_.end = end;
    positions_.resize(next - facts_.header.base);
}

std::uint64_t SegmentIndex::position_before(Offset offset) const {
    if (offset <= facts_.header.base) {
        return kSegmentDataStart;
    }
    std::uint64_t local = std::min<std::uint64_t>(offset - facts_.header.base, positions_.size());
    // The record itself if it is there, else the last one before the gap.
    if (local < positions_.size() && positions_[local] != 0) {
        return std::uint64_t{positions_[local]} * kAlignment;
    }
    while (local > 0) {
        --local;
        if (positions_[local] != 0) {
            return std::uint64_t{positions_[local]} * kAlignment;
        }
    }
    return kSegmentDataStart;
}

bool SegmentIndex::may_hold(const std::string& tenant, const std::optional<TypePattern>& type)
    const {
    return !type_lists_[0].empty() ||
           std::any_of(type_keys_.begin(), type_keys_.end(), [&](const std::string& key) {
               return type_key_matches(key, tenant, type);
           });
}

Result<std::vector<Candidate>> SegmentIndex::candidates(const CandidateQuery& query) const {
    std::vector<LocalRange> ranges = local_ranges(query, facts_, blocks_);
    std::vector<Candidate> found;
    if (!query.type) {
        for (LocalRange& range : ranges) {
            while (range.from < range.to && found.size() < query.max) {
                std::uint32_t local = query.descending ? --range.to : range.from++;
                if (positions_[local] != 0) {
                    found.push_back(candidate(local));
                }
            }
        }
        return found;
    }
    std::vector<Locals> lists{type_lists_[0]};
    for (std::size_t i = 0; i < type_keys_.size(); ++i) {
        if (type_key_matches(type_keys_[i], query.tenant, query.type)) {
            lists.emplace_back(type_lists_[i + 1]);
        }
    }
    for (std::uint32_t local : merge_locals(lists, ranges, query)) {
        found.push_back(candidate(local));
    }
    return found;
}

Result<std::vector<Candidate>> SegmentIndex::with_id(std::uint64_t id_hash, std::size_t max) const {
    std::vector<std::uint32_t> locals;
    std::size_t sorted = ids_.size() / kIdRun * kIdRun;
    for (std::size_t run = 0; run < sorted; run += kIdRun) {
        auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(run);
        auto end = begin + static_cast<std::ptrdiff_t>(kIdRun);
        auto row = std::lower_bound(begin, end, IdRow{.hash = id_hash, .local = 0});
        for (; row != end && row->hash == id_hash; ++row) {
            locals.push_back(row->local);
        }
    }
    for (std::size_t i = sorted; i < ids_.size(); ++i) {
        if (ids_[i].hash == id_hash) {
            locals.push_back(ids_[i].local);
        }
    }
    std::sort(locals.rbegin(), locals.rend());
    locals.resize(std::min(locals.size(), max));
    std::vector<Candidate> found;
    std::transform(locals.begin(), locals.end(), std::back_inserter(found), [this](auto local) {
        return candidate(local);
    });
    return found;
}

std::vector<IdRow> SegmentIndex::sorted_ids() const {
    std::vector<IdRow> rows = ids_;
    std::sort(rows.begin(), rows.end());
    return rows;
}

Candidate SegmentIndex::candidate(std::uint32_t local) const {
    return {
        .offset = facts_.header.base + local,
        .position = std::uint64_t{positions_[local]} * kAlignment,
    };
}

}  // namespace belfry
