// Port: the file system. Only base/posix_file_system.cc makes these system calls; tests bring
// MemoryFileSystem, which can tear, drop, fail and fill up.
// Errors: no room (ENOSPC, EDQUOT) is Errc::disk_full, a missing file Errc::not_found, a lock that
// is held Errc::conflict, everything else Errc::internal; `detail` names the call, the path and
// errno's text.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

using Bytes = std::span<const std::byte>;

// An open file. Owned by whoever opened it; closed when destroyed. Reads may run on any thread
// beside one writer; writes and syncs come from one thread at a time.
class File {
 public:
    virtual ~File() = default;
    // Reads up to buffer.size() bytes at `position`; fewer only at the end of the file.
    [[nodiscard]] virtual Result<std::size_t> read_at(
        std::uint64_t position, std::span<std::byte> buffer
    ) = 0;
    // The same, but only if that needs no disk access (RWF_NOWAIT); nullopt if it would.
    [[nodiscard]] virtual Result<std::optional<std::size_t>> read_cached(
        std::uint64_t position, std::span<std::byte> buffer
    ) = 0;
    // Writes all of `bytes`, not durable.
    [[nodiscard]] virtual Result<void> write_at(std::uint64_t position, Bytes bytes) = 0;
    // Writes all of `bytes` and makes them durable, in one system call where the kernel can
    // (RWF_DSYNC), else write and fdatasync. After an error the state on disk is unknown.
    [[nodiscard]] virtual Result<void> write_durable(std::uint64_t position, Bytes bytes) = 0;
    // fdatasync. After an error the state on disk is unknown.
    [[nodiscard]] virtual Result<void> sync() = 0;
    [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
    [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;
};

enum class OpenMode : std::uint8_t { read, read_write, create };  // create: new or existing, 0600

// Held while the object lives.
class FileLock {
 public:
    virtual ~FileLock() = default;
};

class FileSystem {
 public:
    virtual ~FileSystem() = default;
    [[nodiscard]] virtual Result<std::unique_ptr<File>> open(
        const std::string& path, OpenMode mode
    ) = 0;
    [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
    [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
    // File names (no directories) in `directory`, sorted.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
    // Creates it and its parents, 0700, where missing; their names are durable.
    [[nodiscard]] virtual Result<void> make_directory(const std::string& directory) = 0;
    // Makes creations, renames and removals in it durable.
    [[nodiscard]] virtual Result<void> sync_directory(const std::string& directory) = 0;
    // Free and total bytes of the disk that holds `path`.
    struct Space {
        std::uint64_t free_bytes = 0;
        std::uint64_t total_bytes = 0;
    };
    [[nodiscard]] virtual Result<Space> space(const std::string& path) = 0;
    // Exclusive advisory lock; Errc::conflict if another process (or object) holds it.
    [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The real one. Lives as long as the program.
[[nodiscard]] FileSystem& posix_file_system();

}  // namespace belfry
