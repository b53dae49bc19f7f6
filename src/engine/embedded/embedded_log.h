// The durable log of one machine: segment files in DIR/log, one synchronous write per turn of the
// loop. Owned by the wiring; the ports must outlive it. I/O thread only: all state lives there;
// what may block crosses to the log thread (commits on a slow disk, zero-filling, sealing,
// trimming) or to the read thread (reads outside the tail) as values. An event whose `done` ran
// with success is on disk. Format: docs/log_format.md.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/rng.h"
#include "base/task.h"
#include "engine/log.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace belfry {

inline constexpr std::uint64_t kSegmentBytesMin = 1024ULL * 1024;  // what configuration accepts

// Each member is the setting `log.<name>`, but for those marked otherwise.
struct EmbeddedLogOptions {
    std::string directory;  // the setting `data`; segments live in its folder `log`
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;
    std::uint64_t pending_bytes = 16ULL * 1024 * 1024;
    std::uint64_t tail_bytes = 16ULL * 1024 * 1024;
    std::uint64_t reserve_bytes = 64ULL * 1024 * 1024;  // 0: no reserve file
    std::chrono::microseconds slow_commit{1'000};  // average past which commits use the log thread
    std::chrono::milliseconds watermark_idle{50};
    std::chrono::seconds dedup_window{600};
    std::uint64_t dedup_ids = 1'000'000;
    // Not settings. `accept_data_loss` is the flag of `serve`; `min_next_offset` is one past the
    // highest offset that State has seen: a log that ends below it has lost proven events.
    bool accept_data_loss = false;
    Offset min_next_offset;
};

struct EmbeddedLogPorts {
    FileSystem& files;
    Clock& clock;
    Rng& rng;
    Executor& loop;
    Executor& log_thread;
    Executor& read_thread;
};

class EmbeddedLog : public Log {
 public:
    // Takes the lock, recovers, and returns a log that serves. Blocks; before the loop runs.
    // conflict: another process has the directory; unavailable: proven events are missing at the
    // end (the detail names the offsets; accept_data_loss goes on past them); else what the file
    // system said.
    [[nodiscard]] static Result<std::unique_ptr<EmbeddedLog>> open(
        EmbeddedLogOptions options, EmbeddedLogPorts ports
    );

    // A turn of the loop is over: commits what it gathered. Cheap when nothing is pending.
    virtual void end_turn() = 0;
};

}  // namespace belfry
