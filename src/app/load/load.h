// The load generator behind `belfry bench`: publishes events to a hub over many connections, either
// as fast as they are answered or at a rate that does not wait for the answers. Then a latency is
// counted from the moment the request was due, so a hub that stalls is charged for every request
// that the stall held up. Blocks the thread that calls it; sockets of its own, no loop.
#pragma once

#include "app/load/latency.h"
#include "app/load/load_request.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/url.h"

#include <cstdint>
#include <map>
#include <string>

namespace belfry {

struct LoadOptions {
    Url hub;
    std::string token;  // empty: none
    LoadShape shape;
    std::size_t connections = 64;  // each has one request outstanding at most
    double rate = 0;               // events a second; 0: as many as are answered
    Duration duration = std::chrono::seconds(10);
    Duration warm_up{};                        // before `duration`; published, but not counted
    Duration wait = std::chrono::seconds(10);  // for the last answers
};

// Of the requests that were due after the warm-up.
struct LoadReport {
    std::uint64_t requests = 0;            // answered 200
    std::map<int, std::uint64_t> refused;  // answers of another status
    std::string first_refusal;             // body of the first of them
    std::uint64_t lost = 0;                // not answered: the connection closed, or `wait` passed
    std::uint64_t unsent = 0;              // due, but every connection was busy to the end
    std::uint64_t events_in_all = 0;       // accepted, those of the warm-up too
    double seconds = 0;                    // from the first to the last answer that counts
    // Lost and unsent ones are in it with the time they had waited at the end.
    Latency latency;

    [[nodiscard]] std::uint64_t failed() const;
};

// unavailable: the hub cannot be reached, at the start or later.
[[nodiscard]] Result<LoadReport> generate_load(const LoadOptions& options);

}  // namespace belfry
