#include "engine/embedded/segment_writer.h"

#include "base/in_order.h"
#include "engine/embedded/crash_point.h"

#include <algorithm>
#include <vector>

namespace belfry {

namespace {

constexpr std::uint64_t kZeroPieceBytes = 256 * 1024;

Result<void> write_zeros(File& file, std::uint64_t from, std::uint64_t to) {
    static const std::vector<std::byte> kZeros(kZeroPieceBytes);
    while (from < to) {
        std::uint64_t count = std::min(to - from, kZeroPieceBytes);
        if (auto written = file.write_at(from, Bytes(kZeros).first(count)); !written) {
            return written;
        }
        from += count;
        BELFRY_CRASH_POINT("fill.piece_written");
    }
    return {};
}

Result<void> write_new_segment(File& file, const NewSegment& segment, std::uint64_t filled) {
    if (auto cut = file.truncate(0); !cut) {
        return cut;
    }
    BELFRY_CRASH_POINT("rotate.emptied");
    for (std::uint32_t copy = 0; copy < kSegmentHeaderCopies; ++copy) {
        SegmentHeaderBlock block = encode_segment_header(segment.header, copy);
        if (auto written = file.write_at(copy * kSegmentHeaderBytes, block); !written) {
            return written;
        }
        BELFRY_CRASH_POINT("rotate.header_written");
    }
    if (auto written = write_zeros(file, kSegmentDataStart, filled); !written) {
        return written;
    }
    BELFRY_CRASH_POINT("rotate.zeros_written");
    return file.sync();
}

}  // namespace

Result<WritableSegment> create_segment(FileSystem& files, const NewSegment& segment) {
    std::string path =
        segment.directory + "/" + segment_file_name(segment.header.base, kSegmentSuffix);
    BELFRY_CRASH_POINT("rotate.begin");
    auto file = files.open(path, OpenMode::create);
    if (!file) {
        return std::unexpected(file.error());
    }
    BELFRY_CRASH_POINT("rotate.created");
    WritableSegment made{
        .file = std::move(*file),
        .filled = std::min(kFirstFillBytes, segment.capacity),
        .capacity = segment.capacity,
    };
    // The name is durable before anything stands in it.
    auto written = in_order(
        [&] { return write_new_segment(*made.file, segment, made.filled); },
        [&] {
            BELFRY_CRASH_POINT("rotate.synced");
            return files.sync_directory(segment.directory);
        }
    );
    if (!written) {
        (void)files.remove(path);
        return std::unexpected(written.error());
    }
    BELFRY_CRASH_POINT("rotate.named");
    return made;
}

Result<void> zero_fill(
    FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t to
) {
    auto file = files.open(path, OpenMode::read_write);
    if (!file) {
        return std::unexpected(file.error());
    }
    BELFRY_CRASH_POINT("fill.begin");
    if (auto written = write_zeros(**file, from, to); !written) {
        return written;
    }
    BELFRY_CRASH_POINT("fill.written");
    auto synced = (*file)->sync();
    BELFRY_CRASH_POINT("fill.synced");
    return synced;
}

CommitOutcome run_commit(FileSystem& files, const Clock& clock, CommitJob job) {
    CommitOutcome outcome{.error = {}, .segment = job.segment};
    auto failed = [&outcome](CommitOutcome::Stage stage, Error error) {
        outcome.stage = stage;
        outcome.error = std::move(error);
        return outcome;
    };
    if (job.create) {
        auto made = create_segment(files, *job.create);
        if (!made) {
            return failed(CommitOutcome::Stage::prepare, made.error());
        }
        outcome.segment = *made;
    }
    if (job.fill_to > outcome.segment.filled) {
        auto filled = zero_fill(files, job.path, outcome.segment.filled, job.fill_to);
        if (!filled) {
            return failed(CommitOutcome::Stage::prepare, filled.error());
        }
        outcome.segment.filled = job.fill_to;
    }
    BELFRY_CRASH_POINT("commit.before_write");
    MonoTime begin = clock.now();
    auto written = outcome.segment.file->write_durable(job.position, job.batch->bytes());
    outcome.took = clock.now() - begin;
    BELFRY_CRASH_POINT("commit.after_write");
    if (!written) {
        return failed(CommitOutcome::Stage::write, written.error());
    }
    return outcome;
}

}  // namespace belfry
