#include "doors/native/status.h"

#include "base/logging.h"
#include "doors/json_writer.h"
#include "doors/native/answer.h"
#include "doors/native/metrics.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

std::string_view unit_name(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::bytes:
            return "bytes";
        case LimitUnit::count:
            return "count";
        case LimitUnit::milliseconds:
            return "milliseconds";
    }
    assert_failed("a limit has a unit", __FILE__, __LINE__);
}

std::uint64_t whole(auto duration, auto unit) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<decltype(unit)>(duration).count());
}

void write_log(JsonWriter& json, const LogStatus& log) {
    json.name("log").begin_object().member("first", log.first.value).member("next", log.next.value);
    json.member("bytes", log.bytes).member("segments", log.segments);
    json.member("read_only", log.read_only).member("disk_full", log.disk_full);
    if (!log.reason.empty()) {
        json.member("reason", log.reason);
    }
    json.member("commits", log.commits).member("appended", log.appended);
    json.member("commit_average_us", whole(log.commit_average, std::chrono::microseconds()));
    json.member("on_log_thread", log.on_log_thread);
    json.member("checksum_failures", log.checksum_failures).member("gap_events", log.gap_events);
    json.end_object();
}

void write_hub(JsonWriter& json, const HubStatus& hub) {
    json.name("hub").begin_object().member("published", hub.published);
    json.member("duplicates", hub.duplicates).member("delivered", hub.delivered);
    json.member("failed_attempts", hub.failed_attempts);
    json.member("dead_lettered", hub.dead_lettered).member("expired", hub.expired);
    json.member("subscriptions", hub.subscriptions).member("open_circuits", hub.open_circuits);
    json.end_object();
}

void write_http(JsonWriter& json, const HttpServerStatus& http, std::size_t stream_readers) {
    json.name("http").begin_object().member("connections", http.connections);
    json.member("accepted", http.accepted).member("requests", http.requests);
    json.member("refused", http.refused.all()).member("bytes_in", http.bytes_in);
    json.member("bytes_out", http.bytes_out).member("stream_readers", stream_readers);
    json.end_object();
}

void write_reasons(JsonWriter& json, const std::vector<std::string>& reasons) {
    json.member("ready", reasons.empty()).name("reasons").begin_array();
    for (const std::string& reason : reasons) {
        json.text(reason);
    }
    json.end_array();
}

}  // namespace

std::vector<std::string> unready_reasons(
    const HubStatus& hub, const LogStatus& log, std::vector<std::string> others
) {
    if (log.read_only) {
        others.emplace_back("log_read_only");
    }
    if (log.disk_full) {
        others.emplace_back("disk_full");
    }
    if (!hub.ready && others.empty()) {
        // The log is well, so this word is the hub's own.
        others.emplace_back(hub.reason.empty() ? "starting" : hub.reason);
    }
    return others;
}

StatusReports::StatusReports(NativeDoorPorts ports, std::function<std::size_t()> stream_readers)
    : ports_(std::move(ports)),
      stream_readers_(std::move(stream_readers)),
      started_(ports_.clock.now()) {}

void StatusReports::status(RequestContext& context) {
    HubStatus hub = ports_.hub.status();
    LogStatus log = ports_.hub.log().status();
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("version", ports_.build.version);
    json.member("commit", ports_.build.commit).member("durability", ports_.durability);
    json.member("uptime_seconds", whole(ports_.clock.now() - started_, std::chrono::seconds()));
    write_reasons(
        json,
        unready_reasons(
            hub, log, ports_.unready_reasons ? ports_.unready_reasons() : std::vector<std::string>()
        )
    );
    if (!hub.reason.empty()) {
        json.member("reason", hub.reason);
    }
    write_log(json, log);
    write_hub(json, hub);
    write_http(json, ports_.server_status(), stream_readers_());
    json.end_object();
    answer_json(context.exchange, 200, out);
}

void StatusReports::limits(RequestContext& context) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("limits").begin_array();
    for (const LimitInfo& limit : limit_table()) {
        json.begin_object().member("name", "limits." + std::string(limit.name));
        json.member("value", ports_.limits.*limit.member).member("unit", unit_name(limit.unit));
        json.member("bounds", limit.text).end_object();
    }
    json.end_array().end_object();
    answer_json(context.exchange, 200, out);
}

void StatusReports::alive(RequestContext& context) {
    answer_json(context.exchange, 200, "{\"alive\":true}");
}

void StatusReports::ready(RequestContext& context) {
    std::vector<std::string> reasons = unready_reasons(
        ports_.hub.status(),
        ports_.hub.log().status(),
        ports_.unready_reasons ? ports_.unready_reasons() : std::vector<std::string>()
    );
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_reasons(json, reasons);
    json.end_object();
    if (reasons.empty()) {
        return answer_json(context.exchange, 200, out);
    }
    answer_json(context.exchange, 503, out, "Retry-After: 1\r\n");
}

void StatusReports::ask_oldest_dead_letter() {
    if (std::exchange(oldest_->asking, true)) {
        return;
    }
    ports_.hub.oldest_dead_letter([oldest = oldest_](Result<std::optional<WallTime>> found) {
        oldest->asking = false;
        oldest->known = found.has_value();
        oldest->at = found.value_or(std::nullopt);
    });
}

void StatusReports::metrics(RequestContext& context) {
    MetricSources sources{
        .hub = ports_.hub.status(),
        .published = ports_.hub.published(),
        .log = ports_.hub.log().status(),
        .http = ports_.server_status(),
        .stream_readers = stream_readers_(),
        .process = read_process_status(),
        .log_lines_lost = log_lines_lost(),
        .build = ports_.build,
    };
    if (oldest_->known) {
        sources.oldest_dead_letter =
            oldest_->at ? std::max<Duration>(ports_.clock.wall() - *oldest_->at, Duration::zero())
                        : Duration::zero();
    }
    ask_oldest_dead_letter();
    for (const Subscription* subscription : ports_.catalog.list("default")) {
        if (Result<SubscriptionStatus> status =
                ports_.hub.subscription_status(subscription->key())) {
            sources.subscriptions.emplace_back(subscription->name, std::move(*status));
        }
    }
    context.exchange.respond(HttpResponse{
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
        .headers = kApiHeaders,
        .body = metrics_text(sources)
    });
}

}  // namespace belfry
