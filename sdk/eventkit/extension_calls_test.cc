// What becomes of an event that an extension is called with: answers, time, order, and the queue.
#include "eventkit/extension_fixture.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace belfry::eventkit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string execution(int number) {
    return R"(,"experimentExecution":{"experimentKey":"ADM-1","executionId":)" +
           std::to_string(number) +
           R"(,"name":"n","hypothesis":"","preparedTime":"2026-03-01T12:00:00Z",)"
           R"("startedTime":"2026-03-01T12:00:00Z","state":"running"})";
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

}  // namespace
}  // namespace belfry::eventkit
