#include "doors/native/metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <sstream>

namespace belfry {
namespace {

MetricSources sources() {
    MetricSources sources;
    sources.build = {.version = "1.2.3", .commit = "abc"};
    const std::vector<Event> events(1, Event{.type = "deploy"});
    const std::vector<Appended> receipts(1);
    for (int i = 0; i < 11; ++i) {
        sources.published.tally(events, "native").add(receipts);
    }
    sources.subscriptions.emplace_back(
        "chat", SubscriptionStatus{.settled = 7, .failed = 2, .state = SubscriptionState::paused}
    );
    sources.log_lines_lost = 5;
    sources.log.next = Offset{42};
    sources.log.commit_average = std::chrono::microseconds(250);
    sources.http.connections = 3;
    sources.http.refused.add(RefusalReason::slow);
    sources.http.refused.add(RefusalReason::tls);
    sources.http.refused.add(RefusalReason::tls);
    return sources;
}

TEST(Metrics, ShowTheStructs) {
    std::string text = metrics_text(sources());
    for (std::string_view line :
         {"# TYPE belfry_events_published_total counter\n"
          "belfry_events_published_total{type=\"deploy\",protocol=\"native\"} 11\n",
          "belfry_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n",
          "belfry_deliveries_total{subscription=\"chat\",outcome=\"settled\"} 7\n",
          "belfry_deliveries_total{subscription=\"chat\",outcome=\"failed\"} 2\n",
          "belfry_subscription_active{subscription=\"chat\"} 0\n",
          "belfry_log_head_offset 42\n",
          "belfry_log_lines_lost_total 5\n",
          "belfry_log_commit_seconds_average 0.00025\n",
          "belfry_connections{protocol=\"http\"} 3\n",
          "belfry_http_refused_total{reason=\"malformed\"} 0\n",
          "belfry_http_refused_total{reason=\"slow\"} 1\n",
          "belfry_http_refused_total{reason=\"tls\"} 2\n"}) {
        EXPECT_TRUE(text.contains(line)) << line << "\n" << text;
    }
}

TEST(Metrics, TellWhenTheCertificateEndsIfThereIsOne) {
    constexpr std::string_view kName = "belfry_tls_certificate_expiry_timestamp_seconds";
    MetricSources some = sources();
    EXPECT_FALSE(metrics_text(some).contains(kName));
    some.http.certificate_expires = WallTime(std::chrono::seconds(1'800'000'000));
    EXPECT_TRUE(metrics_text(some).contains(std::string(kName) + " 1800000000\n"));
}

TEST(Metrics, TellTheAgeOfTheOldestDeadLetterOnceItIsKnown) {
    constexpr std::string_view kName = "belfry_dead_letter_oldest_seconds";
    MetricSources some = sources();
    EXPECT_FALSE(metrics_text(some).contains(kName));
    some.oldest_dead_letter = std::chrono::minutes(90);
    EXPECT_TRUE(metrics_text(some).contains(std::string(kName) + " 5400\n"));
}

// Reads the exposition as a scraper does and refuses what is not one: every sample belongs to the
// family that was declared just before, and no name or label set comes twice.
class Exposition {
 public:
    explicit Exposition(const std::string& text) {
        static const std::regex kSample(
            R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="[^"\\]*",?)*\})? ([0-9.e+-]+|\+Inf))re"
        );
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            std::smatch part;
            if (line.starts_with("# HELP ")) {
                family_ = line.substr(7, line.find(' ', 7) - 7);
                EXPECT_TRUE(families_.emplace(family_, "").second) << line;
            } else if (line.starts_with("# TYPE " + family_ + " ")) {
                families_[family_] = line.substr(8 + family_.size());
            } else if (std::regex_match(line, part, kSample)) {
                std::string name = part[1];
                bool part_of_histogram = families_[family_] == "histogram" &&
                                         (name == family_ + "_bucket" || name == family_ + "_sum" ||
                                          name == family_ + "_count");
                EXPECT_TRUE(name == family_ || part_of_histogram) << line;
                EXPECT_TRUE(samples_.emplace(part[1].str() + part[2].str(), part[4]).second)
                    << line;
            } else {
                ADD_FAILURE() << "not a line of an exposition: " << line;
            }
        }
        EXPECT_TRUE(text.ends_with('\n'));
    }
    [[nodiscard]] std::string type(const std::string& family) const { return families_.at(family); }
    [[nodiscard]] double value(const std::string& sample) const {
        auto at = samples_.find(sample);
        EXPECT_NE(at, samples_.end()) << sample;
        return at == samples_.end() ? -1 : std::stod(at->second);
    }
    // Its buckets rise to the count.
    [[nodiscard]] bool is_whole(const std::string& histogram) const {
        double last = 0;
        for (double bound : DurationHistogram::kBounds) {
            double count = value(fmt::format("{}_bucket{{le=\"{}\"}}", histogram, bound));
            if (count < last) {
                return false;
            }
            last = count;
        }
        double all = value(histogram + "_bucket{le=\"+Inf\"}");
        return all >= last && all == value(histogram + "_count") && type(histogram) == "histogram";
    }

 private:
    std::string family_;
    std::map<std::string, std::string> families_;
    std::map<std::string, std::string> samples_;
};

TEST(Metrics, HistogramsHaveCumulativeBucketsASumAndACount) {
    using namespace std::chrono_literals;
    MetricSources filled = sources();
    filled.log.commit_durations.add(200us);
    filled.log.publish_durations.add(3ms, 4);
    filled.log.publish_durations.add(200us);
    filled.hub.attempts.add(2h);
    filled.hub.lag.add(40s);
    Exposition exposition(metrics_text(filled));
    for (const char* name :
         {"belfry_log_fsync_seconds",
          "belfry_publish_duration_seconds",
          "belfry_delivery_duration_seconds",
          "belfry_delivery_lag_seconds"}) {
        EXPECT_TRUE(exposition.is_whole(name)) << name;
    }
    EXPECT_EQ(exposition.value("belfry_log_fsync_seconds_count"), 1);
    auto published = [&](const char* what) {
        return exposition.value(std::string("belfry_publish_duration_seconds_") + what);
    };
    EXPECT_EQ(published("bucket{le=\"0.0001\"}"), 0);
    EXPECT_EQ(published("bucket{le=\"0.00025\"}"), 1);
    EXPECT_EQ(published("bucket{le=\"0.0025\"}"), 1);
    EXPECT_EQ(published("bucket{le=\"0.005\"}"), 5);
    EXPECT_EQ(published("bucket{le=\"+Inf\"}"), 5);
    EXPECT_EQ(published("count"), 5);
    EXPECT_NEAR(published("sum"), 0.0122, 1e-9);
    EXPECT_EQ(exposition.value("belfry_delivery_duration_seconds_bucket{le=\"3600\"}"), 0);
    EXPECT_EQ(exposition.value("belfry_delivery_duration_seconds_count"), 1);
    EXPECT_EQ(exposition.value("belfry_delivery_lag_seconds_bucket{le=\"60\"}"), 1);
    EXPECT_TRUE(Exposition(metrics_text(sources())).is_whole("belfry_log_fsync_seconds"))
        << "before anything happened";
}

TEST(Metrics, SubscriptionsPastTheCapAreAddedUp) {
    MetricSources many = sources();
    many.subscriptions.clear();
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
