// The numbers of the hub as Prometheus reads them. Pure: from plain structs, filled when somebody
// asks, to text.
#pragma once

#include "doors/native/native_door.h"
#include "doors/native/process_status.h"

#include <string>
#include <utility>
#include <vector>

namespace belfry {

struct MetricSources {
    HubStatus hub;
    PublishCounts published;
    LogStatus log;
    HttpServerStatus http;
    std::size_t stream_readers = 0;
    ProcessStatus process;
    std::uint64_t log_lines_lost = 0;
    BuildInfo build;
    std::vector<std::pair<std::string, SubscriptionStatus>> subscriptions = {};
    std::optional<Duration> oldest_dead_letter = {};  // its age; nullopt: not known
};

// Subscriptions beyond this number are added up under the label `__other__`, so that a scrape stays
// bounded.
inline constexpr std::size_t kLabelValuesMax = 200;

[[nodiscard]] std::string metrics_text(const MetricSources& sources);

}  // namespace belfry
