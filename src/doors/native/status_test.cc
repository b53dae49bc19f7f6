#include "doors/native/status.h"

#include "doors/native/native_door_fixture.h"

namespace belfry {
namespace {

class StatusReportsTest : public NativeDoorTest {};

TEST_F(StatusReportsTest, TheStatusTellsAboutEveryPart) {
    publish("deploy");
    server_status_.connections = 4;
    pass(std::chrono::seconds(90));
    std::string body = get("/api/v1/status").body;
    for (std::string_view part :
         {R"("version":"1.2.3")",
          R"("durability":"fsync")",
          R"("uptime_seconds":90)",
          R"("ready":true,"reasons":[])",
          R"("next":1)",
          R"("published":1)",
          R"("connections":4)",
          R"("stream_readers":0)"}) {
        EXPECT_TRUE(body.contains(part)) << part << "\n" << body;
    }
}

TEST_F(StatusReportsTest, EveryLimitIsListedWithItsSetting) {
    std::string body = get("/api/v1/limits").body;
    for (const LimitInfo& limit : limit_table()) {
        EXPECT_TRUE(body.contains("\"limits." + std::string(limit.name) + "\"")) << limit.name;
    }
    EXPECT_TRUE(body.contains(R"({"name":"limits.body_bytes","value":1048576,"unit":"bytes",)"))
        << body;
}

TEST_F(StatusReportsTest, HealthAndReadinessNeedNoRights) {
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/readyz").body, R"({"ready":true,"reasons":[]})");
    unready_ = {"stopping"};
    Answer answer = get("/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, R"({"ready":false,"reasons":["stopping"]})");
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(StatusReportsTest, AHubThatCannotSaveItsStateIsNotReady) {
    record_.answer_at_once = [](const SinkRecord::Seen&) {
        return Outcome{.kind = Outcome::Kind::settled, .status = 204};
    };
    std::string document =
        R"({"name":"chat","sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in"}})";
    Headers json{{"Content-Type", "application/json"}};
    EXPECT_EQ(ask(Method::post, "/api/v1/subscriptions", document, json).status, 201);
    state_.device().fail_writes(Error{.code = Errc::disk_full, .detail = "full"}, 1'000);
    publish("deploy");
    clock_.advance(std::chrono::seconds(1));
    run();
    Answer answer = get("/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, R"({"ready":false,"reasons":["state_not_saved"]})");
    EXPECT_TRUE(get("/metrics").body.contains("belfry_ready 0\n"));
    EXPECT_EQ(log_.told_of_full_disk, "full") << "its reserve may be what the state needs";
    state_.device().heal();
    clock_.advance(std::chrono::seconds(2));
    run();
    EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(StatusReportsTest, MetricsAreInPrometheusText) {
    publish("deploy");
    Answer answer = get("/metrics");
    EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_TRUE(answer.body.contains(
        "belfry_events_published_total{type=\"deploy\",protocol=\"native\"} 1\n"
    )) << answer.body;
    EXPECT_TRUE(answer.body.contains("belfry_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n"));
}

TEST_F(StatusReportsTest, MetricsCountHowLongDeliveriesTook) {
    record_.answer_at_once = [this](const SinkRecord::Seen&) {
        clock_.advance(std::chrono::milliseconds(30));
        return Outcome{.kind = Outcome::Kind::settled, .status = 204};
    };
    std::string document =
        R"({"name":"chat","sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in"}})";
    Headers json{{"Content-Type", "application/json"}};
    EXPECT_EQ(ask(Method::post, "/api/v1/subscriptions", document, json).status, 201);
    publish("deploy");
    publish("deploy");
    std::string body = get("/metrics").body;
    for (std::string_view line :
         {"belfry_delivery_duration_seconds_bucket{le=\"0.025\"} 0\n",
          "belfry_delivery_duration_seconds_bucket{le=\"0.05\"} 2\n",
          "belfry_delivery_duration_seconds_bucket{le=\"+Inf\"} 2\n",
          "belfry_delivery_duration_seconds_count 2\n",
          "belfry_delivery_duration_seconds_sum 0.06\n",
          "belfry_delivery_lag_seconds_count 2\n"}) {
        EXPECT_TRUE(body.contains(line)) << line << "\n" << body;
    }
}

TEST(UnreadyReasons, NameWhatIsWrongAndNothingElse) {
    HubStatus hub{.ready = true};
    LogStatus log;
    EXPECT_TRUE(unready_reasons(hub, log, {}).empty());
    log.read_only = true;
    log.disk_full = true;
    log.reason = "write /var/lib/belfry: no space";
    hub.ready = false;
    EXPECT_EQ(
        unready_reasons(hub, log, {"stopping"}),
        (std::vector<std::string>{"stopping", "log_read_only", "disk_full"})
    );
    EXPECT_EQ(unready_reasons(hub, LogStatus(), {}), std::vector<std::string>{"starting"});
    EXPECT_EQ(
        unready_reasons(hub, LogStatus(), {"stopping"}), std::vector<std::string>{"stopping"}
    );
}

}  // namespace
}  // namespace belfry
