// Reads of the log for deliveries that are behind. Many are behind at about the same place, since
// what held them up held them up together: a stretch of the log that one has read is kept for the
// others, and one that is being read is waited for. A few are kept, none for longer than
// it is used. Owned by Deliveries; clock and log must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "engine/log.h"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace belfry {

class SharedReads {
 public:
    SharedReads(Clock& clock, Log& log);
    ~SharedReads();
    SharedReads(const SharedReads&) = delete;
    SharedReads& operator=(const SharedReads&) = delete;

    // At most `events` entries, the first of which holds `from`: as Log::read(). `done` may run
    // before this returns.
    void read(Offset from, std::size_t events, ReadDone done);

 private:
    struct Stretch {
        std::shared_ptr<const ReadResult> read;
        std::uint64_t used = 0;  // when, counted in reads
    };
    struct Waiting {
        Offset from;
        std::size_t events;
        ReadDone done;
    };
    struct UnderWay {
        Offset from;
        std::vector<Waiting> waiting;
    };

    [[nodiscard]] Stretch* find(Offset from);
    [[nodiscard]] Offset begin_of(Offset from) const;
    // False if nothing is kept of what it waits for.
    [[nodiscard]] bool give_kept(Waiting& waiting);
    void start(Offset begin, Waiting waiting);
    void read_from_there(Waiting waiting);
    void came(Offset from, Result<ReadResult> result);
    void keep(Offset from, std::shared_ptr<const ReadResult> read);
    void arm();

    Clock& clock_;
    Log& log_;
    std::map<Offset, Stretch> stretches_;  // by where they begin
    std::vector<UnderWay> under_way_;
    bool large_events_ = false;  // those that came last
    std::uint64_t reads_ = 0;
    std::uint64_t reads_at_timer_ = 0;
    TimerId timer_;
};

}  // namespace belfry
