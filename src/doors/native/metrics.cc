#include "doors/native/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

namespace belfry {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
    // A family with one number and no labels.
    void counter(const char* name, const char* help, double value) {
        add(name, help, MetricType::Counter);
        sample(value);
    }
    void gauge(const char* name, const char* help, double value) {
        add(name, help, MetricType::Gauge);
        sample(value);
    }

    void histogram(const char* name, const char* help, const DurationHistogram& durations) {
        add(name, help, MetricType::Histogram);
        ClientMetric::Histogram sum;
        sum.sample_sum = durations.sum_seconds;
        for (std::size_t i = 0; i < DurationHistogram::kBounds.size(); ++i) {
            sum.sample_count += durations.counts[i];
            sum.bucket.push_back({sum.sample_count, DurationHistogram::kBounds[i]});
        }
        sum.sample_count += durations.counts.back();  // the serializer makes it the bucket +Inf
        families_.back().metric.emplace_back().histogram = std::move(sum);
    }

    // A family whose numbers come with sample().
    void add(const char* name, const char* help, MetricType type) {
        families_.push_back(MetricFamily{name, help, type, {}});
    }
    void sample(double value, Labels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        // Both: the serializer reads the one that the family's type names.
        metric.counter.value = value;
        metric.gauge.value = value;
        families_.back().metric.push_back(std::move(metric));
    }

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        out.imbue(std::locale::classic());
        prometheus::TextSerializer().Serialize(out, families_);
        return std::move(out).str();
    }

 private:
    std::vector<MetricFamily> families_;
};

double number(std::uint64_t value) {
    return static_cast<double>(value);
}
double seconds(Duration value) {
    return std::chrono::duration<double>(value).count();
}

void add_log(Families& families, const LogStatus& log) {
    families.gauge(
        "belfry_log_first_offset", "Oldest event that can be read", number(log.first.value)
    );
    families.gauge(
        "belfry_log_head_offset", "Offset that the next event gets", number(log.next.value)
    );
    families.gauge("belfry_log_bytes", "Size of the log on disk", number(log.bytes));
    families.gauge("belfry_log_segments", "Files of the log", number(log.segments));
    families.counter("belfry_log_commits_total", "Durable writes", number(log.commits));
    families.counter(
        "belfry_log_appended_total", "Events written to the log", number(log.appended)
    );
    families.gauge(
        "belfry_log_commit_seconds_average",
        "Moving average of one durable write",
        seconds(log.commit_average)
    );
    families.histogram(
        "belfry_log_fsync_seconds", "Write and sync of one commit", log.commit_durations
    );
    families.histogram(
        "belfry_publish_duration_seconds",
        "From an event's arrival (that of the first of its commit) until it was durable",
        log.publish_durations
    );
    families.gauge(
        "belfry_log_on_log_thread",
        "1 while commits run on the log thread because the disk is slow",
        log.on_log_thread ? 1 : 0
    );
    families.gauge("belfry_log_read_only", "1 after a failed sync", log.read_only ? 1 : 0);
    families.gauge("belfry_log_disk_full", "1 while the disk has no room", log.disk_full ? 1 : 0);
    families.counter(
        "belfry_log_checksum_failures_total",
        "Records whose checksum was wrong",
        number(log.checksum_failures)
    );
    families.gauge("belfry_log_gap_events", "Offsets that cannot be read", number(log.gap_events));
}

void add_published(Families& families, const PublishCounts& published) {
    families.add(
        "belfry_events_published_total",
        "Events taken in and made durable, by type and door",
        MetricType::Counter
    );
    published.for_each([&](const std::string& door, const std::string& type, std::uint64_t count) {
        families.sample(number(count), {{"type", type}, {"protocol", door}});
    });
}

void add_hub(Families& families, const HubStatus& hub) {
    families.counter(
        "belfry_events_duplicate_total",
        "Events that were stored before and got their first receipt again",
        number(hub.duplicates)
    );
    families.histogram(
        "belfry_delivery_duration_seconds", "One attempt, however it ended", hub.attempts
    );
    families.histogram(
        "belfry_delivery_lag_seconds",
        "From when an event was recorded until a subscription settled it",
        hub.lag
    );
    families.counter(
        "belfry_dead_lettered_total",
        "Events that a subscription gave up on",
        number(hub.dead_lettered)
    );
    families.counter(
        "belfry_retries_exhausted_total",
        "Of those, events whose last attempt failed",
        number(hub.exhausted)
    );
    families.counter(
        "belfry_events_expired_total",
        "Undelivered events that retention passed",
        number(hub.expired)
    );
    families.gauge("belfry_subscriptions", "Subscriptions", number(hub.subscriptions));
    families.gauge(
        "belfry_circuits_open", "Endpoints that are given a rest", number(hub.open_circuits)
    );
    families.gauge("belfry_ready", "1 once subscriptions are served", hub.ready ? 1 : 0);
}

void add_http(Families& families, const HttpServerStatus& http, std::size_t stream_readers) {
    families.add("belfry_connections", "Open connections", MetricType::Gauge);
    families.sample(number(http.connections), {{"protocol", "http"}});
    families.counter("belfry_http_accepted_total", "Connections accepted", number(http.accepted));
    families.counter("belfry_http_requests_total", "Requests read", number(http.requests));
    families.add(
        "belfry_http_refused_total",
        "Requests and handshakes of TLS that the server refused itself, by reason",
        MetricType::Counter
    );
    for (std::size_t i = 0; i < kRefusalReasons.size(); ++i) {
        families.sample(
            number(http.refused.of(static_cast<RefusalReason>(i))),
            {{"reason", std::string(kRefusalReasons[i])}}
        );
    }
    families.counter(
        "belfry_http_rejected_total",
        "Connections closed unheard: too many, or out of descriptors",
        number(http.rejected)
    );
    families.counter(
        "belfry_http_sends_total", "System calls that sent answers", number(http.sends)
    );
    families.counter("belfry_http_received_bytes_total", "Bytes read", number(http.bytes_in));
    families.counter("belfry_http_sent_bytes_total", "Bytes written", number(http.bytes_out));
    if (http.certificate_expires != WallTime::max()) {
        families.gauge(
            "belfry_tls_certificate_expiry_timestamp_seconds",
            "When the server's certificate ends",
            seconds(http.certificate_expires.time_since_epoch())
        );
    }
    families.gauge(
        "belfry_http_bytes_in_flight",
        "Requests not whole yet and answers not sent yet",
        number(http.bytes_in_flight)
    );
    families.gauge("belfry_stream_readers", "Open event streams", number(stream_readers));
}

void add_process(Families& families, const ProcessStatus& process) {
    families.counter(
        "process_cpu_seconds_total", "Processor time used, user and system", process.cpu_seconds
    );
    families.gauge(
        "process_resident_memory_bytes", "Resident memory", number(process.resident_bytes)
    );
    families.gauge("process_virtual_memory_bytes", "Virtual memory", number(process.virtual_bytes));
    families.gauge("process_open_fds", "Open file descriptors", number(process.open_fds));
    families.gauge("process_max_fds", "Most file descriptors allowed", number(process.max_fds));
    families.gauge(
        "process_start_time_seconds", "When the process started, since 1970", process.start_seconds
    );
}

// Adds `status` up into `sum`.
void add_up(SubscriptionStatus& sum, const SubscriptionStatus& status) {
    sum.pending += status.pending;
    sum.retrying += status.retrying;
    sum.in_flight += status.in_flight;
    sum.dead += status.dead;
    sum.settled += status.settled;
    sum.failed += status.failed;
    sum.circuit_open |= status.circuit_open;
}

void add_subscriptions(
    Families& families, std::vector<std::pair<std::string, SubscriptionStatus>> rows
) {
    if (rows.size() > kLabelValuesMax) {
        std::pair<std::string, SubscriptionStatus> other{"__other__", {}};
        for (const auto& [name, status] : std::span(rows).subspan(kLabelValuesMax)) {
            add_up(other.second, status);
        }
        rows.resize(kLabelValuesMax);
        rows.push_back(std::move(other));
    }
    auto family = [&](const char* name, const char* help, MetricType type, auto value) {
        families.add(name, help, type);
        for (const auto& [subscription, status] : rows) {
            families.sample(number(value(status)), {{"subscription", subscription}});
        }
    };
    using Status = SubscriptionStatus;
    family(
        "belfry_delivery_lag_events",
        "Events of the log not examined yet",
        MetricType::Gauge,
        [](const Status& status) { return status.pending; }
    );
    family(
        "belfry_delivery_retrying",
        "Events that wait for another attempt",
        MetricType::Gauge,
        [](const Status& status) { return status.retrying; }
    );
    family(
        "belfry_delivery_in_flight",
        "Attempts under way",
        MetricType::Gauge,
        [](const Status& status) { return status.in_flight; }
    );
    family(
        "belfry_dead_letters",
        "Dead letters that are kept",
        MetricType::Gauge,
        [](const Status& status) { return status.dead; }
    );
    families.add(
        "belfry_deliveries_total", "Attempts to deliver, by how they ended", MetricType::Counter
    );
    for (const auto& [subscription, status] : rows) {
        families.sample(
            number(status.settled), {{"subscription", subscription}, {"outcome", "settled"}}
        );
        families.sample(
            number(status.failed), {{"subscription", subscription}, {"outcome", "failed"}}
        );
    }
    family(
        "belfry_subscription_active",
        "1 while it is delivered to, 0 while it is paused or disabled",
        MetricType::Gauge,
        [](const Status& status) {
            return std::uint64_t{status.state == SubscriptionState::active};
        }
    );
    family(
        "belfry_circuit_open",
        "1 while the endpoint is given a rest",
        MetricType::Gauge,
        [](const Status& status) { return std::uint64_t{status.circuit_open}; }
    );
}

}  // namespace

std::string metrics_text(const MetricSources& sources) {
    Families families;
    families.add("belfry_build_info", "What is running; always 1", MetricType::Gauge);
    families.sample(1, {{"version", sources.build.version}, {"commit", sources.build.commit}});
    add_published(families, sources.published);
    add_hub(families, sources.hub);
    add_log(families, sources.log);
    add_http(families, sources.http, sources.stream_readers);
    add_subscriptions(families, sources.subscriptions);
    if (sources.oldest_dead_letter) {
        families.gauge(
            "belfry_dead_letter_oldest_seconds",
            "Age of the oldest dead letter at the scrape before; 0 without any",
            seconds(*sources.oldest_dead_letter)
        );
    }
    add_process(families, sources.process);
    families.counter(
        "belfry_log_lines_lost_total",
        "Lines of log that standard error did not take",
        number(sources.log_lines_lost)
    );
    return families.text();
}

}  // namespace belfry
