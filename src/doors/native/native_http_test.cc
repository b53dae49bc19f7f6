// The native door over real sockets: server, client, loop and log as the program has them, files in
// memory.
#include "auth/open_access.h"
#include "base/memory_file_system.h"
#include "base/seeded_rng.h"
#include "doors/native/native_door.h"
#include "doors/router.h"
#include "engine/embedded/embedded_log.h"
#include "engine/memory_kv.h"
#include "engine/memory_state.h"
#include "hub/recording_sink.h"
#include "net/http_client.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class NativeHttpTest : public testing::Test {
 protected:
    NativeHttpTest() {
        EmbeddedLogOptions options;
        options.directory = "/data";
        options.segment_bytes = kSegmentBytesMin;
        options.reserve_bytes = 0;
        auto opened = EmbeddedLog::open(
            options,
            EmbeddedLogPorts{
                .files = files_,
                .clock = loop_,
                .rng = rng_,
                .loop = loop_,
                .log_thread = loop_,
                .read_thread = loop_,
            }
        );
        EXPECT_TRUE(opened) << opened.error().detail;
        log_ = std::move(*opened);
        loop_.on_turn_end([this] { log_->end_turn(); });
        hub_.emplace(
            HubPorts{
                .clock = loop_,
                .rng = rng_,
                .log = *log_,
                .state = state_,
                .catalog = catalog_,
                .make_sink = [this](const Subscription& subscription
                             ) -> Result<std::unique_ptr<Sink>> {
                    return std::make_unique<RecordingSink>(record_, subscription.key(), "");
                },
            },
            HubOptions{},
            limits_
        );
        std::vector<Door> doors;
        doors.push_back(native_door(NativeDoorPorts{
            .hub = *hub_,
            .catalog = catalog_,
            .administration = administration_,
            .clock = loop_,
            .limits = limits_,
            .node = node_,
            .services = services_,
            .build = {.version = "1", .commit = "c"},
            .server_status = [this] { return server_->status(); },
        }));
        router_.emplace(std::move(doors), access_, limits_);
        server_.emplace(loop_, *router_, limits_);
        EXPECT_TRUE(server_->listen("127.0.0.1:0"));
        hub_->start([this](const Result<void>& started) {
            EXPECT_TRUE(started);
            loop_.stop();
        });
        loop_.run();
    }

    HttpCall call_for(std::string_view method, std::string_view target, std::string_view more) {
        std::string address = server_->address();
        HttpCall call;
        call.host = "127.0.0.1";
        call.port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
        call.head = std::string(method) + " " + std::string(target) +
                    " HTTP/1.1\r\nHost: " + address + "\r\n" + std::string(more) + "\r\n";
        call.timeout = 5s;
        call.head_request = method == "HEAD";
        return call;
    }
    HttpReply ask(
        std::string_view method,
        std::string_view target,
        std::string_view body = {},
        std::string_view more = {}
    ) {
        std::string headers(more);
        if (!body.empty()) {
            headers += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        }
        HttpCall call = call_for(method, target, headers);
        call.body = body;
        HttpReply got;
        client_.call(std::move(call), [&](Result<HttpReply> reply) {
            EXPECT_TRUE(reply) << reply.error().detail;
            got = reply ? std::move(*reply) : HttpReply();
            loop_.stop();
        });
        loop_.run();
        return got;
    }
    void publish(std::string_view type, std::string_view data = "x") {
        EXPECT_EQ(ask("POST", "/api/v1/events?type=" + std::string(type), data).status, 200);
    }

    Loop loop_;
    SeededRng rng_{1};
    Limits limits_;
    MemoryFileSystem files_;
    MemoryState state_{loop_};
    MemoryKv kv_{loop_};
    SinkRecord record_;
    Catalog catalog_{kv_, limits_};
    NodeIdentity node_{.name = "web-1"};
    Services services_{kv_, limits_};
    OpenAccess access_{Exposure::loopback_only};
    AccessDocuments access_documents_{kv_};
    AccessAdministration administration_{AccessAdministration::Ports{
        .documents = access_documents_, .clock = loop_, .rng = rng_, .limits = limits_
    }};
    std::unique_ptr<EmbeddedLog> log_;
    std::optional<Hub> hub_;
    std::optional<Router> router_;
    std::optional<HttpServer> server_;
    const OutboundGuard guard_ = OutboundGuard::unrestricted();
    HttpClient client_{loop_, limits_, guard_};
};

TEST_F(NativeHttpTest, AnEventIsPublishedAndReadBack) {
    HttpReply receipt =
        ask("POST", "/api/v1/events?type=deploy", "hello", "Content-Type: text/plain\r\n");
    EXPECT_EQ(receipt.status, 200) << receipt.body;
    EXPECT_TRUE(receipt.body.contains("\"offset\":0,\"durability\":\"fsync\"")) << receipt.body;
    EXPECT_EQ(receipt.header("belfry-durability"), "fsync");
    EXPECT_EQ(receipt.header("cache-control"), "no-store");
    EXPECT_TRUE(ask("GET", "/api/v1/events/0").body.contains("\"data\":\"hello\""));
    EXPECT_TRUE(ask("GET", "/api/v1/events?type=dep*").body.contains("\"type\":\"deploy\""));
    EXPECT_EQ(ask("HEAD", "/api/v1/events/0").body, "");
    EXPECT_EQ(ask("OPTIONS", "/api/v1/events").header("allow"), "GET, HEAD, POST, OPTIONS");
}

TEST_F(NativeHttpTest, TheSamePublishersIdGivesTheFirstReceiptAgain) {
    std::string first = ask("POST", "/api/v1/events?type=a&id=one", "x").body;
    EXPECT_EQ(first, R"({"id":"one","offset":0,"durability":"fsync"})");
    EXPECT_EQ(
        ask("POST", "/api/v1/events?type=a&id=one", "x").body,
        R"({"id":"one","offset":0,"duplicate":true,"durability":"fsync"})"
    );
    HttpReply other = ask("POST", "/api/v1/events?type=a&id=one", "other");
    EXPECT_EQ(other.status, 409);
    EXPECT_TRUE(other.body.contains(R"("code":"id_conflict")")) << other.body;
}

TEST_F(NativeHttpTest, PagesFollowNextToTheEnd) {
    for (int i = 0; i < 5; ++i) {
        publish("a");
    }
    std::string page = ask("GET", "/api/v1/events?limit=3").body;
    EXPECT_TRUE(page.ends_with("\"next\":2}")) << page;
    page = ask("GET", "/api/v1/events?limit=3&after=2").body;
    EXPECT_TRUE(page.contains("\"offset\":3") && page.contains("\"offset\":4")) << page;
}

TEST_F(NativeHttpTest, AStreamBeginsWithThePastAndGoesOnWithThePresent) {
    publish("old");
    publish("old");
    std::string text;
    std::uint64_t stream = client_.stream(
        call_for("GET", "/api/v1/events/stream?after=0", "Accept: text/event-stream\r\n"),
        [&](std::string_view bytes) {
            text += bytes;
            if (text.contains("id: 2\n")) {
                loop_.stop();
            } else if (text.contains("id: 1\ndata: {")) {
                HttpCall call =
                    call_for("POST", "/api/v1/events?type=fresh", "Content-Length: 1\r\n");
                call.body = "x";
                client_.call(std::move(call), [](auto reply) { EXPECT_EQ(reply->status, 200); });
            }
        },
        [](auto) {}
    );
    loop_.run();
    EXPECT_TRUE(text.starts_with("retry: 2000\nid: 0\n\nid: 1\ndata: {")) << text;
    EXPECT_TRUE(text.contains("\"type\":\"fresh\"")) << text;
    client_.cancel(stream);
}

TEST_F(NativeHttpTest, ALongPastReachesAReaderWhole) {
    std::string data(20'000, 'x');
    for (int i = 0; i < 100; ++i) {  // 2 MB, eight times what may be unsent to one reader
        publish("old", data);
    }
    std::string text;
    client_.stream(
        call_for("GET", "/api/v1/events/stream?after=0", ""),
        [&](std::string_view bytes) {
            text += bytes;
            if (text.contains("id: 99\n") && text.ends_with("}\n\n")) {
                loop_.stop();
            }
        },
        [&](auto) {
            ADD_FAILURE() << "the stream ended after " << text.size() << " bytes";
            loop_.stop();
        }
    );
    loop_.run();
    std::size_t at = 0;
    for (int i = 1; i < 100; ++i) {
        at = text.find("id: " + std::to_string(i) + "\ndata: ", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
}

TEST_F(NativeHttpTest, WhatTheServerRefusesIsAProblemToo) {
    HttpReply large =
        ask("POST", "/api/v1/events?type=a", std::string(limits_.body_bytes + 1, 'x'));
    EXPECT_EQ(large.status, 413);
    EXPECT_EQ(large.header("content-type"), "application/problem+json");
    EXPECT_TRUE(large.body.contains(R"("limit":1048576)")) << large.body;
    HttpReply path = ask("GET", "/api/v1/events/%2e%2e/status");
    EXPECT_EQ(path.status, 400);
    EXPECT_TRUE(path.body.contains(R"("code":"bad_request")")) << path.body;
}

TEST_F(NativeHttpTest, AForeignPageIsDenied) {
    EXPECT_EQ(
        ask("POST", "/api/v1/events?type=a", "x", "Origin: http://evil.example\r\n").status, 403
    );
    EXPECT_EQ(ask("GET", "/healthz", {}, "Sec-Fetch-Site: cross-site\r\n").status, 403);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(NativeHttpTest, AFullDiskIsSaidAndReadingGoesOn) {
    publish("a");
    files_.set_capacity(1);
    HttpReply full;
    for (int i = 0; i < 20 && full.status != 507; ++i) {
        full = ask("POST", "/api/v1/events?type=a", std::string(500'000, 'x'));
    }
    EXPECT_EQ(full.status, 507) << full.body;
    EXPECT_TRUE(full.body.contains(R"("code":"disk_full")")) << full.body;
    EXPECT_TRUE(full.header("retry-after"));
    EXPECT_EQ(ask("GET", "/readyz").body, R"({"ready":false,"reasons":["disk_full"]})");
    EXPECT_EQ(ask("GET", "/api/v1/events/0").status, 200);
}

}  // namespace
}  // namespace belfry
