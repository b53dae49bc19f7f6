#include "engine/embedded/segment_window.h"

#include <algorithm>
#include <array>

namespace belfry {

namespace {

constexpr std::size_t kDiskBlockBytes = 4096;

}  // namespace

Bytes SegmentWindow::at(std::uint64_t position, std::size_t count) {
    if (position >= options_.end || stopped()) {
        return {};
    }
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, options_.end - position));
    bool inside = buffer_ && position >= start_ && position + count <= start_ + buffer_->size();
    if (!inside) {
        load(position, count);
        if (stopped()) {
            return {};
        }
    }
    std::uint64_t skip = position - start_;
    if (skip >= buffer_->size()) {
        return {};
    }
    return Bytes(*buffer_).subspan(skip, std::min<std::size_t>(count, buffer_->size() - skip));
}

void SegmentWindow::load(std::uint64_t position, std::size_t count) {
    std::uint64_t from = position;
    if (options_.direction == Direction::backward) {
        std::uint64_t before = options_.chunk_bytes / 4 * 3;
        from = position > before ? position - before : 0;
    }
    std::uint64_t wanted = std::max<std::uint64_t>(position - from + count, options_.chunk_bytes);
    std::size_t size = static_cast<std::size_t>(std::min(wanted, options_.end - from));
    // Events may still point into the old buffer.
    if (!buffer_ || buffer_.use_count() > 1) {
        buffer_ = std::make_shared<std::vector<std::byte>>();
    }
    buffer_->resize(size);
    start_ = from;
    std::size_t got = 0;
    if (options_.source == Source::disk) {
        got = load_from_disk(from, *buffer_);
    } else {
        auto cached = file_.read_cached(from, *buffer_);
        if (!cached || !*cached) {
            needs_disk_ = true;  // an error, too, is for the read thread to look into
        } else {
            got = **cached;
        }
    }
    buffer_->resize(got);
}

std::size_t SegmentWindow::load_from_disk(std::uint64_t position, std::span<std::byte> into) {
    auto got = file_.read_at(position, into);
    return got ? *got : load_by_block(position, into);
}

std::size_t SegmentWindow::load_by_block(std::uint64_t position, std::span<std::byte> into) {
    std::size_t done = 0;
    bool any = false;
    Error last;
    while (done < into.size()) {
        std::uint64_t at = position + done;
        std::size_t count =
            std::min<std::size_t>(kDiskBlockBytes - at % kDiskBlockBytes, into.size() - done);
        std::span<std::byte> block = into.subspan(done, count);
        auto got = file_.read_at(at, block);
        if (got) {
            any = true;
            if (*got < count) {
                return done + *got;
            }
        } else {
            last = got.error();
            ++unreadable_blocks_;
            std::fill(block.begin(), block.end(), std::byte{0});
        }
        done += count;
    }
    std::array<std::byte, 8> probe{};
    if (!any && !file_.read_at(0, probe)) {
        error_ = std::move(last);
    }
    return done;
}

std::uint64_t SegmentWindow::nonzero_end(std::uint64_t from) {
    std::uint64_t end = from;
    for (std::uint64_t position = from;;) {
        Bytes bytes = at(position, options_.chunk_bytes);
        if (bytes.empty()) {
            return end;
        }
        auto nonzero = std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte byte) {
            return byte != std::byte{0};
        });
        if (nonzero != bytes.rend()) {
            end = position + static_cast<std::uint64_t>(bytes.rend() - nonzero);
        }
        position += bytes.size();
    }
}

}  // namespace belfry
