// Lease: one of the hubs that share a Kv holds it at a time. It is a document with a time to live:
// the holder writes it again every third of that, and who sees no new revision for so long takes
// it over. An embedded hub shares its Kv with nobody and always comes to hold it; the document of
// its own last run does not make it wait.
//
// A lease is advice, not mutual exclusion: a holder that was suspended may act for a moment after
// another took over. What is done under it must bear being done twice.
//
// Owned by the wiring; Kv and clock must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "engine/kv.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace belfry {

struct LeaseOptions {
    std::string key;     // of the document: "leases/steadybit"
    std::string holder;  // who we are: different for each hub, the same after a restart
    Duration time_to_live = std::chrono::seconds(15);
};

class Lease {
 public:
    enum class Standing : std::uint8_t {
        unknown,    // nobody is known to hold it: before the first answer, while the Kv fails
        held,       // by us
        elsewhere,  // by another hub
    };

    Lease(Kv& kv, Clock& clock, LeaseOptions options);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // Begins to try, and from then on keeps trying; again: nothing. Nothing is written before.
    void begin();
    [[nodiscard]] Standing standing() const;
    // Gives it up for good, so that another hub need not wait. For the stop.
    void release();

 private:
    // The document as the watch last told it.
    struct Seen {
        std::string holder;
        Duration time_to_live{};
        Revision revision;
        MonoTime at;
    };
    void changed(const KvChange& change);
    void look();
    void take(Expect expect);
    void taken(MonoTime asked, const Result<Revision>& result);
    void look_at(MonoTime when);
    [[nodiscard]] bool is_ours() const { return seen_ && seen_->holder == options_.holder; }

    Kv& kv_;
    Clock& clock_;
    const LeaseOptions options_;
    bool begun_ = false;
    bool watched_ = false;  // what exists was told
    bool writing_ = false;
    bool released_ = false;
    std::optional<Seen> seen_;
    MonoTime held_until_{};
    TimerId timer_;
    // A watch is for the life of the Kv; what it tells after the lease's end is dropped.
    std::shared_ptr<char> life_ = std::make_shared<char>();
};

}  // namespace belfry
