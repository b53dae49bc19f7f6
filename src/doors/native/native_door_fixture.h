// A whole hub with its doors in front, for tests: log, stores and sinks in memory, time and
// clients in the test's hands.
#pragma once

#include "auth/access_administration.h"
#include "auth/token_access.h"
#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "doors/consul/consul_door.h"
#include "doors/native/extensions.h"
#include "doors/native/native_door.h"
#include "doors/recording_connection.h"
#include "doors/router.h"
#include "doors/steadybit/steadybit_door.h"
#include "engine/memory_kv.h"
#include "engine/memory_log.h"
#include "engine/memory_state.h"
#include "hub/recording_sink.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace belfry {

class NativeDoorTest : public testing::Test {
 protected:
    using Answer = RecordingConnection::Answer;
    using Headers = std::vector<HeaderField>;

    NativeDoorTest() {
        access_documents_.start([this] { access_.documents_changed(); }, [] {});
        services_.start([] {});
        registered_extensions_.start([] {});
        hub_.start([this](const Result<void>& started) { started_ = started.has_value(); });
        router_ = std::make_unique<Router>(doors(), access_, limits_);
        run();
        EXPECT_TRUE(started_);
    }

    // Until nothing is left to do at this time.
    void run() {
        do {
            loop_.run_all();
            clock_.advance(Duration::zero());
        } while (loop_.size() > 0 || clock_.next_timer() <= clock_.now());
    }
    void pass(Duration time) {
        clock_.advance(time);
        run();
    }

    // Sends a request and gives the number of its answer.
    std::uint64_t send(
        Method method, std::string_view target, std::string_view body = {}, Headers headers = {}
    ) {
        headers.insert(headers.begin(), HeaderField{"Host", "localhost:8420"});
        HttpRequest request;
        request.method = method;
        request.method_text = name_of(method);
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        request.query = target.contains('?') ? target.substr(target.find('?') + 1) : "";
        request.headers = headers;
        request.body = body;
        request.peer = peer_;
        request.peer_is_loopback = true;
        auto [exchange, number] = connection_.open();
        router_->handle(request, std::move(exchange));
        run();
        return number;
    }
    Answer ask(
        Method method, std::string_view target, std::string_view body = {}, Headers headers = {}
    ) {
        Answer answer = connection_.answer(send(method, target, body, std::move(headers)));
        EXPECT_FALSE(answer.dropped);
        return answer;
    }
    static std::string_view name_of(Method method) {
        switch (method) {
            case Method::get:
                return "GET";
            case Method::post:
                return "POST";
            case Method::put:
                return "PUT";
            case Method::del:
                return "DELETE";
            case Method::head:
                return "HEAD";
            case Method::options:
                return "OPTIONS";
            default:
                return "OTHER";
        }
    }
    Answer get(std::string_view target) { return ask(Method::get, target); }

    // Publishes a plain event and expects it to be taken.
    void publish(std::string_view type, std::string_view data = "x", std::string_view more = "") {
        std::string target = "/api/v1/events?type=" + std::string(type) + std::string(more);
        EXPECT_EQ(ask(Method::post, target, data).status, 200);
    }

    ManualClock clock_;
    ManualExecutor loop_;
    SeededRng rng_{1};
    Limits limits_;
    MemoryLog log_{clock_, rng_, loop_};
    MemoryState state_{loop_};
    MemoryKv kv_{loop_};
    SinkRecord record_;
    HttpServerStatus server_status_;
    std::vector<std::string> unready_;
    RecordingConnection connection_;
    Catalog catalog_{kv_, limits_};
    Services services_{kv_, limits_};
    NodeIdentity node_{.name = "web-1", .id = node_id("web-1")};
    ConsulOptions consul_options_;
    SteadybitOptions steadybit_options_;
    AccessDocuments access_documents_{kv_};
    TokenAccess access_{access_documents_, clock_, rng_, TokenAccessOptions{}};
    AccessAdministration administration_{AccessAdministration::Ports{
        .documents = access_documents_, .clock = clock_, .rng = rng_, .limits = limits_
    }};
    Hub hub_{
        HubPorts{
            .clock = clock_,
            .rng = rng_,
            .log = log_,
            .state = state_,
            .catalog = catalog_,
            .make_sink = [this](const Subscription& subscription) -> Result<std::unique_ptr<Sink>> {
                const auto* webhook = std::get_if<WebhookSink>(&subscription.sink);
                return std::make_unique<RecordingSink>(
                    record_, subscription.key(), webhook == nullptr ? "" : webhook->url
                );
            },
        },
        HubOptions{},
        limits_
    };
    // What the registry of extensions asked for; a test answers.
    struct IndexCall {
        HttpCall call;
        HttpReplyDone done;
    };
    std::deque<IndexCall> index_calls_;
    Extensions registered_extensions_{kv_, limits_};
    KeptIndexes kept_indexes_{kv_, limits_};
    SteadybitExtensions served_extensions_;
    ExtensionRegistry extension_registry_{ExtensionRegistryPorts{
        .send = [this](
                    HttpCall call, HttpReplyDone done
                ) { index_calls_.push_back({std::move(call), std::move(done)}); },
        .make_tls = [this](const TlsClientFiles&) { return tls_; },
        .clock = clock_,
        .hub = hub_,
        .catalog = catalog_,
        .extensions = registered_extensions_,
        .indexes = kept_indexes_,
        .calls = served_extensions_,
        .limits = limits_,
        .user_agent = "Belfry/1.2.3",
    }};
    Result<std::shared_ptr<const TlsContext>> tls_ = nullptr;  // what certificates become
    bool started_ = false;
    std::string peer_ = "127.0.0.1";  // where clients are
    std::unique_ptr<Router> router_;

    std::vector<Door> doors() {
        std::vector<Door> doors;
        doors.push_back(native_door(NativeDoorPorts{
            .hub = hub_,
            .catalog = catalog_,
            .administration = administration_,
            .clock = clock_,
            .limits = limits_,
            .node = node_,
            .services = services_,
            .build = {.version = "1.2.3", .commit = "abc"},
            .server_status = [this] { return server_status_; },
            .unready_reasons = [this] { return unready_; },
        }));
        add_extension_routes(doors.back(), extension_registry_);
        doors.push_back(consul_door(ConsulDoorPorts{
            .hub = hub_,
            .clock = clock_,
            .limits = limits_,
            .node = node_,
            .services = services_,
            .denies_by_default = [this] { return access_documents_.closed(); },
            .build = {.version = "1.2.3", .commit = "abc"},
            .options = consul_options_,
        }));
        doors.push_back(steadybit_door(SteadybitDoorPorts{
            .hub = hub_, .clock = clock_, .limits = limits_, .options = steadybit_options_
        }));
        return doors;
    }
};

}  // namespace belfry
