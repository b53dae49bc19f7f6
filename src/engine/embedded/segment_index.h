// The index of one segment in memory: filled while the segment is written or scanned, then turned
// into its summary file. About 20 bytes a record. One thread fills it; immutable once shared.
#pragma once

#include "engine/embedded/segment_lookup.h"

#include <unordered_map>
#include <vector>

namespace belfry {

struct IdRow {
    std::uint64_t hash = 0;
    std::uint32_t local = 0;
    auto operator<=>(const IdRow&) const = default;
};

class SegmentIndex final : public SegmentLookup {
 public:
    explicit SegmentIndex(const SegmentHeader& header);

    struct Entry {
        Offset offset;  // rising; what is skipped is a gap
        std::uint64_t position = 0;
        std::uint32_t type = 0;  // type_number()
        std::uint64_t id_hash = 0;
        WallTime recorded;
    };
    void add(const Entry& entry);
    // The number of the list that (tenant, type) goes to.
    [[nodiscard]] std::uint32_t type_number(const std::string& key);
    // Everything below `next` is accounted for, the last batch ends at `end`.
    void reach(Offset next, std::uint64_t end);

    [[nodiscard]] const SegmentFacts& facts() const override { return facts_; }
    [[nodiscard]] std::uint64_t position_before(Offset offset) const override;
    [[nodiscard]] bool may_hold(const std::string& tenant, const std::optional<TypePattern>& type)
        const override;
    [[nodiscard]] Result<std::vector<Candidate>> candidates(const CandidateQuery& query
    ) const override;
    [[nodiscard]] Result<std::vector<Candidate>> with_id(std::uint64_t id_hash, std::size_t max)
        const override;

    // For the summary. Positions are divided by 8, 0 is a gap.
    [[nodiscard]] const std::vector<std::uint32_t>& positions() const { return positions_; }
    // Keys in order of first use. List 0 is for types past kTypesPerSegment, list i + 1 for key i.
    [[nodiscard]] const std::vector<std::string>& type_keys() const { return type_keys_; }
    [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& type_lists() const {
        return type_lists_;
    }
    [[nodiscard]] std::vector<IdRow> sorted_ids() const;
    [[nodiscard]] const std::vector<SegmentBlock>& blocks() const { return blocks_; }

 private:
    [[nodiscard]] Candidate candidate(std::uint32_t local) const;
    void add_to_blocks(const Entry& entry);

    SegmentFacts facts_;
    std::vector<std::uint32_t> positions_;
    std::vector<std::string> type_keys_;
    std::unordered_map<std::string, std::uint32_t> type_numbers_;
    std::vector<std::vector<std::uint32_t>> type_lists_;
    // Runs of kIdRun rows are sorted as they fill, so a search costs a binary search per run.
    std::vector<IdRow> ids_;
    std::vector<SegmentBlock> blocks_;
};

}  // namespace belfry
