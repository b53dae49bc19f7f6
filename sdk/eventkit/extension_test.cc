// An extension as its callers see it: its index, its paths, its health, and what ends its start.
#include "eventkit/extension_fixture.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace belfry::eventkit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string step() {
    return R"(,"experimentStepExecution":{"experimentKey":"ADM-1","executionId":1,"id":")" +
           uuid(50) + R"(","type":"action","state":"running","customLabel":"the step"})";
}

std::string target_of_step() {
    return R"(,"experimentStepTargetExecution":{"experimentKey":"ADM-1","executionId":1,"id":")" +
           uuid(60) + R"(","stepExecutionId":")" + uuid(50) +
           R"(","state":"running","agentHostname":"h","targetName":"n","targetType":"t",)"
           R"("targetAttributes":{}})";
}

TEST_F(ExtensionTest, AnswersItsIndexAndHandsEventsToWhoWantsThem) {
    std::mutex mutex;
    std::vector<std::string> seen;
    const auto note = [&](const std::string& who) {
        return [&, who](const Event& event) {
            const std::lock_guard lock(mutex);
            seen.push_back(who + " " + event.name);
        };
    };
    make().listen("/a", {"x"}, note("first"));
    extension->listen("/a", {"*"}, note("second"));
    extension->index_member("actions", "[1]");
    start();
    EXPECT_THAT(
        answer(request("GET /")),
        AllOf(
            StartsWith("HTTP/1.1 200 "),
            HasSubstr("Content-Type: application/json\r\n"),
            EndsWith(R"({"eventListeners":[{"path":"/a","method":"POST","listenTo":["*"]}],)"
                     R"("actions":[1]})")
        )
    );
    EXPECT_THAT(
        answer(request("POST /a", body("x", uuid(1)))),
        AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\n{}"))
    );
    EXPECT_THAT(answer(request("POST /a", body("new.name", uuid(2)))), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(stop(), 0);
    EXPECT_THAT(seen, ElementsAre("first x", "second x", "second new.name"));
}

TEST_F(ExtensionTest, AnIndexThatIsKnownIsNotSentAgain) {
    make();
    start();
    const std::string full = answer(request("GET /"));
    const std::size_t at = full.find("ETag: ") + 6;
    const std::string tag = full.substr(at, full.find('\r', at) - at);
    EXPECT_THAT(
        answer(request("GET /", "", "If-None-Match: \"x\"\r\nIf-None-Match: " + tag + "\r\n")),
        AllOf(StartsWith("HTTP/1.1 304 "), HasSubstr("ETag: " + tag), EndsWith("\r\n\r\n"))
    );
    extension->listen("/later", {"x"}, [](const Event&) {});
    EXPECT_THAT(
        answer(request("GET /", "", "If-None-Match: " + tag + "\r\n")),
        AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("/later"), Not(HasSubstr("ETag: " + tag)))
    );
    EXPECT_THAT(answer(request("POST /later", body("x"))), StartsWith("HTTP/1.1 200 "));
    extension->listen("not a path", {"x"}, [](const Event&) {});
    EXPECT_THAT(answer(request("GET /")), Not(HasSubstr("not a path"))) << "and lives on";
}

TEST_F(ExtensionTest, UnknownPathsAndWrongMethodsAreNotTheIndex) {
    make().listen("/a", {"x"}, [](const Event&) {}, Method::put);
    extension->listen("/a", {"x"}, [](const Event&) {}, Method::del);
    start();
    EXPECT_THAT(answer(request("POST /b", "{}")), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(answer(request("GET /a/")), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(
        answer(request("GET /a")),
        AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: PUT, DELETE\r\n"))
    );
    EXPECT_THAT(
        answer(request("DELETE /")),
        AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n"))
    );
    EXPECT_THAT(answer(request("DELETE /a", body("x"))), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(
        answer(request("PUT /a", body("x"), "Content-Encoding: gzip\r\n")),
        StartsWith("HTTP/1.1 415 ")
    );
    EXPECT_THAT(
        answer(request("PUT /a", body("nobody's"))),
        AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("{}"))
    );
}

TEST_F(ExtensionTest, TargetEventsFindTheirStepAfterARestart) {
    std::string directory = testing::TempDir() + "belfry-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    std::vector<std::string> labels;
    const auto run = [&](const std::string& content) {
        make({.step_cache_file = directory + "/steps"})
            .listen("/a", {"*"}, [&](const Event&, const Context& context) {
                const auto found = context.step();
                labels.push_back(found ? found->custom_label.value_or("") : "none");
            });
        start();
        EXPECT_THAT(answer(request("POST /a", content)), StartsWith("HTTP/1.1 200 "));
        EXPECT_EQ(stop(), 0);
    };
    run(body("target-started", uuid(1), target_of_step()));
    run(body("step-started", uuid(2), step()));
    run(body("target-started", uuid(3), target_of_step()));
    EXPECT_THAT(labels, ElementsAre("none", "the step", "the step"));
    std::filesystem::remove_all(directory);
}

TEST_F(ExtensionTest, AnyThreadMayChangeItWhileEventsAreHandled) {
    constexpr int kPeers = 4;
    constexpr int kEvents = 20;
    std::atomic<int> with_step = 0;
    make({.workers = 3, .queue_events = kPeers * kEvents})
        .listen("/a", {"*"}, [&](const Event&, const Context& context) {
            with_step += context.step() ? 1 : 0;
        });
    start();
    std::vector<std::thread> threads;
    threads.reserve(2);
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([this, own = std::to_string(i)] {
            for (int n = 0; n < kEvents; ++n) {
                extension->listen("/" + own + "/" + std::to_string(n), {"x"}, [](const Event&) {});
                extension->index_member("own" + own, "[" + std::to_string(n) + "]");
                extension->set_ready(n % 2 == 0);
            }
        });
    }
    std::vector<TestPeer> peers;
    for (int i = 0; i < kPeers; ++i) {
        std::string text;
        for (int n = 0; n < kEvents; ++n) {
            const std::string more = n % 2 == 0 ? step() : target_of_step();
            text += request("POST /a", body("x", uuid(i * kEvents + n), more)) + request("GET /");
        }
        peers.push_back(connect());
        peers.back().send(text);
    }
    for (TestPeer& peer : peers) {
        EXPECT_THAT(answers(peer, 2 * kEvents), Not(HasSubstr("HTTP/1.1 5")));
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_THAT(
        answer(request("GET /")),
        AllOf(HasSubstr("/0/19\""), HasSubstr("/1/19\""), HasSubstr(R"("own0":[19],"own1":[19])"))
    );
    EXPECT_EQ(stop(), 0);
    EXPECT_EQ(with_step, kPeers * kEvents);
}

TEST_F(ExtensionTest, HealthHasAPortOfItsOwn) {
    Options options;
    {
        // A port that was free a moment ago.
        Loop other;
        TestService service;
        const Limits limits;
        HttpServer probe(other, service, limits);
        ASSERT_TRUE(probe.listen("127.0.0.1:0").has_value());
        const std::string at = probe.address();
        options.health_port = static_cast<std::uint16_t>(std::stoi(at.substr(at.rfind(':') + 1)));
    }
    const std::string health = "127.0.0.1:" + std::to_string(options.health_port);
    make(options);
    start();
    const auto ask = [&](const std::string& text) {
        TestPeer peer(health);
        peer.send(text);
        return answers(peer);
    };
    EXPECT_THAT(ask(request("GET /health/liveness")), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(ask(request("GET /health/readiness")), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(ask(request("POST /health/readiness")), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(ask(request("GET /")), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(answer(request("GET /health/liveness")), StartsWith("HTTP/1.1 404 "));
    extension->set_ready(false);
    EXPECT_THAT(ask(request("GET /health/readiness")), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(ask(request("GET /health/liveness")), StartsWith("HTTP/1.1 200 "));
}

TEST(Extension, ThatIsToldNonsenseDoesNotBegin) {
    const LoggingRestored restored;
    Options options{.host = "127.0.0.1", .port = 0, .log_level = LogLevel::error};
    const auto run = [](Extension& extension) {
        testing::internal::CaptureStderr();
        const int result = extension.run();
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_EQ(result, 1);
        return said;
    };
    {
        Extension extension(options);
        extension.listen("here", {"x"}, [](const Event&) {});
        extension.listen("/a", {}, [](const Event&) {});
        EXPECT_THAT(run(extension), HasSubstr("here"));
    }
    {
        Extension extension(options);
        extension.index_member("actions", "{}");
        EXPECT_THAT(run(extension), HasSubstr("index member actions"));
    }
    {
        Extension extension(options);
        extension.listen("/a", {"x"}, Extension::Handler());
        EXPECT_THAT(run(extension), HasSubstr("no handler"));
    }
    {
        ::setenv("STEADYBIT_EXTENSION_PORT", "eighty", 1);
        Extension extension;
        ::unsetenv("STEADYBIT_EXTENSION_PORT");
        EXPECT_THAT(run(extension), HasSubstr("STEADYBIT_EXTENSION_PORT"));
    }
    {
        options.step_cache_file = "/proc/nowhere/steps";
        Extension extension(options);
        EXPECT_THAT(run(extension), HasSubstr("STEADYBIT_EXTENSION_STEP_CACHE_FILE: "));
    }
    {
        options.step_cache_file = "/proc/self";
        Extension extension(options);
        EXPECT_THAT(run(extension), HasSubstr("/proc/self is there and is no file"));
    }
}

}  // namespace
}  // namespace belfry::eventkit
