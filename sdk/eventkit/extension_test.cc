// An extension in this process, on a thread and a loopback port of its own, called over HTTP.
#include "base/logging.h"
#include "net/loop.h"
#include "net/test_peer.h"

#include <belfry/eventkit.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace belfry::eventkit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kId = "11111111-1111-4111-8111-111111111111";

std::string body(std::string_view name, std::string_view id = kId, std::string_view more = "") {
    return R"({"id":")" + std::string(id) + R"(","eventName":")" + std::string(name) +
           R"(","eventTime":"2026-03-01T12:00:00Z","tenant":{"key":"t","name":"T"},)"
           R"("principal":{"principalType":"batch_job","username":"b"})" +
           std::string(more) + "}";
}

std::string execution(int number) {
    return R"(,"experimentExecution":{"experimentKey":"ADM-1","executionId":)" +
           std::to_string(number) +
           R"(,"name":"n","hypothesis":"","preparedTime":"2026-03-01T12:00:00Z",)"
           R"("startedTime":"2026-03-01T12:00:00Z","state":"running"})";
}

std::string uuid(int number) {
    std::string id(kId);
    const std::string digits = std::to_string(1000 + number);
    return id.replace(id.size() - digits.size(), digits.size(), digits);
}

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

std::string request(
    std::string_view line, std::string_view content = "", std::string_view headers = ""
) {
    return std::string(line) +
           " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(content.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(content);
}

ExtensionError typed_error() {
    ExtensionError error("Cannot", "because");
    error.type = "urn:x";
    return error;
}

// Opens once, for handlers that are to take their time.
class Gate {
 public:
    void open() { opened_.set_value(); }
    void wait() const { future_.wait(); }

 private:
    std::promise<void> opened_;
    std::shared_future<void> future_ = opened_.get_future().share();
};

// Extensions set the level of the process; other tests here listen for warnings.
struct LoggingRestored {
    ~LoggingRestored() { set_up_logging(belfry::LogLevel::info, belfry::LogFormat::text); }
};

struct ExtensionTest : testing::Test {
    ~ExtensionTest() override {
        if (thread.joinable()) {
            stop();
        }
    }

    Extension& make(Options options = {}) {
        options.host = "127.0.0.1";
        options.port = 0;
        options.log_level = LogLevel::error;
        options.drain_time = std::chrono::seconds(60);
        extension.emplace(std::move(options));
        return *extension;
    }
    void start() {
        std::promise<std::string> where;
        extension->when_listening([&where](const std::string& at) { where.set_value(at); });
        thread = std::thread([this] { result = extension->run(); });
        const std::string url = where.get_future().get();
        address = url.substr(7, url.size() - 8);
    }
    int stop() {
        extension->stop();
        thread.join();
        return result;
    }
    TestPeer connect() const { return TestPeer(address); }
    // The answers that came on a connection once there are so many of them.
    std::string answers(TestPeer& peer, std::size_t count = 1) {
        EXPECT_TRUE(run_until(loop, [&] {
            return ServerFixture::answers(peer.received()) >= count || peer.ended();
        }));
        return peer.received();
    }
    std::string answer(const std::string& text) {
        TestPeer peer = connect();
        peer.send(text);
        return answers(peer);
    }
    bool until(std::function<bool()> done) { return run_until(loop, std::move(done)); }

    const LoggingRestored restored;
    std::optional<Extension> extension;
    std::string address;
    std::thread thread;
    int result = -1;
    Loop loop;
};

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

TEST_F(ExtensionTest, WhatAHandlerThrowsIsAnsweredAndItLivesOn) {
    make().listen("/a", {"x"}, [](const Event& event) {
        if (event.id == uuid(1)) {
            throw typed_error();
        }
        if (event.id == uuid(2)) {
            throw std::runtime_error("broken");
        }
        if (event.id == uuid(3)) {
            throw 3;
        }
    });
    start();
    EXPECT_THAT(
        answer(request("POST /a", body("x", uuid(1)))),
        AllOf(
            StartsWith("HTTP/1.1 500 "),
            HasSubstr("Content-Type: application/json\r\n"),
            EndsWith(R"({"title":"Cannot","detail":"because","type":"urn:x"})")
        )
    );
    EXPECT_THAT(
        answer(request("POST /a", body("x", uuid(2)))),
        EndsWith(R"({"title":"Internal Server Error","detail":"broken"})")
    );
    EXPECT_THAT(
        answer(request("POST /a", body("x", uuid(3)))),
        HasSubstr(R"("title":"Internal Server Error")")
    );
    EXPECT_THAT(answer(request("POST /a", body("x", uuid(4)))), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ExtensionTest, BodiesThatAreNoEventAreAnsweredAsTheOptionsSay) {
    make({.body_bytes = 1000, .schema_status = 400}).listen("/a", {"*"}, [](const Event&) {});
    start();
    EXPECT_THAT(
        answer(request("POST /a", "{}")),
        AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr(R"("detail":"id is missing)"))
    );
    EXPECT_THAT(answer(request("POST /a", "[")), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(
        answer(request("POST /a", std::string(1001, ' '))),
        AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr(R"("title":)"))
    );
}

TEST_F(ExtensionTest, WhoWaitsNoLongerIsAnsweredAndTheHandlerGoesOn) {
    Gate gate;
    std::atomic<int> calls = 0;
    std::atomic<bool> was_cancelled = false;
    make().listen("/a", {"*"}, [&](const Event&, const Context& context) {
        ++calls;
        EXPECT_EQ(context.header("request-timeout"), "0.05");
        EXPECT_EQ(context.header("x-none"), std::nullopt);
        EXPECT_LT(context.deadline(), std::chrono::steady_clock::time_point::max());
        gate.wait();
        was_cancelled = context.is_cancelled();
    });
    start();
    // A call that no worker begins in its time is as if it had not come.
    const std::string call = request("POST /a", body("x"), "Request-Timeout: 0.05\r\n");
    std::string first;
    std::string second = answer(call);
    EXPECT_TRUE(until([&] {
        first = std::exchange(second, answer(call));
        return !second.ends_with("\r\n\r\nTimeout");
    }));
    EXPECT_THAT(
        first,
        AllOf(
            StartsWith("HTTP/1.1 503 "),
            HasSubstr("Content-Type: text/plain\r\n"),
            EndsWith("\r\n\r\nTimeout")
        )
    );
    EXPECT_THAT(
        second,
        AllOf(
            StartsWith("HTTP/1.1 503 "),
            HasSubstr("Retry-After: 1\r\n"),
            HasSubstr("earlier attempt")
        )
    ) << "it is still being handled";
    gate.open();
    EXPECT_TRUE(until([&] {
        return answer(request("POST /a", body("x"))).starts_with("HTTP/1.1 200 ");
    }));
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(was_cancelled);
}

TEST_F(ExtensionTest, AHandlerThatHangsHoldsUpNoConnectionThatComesLater) {
    Gate gate;
    std::atomic<bool> hangs = false;
    make().listen("/hangs", {"*"}, [&](const Event&) {
        hangs = true;
        gate.wait();
    });
    extension->listen("/b", {"*"}, [](const Event&) {});
    start();
    EXPECT_TRUE(until([&] {
        EXPECT_THAT(
            answer(request("POST /hangs", body("x"), "Request-Timeout: 0.05\r\n")),
            StartsWith("HTTP/1.1 503 ")
        );
        return hangs.load();
    }));
    for (int i = 0; i < 5; ++i) {
        EXPECT_THAT(
            answer(request("POST /b", body("x", uuid(i)), "Request-Timeout: 20\r\n")),
            StartsWith("HTTP/1.1 200 ")
        ) << i;
    }
    gate.open();
    EXPECT_EQ(stop(), 0);
}

TEST_F(ExtensionTest, AnEventIsHandledOnceByEachListenerUnlessThatFailed) {
    std::atomic<int> first = 0;
    std::atomic<int> second = 0;
    make().listen("/a", {"*"}, [&](const Event&) {
        if (++first == 1) {
            throw std::runtime_error("not yet");
        }
    });
    extension->listen("/b", {"*"}, [&](const Event&) { ++second; });
    start();
    EXPECT_THAT(answer(request("POST /a", body("x"))), StartsWith("HTTP/1.1 500 "));
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(answer(request("POST /a", body("x"))), StartsWith("HTTP/1.1 200 "));
        EXPECT_THAT(answer(request("POST /b", body("x"))), StartsWith("HTTP/1.1 200 "));
    }
    EXPECT_EQ(stop(), 0);
    EXPECT_EQ(first, 2);
    EXPECT_EQ(second, 1);
}

TEST_F(ExtensionTest, EventsOfOneConnectionAreHandledAndAnsweredInOrder) {
    std::vector<std::string> order;  // no lock: they come one after another
    make().listen("/a", {"*"}, [&](const Event& event) { order.push_back(event.id); });
    start();
    TestPeer peer = connect();
    std::string pipelined;
    std::vector<std::string> expected;
    for (int i = 0; i < 100; ++i) {
        pipelined += request("POST /a", body("x", uuid(i)));
        expected.push_back(uuid(i));
    }
    peer.send(pipelined);
    EXPECT_EQ(ServerFixture::answers(answers(peer, 100)), 100U);
    EXPECT_EQ(order, expected);
}

TEST_F(ExtensionTest, CallsThatNobodyWaitsForAreNotBegun) {
    Gate gate;
    std::atomic<int> calls = 0;
    make({.workers = 1, .queue_events = 1}).listen("/a", {"*"}, [&](const Event&) {
        ++calls;
        gate.wait();
    });
    start();
    TestPeer first = connect();
    first.send(request("POST /a", body("x", uuid(1))));
    EXPECT_TRUE(until([&] { return calls == 1; }));
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(
            answer(request("POST /a", body("x", uuid(2)), "Request-Timeout: 0.05\r\n")),
            EndsWith("\r\n\r\nTimeout")
        ) << "an earlier attempt is not under way, nor does it take a place of the queue";
    }
    gate.open();
    EXPECT_THAT(answers(first), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(stop(), 0);
    EXPECT_EQ(calls, 1);
}

TEST_F(ExtensionTest, PastItsQueueItAnswers503AndTakesTheEventLater) {
    Gate gate;
    std::atomic<int> calls = 0;
    make({.workers = 1, .queue_events = 1}).listen("/a", {"*"}, [&](const Event&) {
        ++calls;
        gate.wait();
    });
    extension->listen("/b", {"*"}, [](const Event&) {});
    start();
    EXPECT_THAT(answer(request("POST /b", body("x", uuid(4)))), StartsWith("HTTP/1.1 200 "));
    TestPeer running = connect();
    running.send(request("POST /a", body("x", uuid(1))));
    EXPECT_TRUE(until([&] { return calls == 1; }));
    TestPeer waiting = connect();
    TestPeer refused = connect();
    waiting.send(request("POST /a", body("x", uuid(2))));
    EXPECT_TRUE(until([&] {
        refused.send(request("POST /a", body("x", uuid(3))));
        return ServerFixture::answers(refused.received()) > 0;
    }));
    EXPECT_THAT(
        refused.received(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n"))
    );
    EXPECT_THAT(answer(request("POST /b", body("x", uuid(4)))), StartsWith("HTTP/1.1 200 "))
        << "it was handled before";
    gate.open();
    EXPECT_THAT(answers(running), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answers(waiting), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer(request("POST /a", body("x", uuid(3)))), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ExtensionTest, AsynchronouslyItAnswersAtOnceKeepsOrderAndDrains) {
    Gate gate;
    std::mutex mutex;
    std::vector<std::string> seen;
    make({.workers = 3, .queue_events = 7, .asynchronous = true})
        .listen("/a", {"*"}, [&](const Event& event, const Context& context) {
            EXPECT_EQ(context.deadline(), std::chrono::steady_clock::time_point::max());
            gate.wait();
            const std::lock_guard lock(mutex);
            if (event.experiment->execution_id == 1) {
                seen.push_back(event.id);
            }
        });
    start();
    for (int i = 0; i < 10; ++i) {  // each over a connection of its own
        EXPECT_THAT(
            answer(
                request("POST /a", body("x", uuid(i), execution(i % 2)), "Request-Timeout: 9\r\n")
            ),
            AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("{}"))
        );
    }
    EXPECT_THAT(
        answer(request("POST /a", body("x", uuid(10), execution(1)))),
        AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n"))
    );
    extension->stop();
    gate.open();
    EXPECT_EQ(stop(), 0);
    EXPECT_THAT(seen, ElementsAre(uuid(1), uuid(3), uuid(5), uuid(7), uuid(9)));
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
