// A segment file seen through a buffer that moves: contiguous bytes at any position, shared with
// the events decoded from them. Owned by one reader; the file must outlive it. One thread at a
// time.
//
// A read error is repeated block by block (4 KiB); a block that stays unreadable reads as zeros,
// which no checksum passes, so it is damage of that place and nothing else. Only when no block of
// the window and not even the start of the file can be read is the device itself at fault: then
// error() is set.
#pragma once

#include "base/file_system.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace belfry {

class SegmentWindow {
 public:
    // memory: only bytes that need no disk access (File::read_cached).
    enum class Source : std::uint8_t { disk, memory };
    // backward: positions asked for will mostly fall.
    enum class Direction : std::uint8_t { forward, backward };
    struct Options {
        std::uint64_t end = 0;                // no byte at or after it is shown
        std::size_t chunk_bytes = 64 * 1024;  // least that is read at once
        Source source = Source::disk;
        Direction direction = Direction::forward;
    };

    SegmentWindow(File& file, Options options) : file_(file), options_(options) {}

    // `count` bytes at `position`, fewer at the end; empty once stopped(). Valid until the next
    // call, or as long as owner() of this moment is held.
    [[nodiscard]] Bytes at(std::uint64_t position, std::size_t count);
    // One past the last byte at or after `from` that is not zero; `from` if there is none.
    [[nodiscard]] std::uint64_t nonzero_end(std::uint64_t from);
    // Keeps the bytes of the last at() alive.
    [[nodiscard]] std::shared_ptr<const void> owner() const { return buffer_; }

    // Nothing more can be had: the disk is needed (Source::memory), or the device fails.
    [[nodiscard]] bool stopped() const { return needs_disk_ || error_.has_value(); }
    [[nodiscard]] bool needs_disk() const { return needs_disk_; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    // Blocks that could not be read.
    [[nodiscard]] std::uint64_t unreadable_blocks() const { return unreadable_blocks_; }
    [[nodiscard]] std::uint64_t end() const { return options_.end; }

 private:
    void load(std::uint64_t position, std::size_t count);
    [[nodiscard]] std::size_t load_from_disk(std::uint64_t position, std::span<std::byte> into);
    [[nodiscard]] std::size_t load_by_block(std::uint64_t position, std::span<std::byte> into);

    File& file_;
    const Options options_;
    std::shared_ptr<std::vector<std::byte>> buffer_;
    std::uint64_t start_ = 0;
    bool needs_disk_ = false;
    std::optional<Error> error_;
    std::uint64_t unreadable_blocks_ = 0;
};

}  // namespace belfry
