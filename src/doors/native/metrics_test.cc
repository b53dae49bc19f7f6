#include "doors/native/metrics.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

MetricSources sources() {
    MetricSources sources;
    sources.build = {.version = "1.2.3", .commit = "abc"};
    sources.hub.published = 11;
    sources.hub.delivered = 7;
    sources.hub.failed_attempts = 2;
    sources.log.next = Offset{42};
    sources.log.commit_average = std::chrono::microseconds(250);
    sources.http.connections = 3;
    return sources;
}

TEST(Metrics, ShowTheStructs) {
    std::string text = metrics_text(sources());
    for (std::string_view line :
         {"# TYPE belfry_events_published_total counter\nbelfry_events_published_total 11\n",
          "belfry_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n",
          "belfry_deliveries_total{outcome=\"settled\"} 7\n",
          "belfry_deliveries_total{outcome=\"failed\"} 2\n",
          "belfry_log_head_offset 42\n",
          "belfry_log_commit_seconds_average 0.00025\n",
          "belfry_connections{protocol=\"http\"} 3\n"}) {
        EXPECT_TRUE(text.contains(line)) << line << "\n" << text;
    }
}

TEST(Metrics, SubscriptionsPastTheCapAreAddedUp) {
    MetricSources many = sources();
    for (std::size_t i = 0; i < kLabelValuesMax + 3; ++i) {
        SubscriptionStatus status;
        status.pending = 10;
        status.dead = i == kLabelValuesMax + 1 ? 5 : 0;
        many.subscriptions.emplace_back("s" + std::to_string(i), status);
    }
    std::string text = metrics_text(many);
    EXPECT_TRUE(text.contains("belfry_delivery_lag_events{subscription=\"s199\"} 10\n"));
    EXPECT_FALSE(text.contains("\"s200\""));
    EXPECT_TRUE(text.contains("belfry_delivery_lag_events{subscription=\"__other__\"} 30\n"));
    EXPECT_TRUE(text.contains("belfry_dead_letters{subscription=\"__other__\"} 5\n"));
    many.subscriptions.resize(kLabelValuesMax);
    EXPECT_FALSE(metrics_text(many).contains("__other__"));
}

TEST(ProcessStatus, ReadsThisProcess) {
    ProcessStatus status = read_process_status();
    EXPECT_GT(status.resident_bytes, 1024U * 1024);
    EXPECT_GT(status.virtual_bytes, status.resident_bytes);
    EXPECT_GE(status.open_fds, 3U);
    EXPECT_GE(status.max_fds, status.open_fds);
    EXPECT_GT(status.start_seconds, 1.6e9);
}

}  // namespace
}  // namespace belfry
