// The file beside a sealed segment that says where things are in it, so that opening, listing and
// finding read little. Pages of 4 KiB, each with a checksum of its own; anything wrong with it is
// repaired by making it anew from the segment. Written once, by the log thread or at start.
// Reading: any thread. Format: docs/log_format.md.
#pragma once

#include "base/file_system.h"
#include "engine/embedded/dedup_window.h"
#include "engine/embedded/segment_index.h"

#include <memory>
#include <vector>

namespace belfry {

// Tells summaries made under another dedup key apart: their dedup rows mean nothing.
[[nodiscard]] std::uint64_t dedup_key_check(const DedupKey& key);

// The whole file as bytes.
[[nodiscard]] std::vector<std::byte> encode_summary(
    const SegmentIndex& index, const std::vector<DedupRow>& dedup, std::uint64_t key_check
);
// Writes DIR/<base>.summary by way of a temporary name, synced.
[[nodiscard]] Result<void> write_summary(
    FileSystem& files, const std::string& directory, Offset base, Bytes bytes
);

class SegmentSummary final : public SegmentLookup {
 public:
    // Reads facts, types and blocks; the rest stays in the file. Fails if it is damaged,
    // missing, of another version or of another segment. `files` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<SegmentSummary>> open(
        FileSystem& files, const std::string& directory, Offset base
    );

    [[nodiscard]] const SegmentFacts& facts() const override { return facts_; }
    [[nodiscard]] std::uint64_t position_before(Offset offset) const override;
    [[nodiscard]] bool may_hold(const std::string& tenant, const std::optional<TypePattern>& type)
        const override;
    [[nodiscard]] Result<std::vector<Candidate>> candidates(const CandidateQuery& query
    ) const override;
    [[nodiscard]] Result<std::vector<Candidate>> with_id(std::uint64_t id_hash, std::size_t max)
        const override;

    [[nodiscard]] std::uint64_t key_check() const { return key_check_; }
    [[nodiscard]] Result<std::vector<DedupRow>> dedup_rows() const;
    // Reads every page; fails if one is damaged.
    [[nodiscard]] Result<void> check() const;

 private:
    // Where a part of the summary lies: it begins at a page.
    struct Section {
        std::uint64_t page = 0;
        std::uint64_t bytes = 0;
    };
    enum SectionName : std::size_t { types, locals, positions, ids, dedup, blocks, section_count };
    struct TypeEntry {
        std::string key;          // empty: the others
        std::uint64_t first = 0;  // in the section of locals
        std::uint64_t count = 0;
    };
    // Of a number in a list: what stands before `low` is less than it, what stands from `high` on
    // is not.
    struct Place {
        std::uint64_t low = 0;
        std::uint64_t high = 0;
    };

    SegmentSummary(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
    [[nodiscard]] Result<void> load(Offset base);
    [[nodiscard]] Result<void> load_types(File& file);
    [[nodiscard]] Result<void> load_blocks(File& file);
    [[nodiscard]] Result<std::vector<std::byte>> read(
        File& file, SectionName section, std::uint64_t from, std::uint64_t bytes
    ) const;
    [[nodiscard]] Result<std::vector<std::uint32_t>> read_numbers(
        File& file, SectionName section, std::uint64_t first, std::uint64_t count
    ) const;
    [[nodiscard]] Result<std::vector<std::uint32_t>> matching_locals(
        File& file, const CandidateQuery& query
    ) const;
    [[nodiscard]] Result<std::vector<std::uint32_t>> read_list(
        File& file,
        const TypeEntry& list,
        std::span<const LocalRange> ranges,
        const CandidateQuery& query
    ) const;
    // Bisects as far as a page; each probe reads one.
    [[nodiscard]] Result<Place> place_of(File& file, const TypeEntry& list, std::uint32_t number)
        const;
    [[nodiscard]] Result<std::vector<Candidate>> locate(
        File& file, const std::vector<std::uint32_t>& numbers
    ) const;

    // Constant after open().
    FileSystem& files_;
    const std::string path_;
    SegmentFacts facts_;
    std::uint64_t key_check_ = 0;
    std::array<Section, section_count> sections_;
    std::vector<TypeEntry> types_;
    std::vector<SegmentBlock> blocks_;
};

}  // namespace belfry
