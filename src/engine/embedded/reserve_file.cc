#include "engine/embedded/reserve_file.h"

#include "engine/embedded/crash_point.h"

#include <algorithm>
#include <vector>

namespace belfry {

namespace {

constexpr std::uint64_t kStepBytes = 4 * 1024 * 1024;
constexpr std::uint64_t kPieceBytes = 256 * 1024;

Result<std::uint64_t> grow(
    FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t bytes
) {
    auto file = files.open(path, OpenMode::create);
    if (!file) {
        return std::unexpected(file.error());
    }
    auto size = (*file)->size();
    if (!size) {
        return size;
    }
    if (from == 0) {
        if (*size == bytes) {
            return bytes;
        }
        auto space = files.space(path);
        if (!space) {
            return std::unexpected(space.error());
        }
        if (space->free_bytes + *size <= 2 * bytes) {
            (void)files.remove(path);
            return 0;
        }
        BELFRY_CRASH_POINT("reserve.created");
        if (auto cut = (*file)->truncate(0); !cut) {
            return std::unexpected(cut.error());
        }
    }
    static const std::vector<std::byte> kZeros(kPieceBytes);
    std::uint64_t to = std::min(from + kStepBytes, bytes);
    while (from < to) {
        std::uint64_t count = std::min(to - from, kPieceBytes);
        if (auto written = (*file)->write_at(from, Bytes(kZeros).first(count)); !written) {
            return std::unexpected(written.error());
        }
        from += count;
    }
    BELFRY_CRASH_POINT("reserve.step_written");
    if (auto synced = (*file)->sync(); !synced) {
        return std::unexpected(synced.error());
    }
    BELFRY_CRASH_POINT("reserve.step_synced");
    return to;
}

}  // namespace

Result<std::uint64_t> grow_reserve_file(
    FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t bytes
) {
    auto grown = grow(files, path, from, bytes);
    if (!grown) {
        (void)files.remove(path);
    }
    return grown;
}

}  // namespace belfry
