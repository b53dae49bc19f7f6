// How the hub is: /api/v1/status and /api/v1/limits for people and programs, /healthz and /readyz
// for supervisors, /metrics for Prometheus. Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/native/native_door.h"

#include <functional>
#include <memory>
#include <optional>

namespace belfry {

class StatusReports {
 public:
    // `stream_readers` says how many event streams are open.
    StatusReports(NativeDoorPorts ports, std::function<std::size_t()> stream_readers);

    void status(RequestContext& context);
    void limits(RequestContext& context);
    void alive(RequestContext& context);
    void ready(RequestContext& context);
    void metrics(RequestContext& context);

 private:
    // What State said when it was last asked: a scrape waits for no disk.
    struct OldestDeadLetter {
        bool asking = false;
        bool known = false;
        std::optional<WallTime> at;
    };
    void ask_oldest_dead_letter();

    const NativeDoorPorts ports_;
    const std::function<std::size_t()> stream_readers_;
    const MonoTime started_;
    const std::shared_ptr<OldestDeadLetter> oldest_ = std::make_shared<OldestDeadLetter>();
};

// Why a hub in this state is not ready, in short words that tell a stranger nothing; empty: it is.
[[nodiscard]] std::vector<std::string> unready_reasons(
    const HubStatus& hub, const LogStatus& log, std::vector<std::string> others
);

}  // namespace belfry
