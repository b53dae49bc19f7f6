// Reads the whole log of a data directory while no hub runs and says what is in it and what is
// damaged, for `belfry log verify`. Changes nothing, but holds the directory's lock meanwhile, so
// that no hub begins to write. Blocks; any thread. What counts as damage and what recovery will
// make of it: docs/log_format.md, "Recovery".
#pragma once

#include "base/file_system.h"
#include "base/offset.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace belfry {

struct LogVerifyOptions {
    std::string directory;           // that of the hub; segments lie in its folder `log`
    std::size_t damage_max = 1'000;  // places listed; further ones are only counted
    // Called with the bytes read so far and those of all segments, at least once a segment.
    std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

// Bytes that are not what was written. `file` is a name in the folder `log`.
struct LogDamage {
    std::string file;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
    std::string what;
};

// Events [from, to) that cannot be read.
struct LogHole {
    Offset from;
    Offset to;
    bool accepted = false;  // an operator gave them up with --accept-data-loss
};

// What stands at the end and is proven by nothing. That is no damage: a crash leaves it.
struct LogTail {
    enum class Kind : std::uint8_t {
        none,
        whole,  // the last batch is whole; the next start writes it again and syncs it
        torn,   // never acknowledged; the next start cuts it
    };
    Kind kind = Kind::none;
    std::string file;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
};

struct LogReport {
    std::uint64_t segments = 0;
    std::uint64_t batches = 0;     // with records
    std::uint64_t watermarks = 0;  // without
    std::uint64_t records = 0;     // intact
    std::uint64_t bytes = 0;       // of all segment files
    Offset first;
    Offset next;
    std::uint64_t missing_events = 0;  // in holes that nobody accepted
    std::vector<LogHole> holes;
    std::uint64_t damaged_places = 0;
    std::vector<LogDamage> damage;  // the first damage_max of them
    LogTail tail;

    // Nothing is damaged and nothing is missing but what was accepted.
    [[nodiscard]] bool intact() const { return damaged_places == 0 && missing_events == 0; }
};

// not_found: there is no log in that directory; conflict: a hub uses it; else what the file system
// said. A block that cannot be read is damage, not an error.
[[nodiscard]] Result<LogReport> verify_log(FileSystem& files, const LogVerifyOptions& options);

}  // namespace belfry
