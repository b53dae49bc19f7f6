// For tests of extensions: one in this process, on a thread and a loopback port of its own, called
// over HTTP. It ends with its test.
#pragma once

#include "base/logging.h"
#include "net/loop.h"
#include "net/test_peer.h"

#include <belfry/eventkit.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace belfry::eventkit {

inline constexpr std::string_view kId = "11111111-1111-4111-8111-111111111111";

inline std::string body(
    std::string_view name, std::string_view id = kId, std::string_view more = ""
) {
    return R"({"id":")" + std::string(id) + R"(","eventName":")" + std::string(name) +
           R"(","eventTime":"2026-03-01T12:00:00Z","tenant":{"key":"t","name":"T"},)"
           R"("principal":{"principalType":"batch_job","username":"b"})" +
           std::string(more) + "}";
}

inline std::string uuid(int number) {
    std::string id(kId);
    const std::string digits = std::to_string(1000 + number);
    return id.replace(id.size() - digits.size(), digits.size(), digits);
}

inline std::string request(
    std::string_view line, std::string_view content = "", std::string_view headers = ""
) {
    return std::string(line) +
           " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(content.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(content);
}

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

}  // namespace belfry::eventkit
