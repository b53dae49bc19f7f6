#include "app/wiring.h"

#include "app/command_line.h"
#include "app/fake_hub.h"
#include "base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sys/stat.h>
#include <thread>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
    ExitCode code = ExitCode::ok;
    std::string out;
    std::string err;
};

std::string contents(std::FILE* file) {
    std::fflush(file);
    std::rewind(file);
    std::string text(1 << 20, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
}

// For what another thread does soon; long enough for a loaded machine.
void wait_while(const std::function<bool()>& waiting) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (waiting()) {
        ASSERT_LT(std::chrono::steady_clock::now(), end);
        std::this_thread::yield();
    }
}

// A real hub on a thread of its own, and commands against it.
class WiringTest : public testing::Test {
 protected:
    WiringTest() {
        set_up_logging(LogLevel::off, LogFormat::text);
        std::string pattern = testing::TempDir() + "belfry-wiring-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        config_.http_listen = "127.0.0.1:0";
        config_.data = directory_ + "/data";
        config_.log_segment_bytes = 1U << 20U;
        config_.log_reserve_bytes = 0;
    }
    ~WiringTest() override {
        stop();
        std::filesystem::remove_all(directory_);
        set_up_logging(LogLevel::info, LogFormat::text);
    }

    void start() {
        Result<std::unique_ptr<Wiring>> opened = Wiring::open(config_, DataLoss::refuse);
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        hub_ = *std::move(opened);
        Result<void> started = hub_->start();
        ASSERT_TRUE(started.has_value()) << started.error().detail;
        url_ = "http://" + hub_->address();
        thread_ = std::thread([this] { hub_->run(); });
    }
    void stop() {
        if (thread_.joinable()) {
            hub_->loop().post([this] { hub_->stop(); });
            thread_.join();
            hub_.reset();
        }
    }
    // As a hub that is gone without a word: it gives nothing up.
    void die() {
        hub_->loop().post([this] { hub_->loop().stop(); });
        thread_.join();
        hub_.reset();
    }
    Ran belfry(std::vector<std::string> arguments) {
        using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
        Stream out(std::tmpfile(), std::fclose);
        Stream err(std::tmpfile(), std::fclose);
        Ran ran;
        ran.code = run_command_line(
            {.arguments = std::move(arguments),
             .environment = {{"BELFRY_URL", url_}},
             .out = out.get(),
             .err = err.get()}
        );
        ran.out = contents(out.get());
        ran.err = contents(err.get());
        return ran;
    }

    std::string directory_;
    Config config_;
    std::unique_ptr<Wiring> hub_;
    std::thread thread_;
    std::string url_;
};

TEST_F(WiringTest, AnEventIsPublishedListedAndFoundAgainAfterARestart) {
    start();
    Ran fired = belfry({"fire", "deploy", "{\"v\":1}", "--source", "/ci", "--id", "one"});
    EXPECT_EQ(fired.code, ExitCode::ok) << fired.err;
    EXPECT_THAT(fired.out, HasSubstr("offset 0"));
    Ran again = belfry({"fire", "deploy", "{\"v\":1}", "--source", "/ci", "--id", "one"});
    EXPECT_THAT(again.out, HasSubstr("duplicate"));
    EXPECT_EQ(
        belfry({"fire", "deploy", "other", "--source", "/ci", "--id", "one"}).code,
        ExitCode::invalid
    );
    stop();
    start();
    EXPECT_THAT(belfry({"list"}).out, HasSubstr("deploy"));
    EXPECT_EQ(belfry({"get", "one", "--data"}).out, "{\"v\":1}");
    EXPECT_EQ(belfry({"get", "two"}).code, ExitCode::not_found);
    EXPECT_EQ(
        belfry({"tail", "--after", "0", "-n", "0", "--url", "http://127.0.0.1:1"}).code,
        ExitCode::unreachable
    );
}

TEST_F(WiringTest, TheDataDirectoryIsOurs) {
    start();
    EXPECT_EQ(belfry({"fire", "x"}).code, ExitCode::ok);
    stop();
    struct stat status{};
    ASSERT_EQ(::stat(config_.data.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(config_.data)) {
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 077U, 0U) << entry.path();
    }
}

TEST_F(WiringTest, ADirectoryThatOthersMayWriteToIsRefused) {
    std::filesystem::create_directory(config_.data);
    ::chmod(config_.data.c_str(), 0770);
    Result<std::unique_ptr<Wiring>> opened = Wiring::open(config_, DataLoss::refuse);
    ASSERT_FALSE(opened.has_value());
    EXPECT_THAT(opened.error().detail, HasSubstr("chmod 700"));
}

TEST_F(WiringTest, ASecondHubOnTheDirectoryIsRefused) {
    start();
    Result<std::unique_ptr<Wiring>> second = Wiring::open(config_, DataLoss::refuse);
    ASSERT_FALSE(second.has_value());
    EXPECT_THAT(second.error().detail, HasSubstr(config_.data));
    EXPECT_EQ(belfry({"fire", "still.here"}).code, ExitCode::ok);
}

TEST_F(WiringTest, AnAddressInUseIsNamed) {
    start();
    Config other = config_;
    other.data = directory_ + "/other";
    other.http_listen = url_.substr(7);
    Result<std::unique_ptr<Wiring>> second = Wiring::open(other, DataLoss::refuse);
    ASSERT_TRUE(second.has_value());
    Result<void> started = (*second)->start();
    ASSERT_FALSE(started.has_value());
    EXPECT_THAT(started.error().detail, HasSubstr(other.http_listen));
}

TEST_F(WiringTest, AnEventIsDelivered) {
    start();
    FakeHub listener([](const FakeHub::Request&) {
        return FakeHub::Answer{.status = 200, .body = ""};
    });
    Ran added = belfry(
        {"subscription",
         "add",
         "chat",
         listener.url() + "/in",
         "--type",
         "deploy*",
         "--format",
         "body"}
    );
    EXPECT_EQ(added.code, ExitCode::ok) << added.err;
    EXPECT_EQ(belfry({"subscription", "test", "chat"}).code, ExitCode::ok);
    EXPECT_EQ(belfry({"fire", "deploy.done", "hello"}).code, ExitCode::ok);
    EXPECT_EQ(belfry({"fire", "other", "nothing"}).code, ExitCode::ok);
    // Removing it waits for what is under way, and so do we.
    wait_while([&] { return listener.requests().size() < 2; });
    EXPECT_EQ(listener.requests().back().body, "hello");
    EXPECT_THAT(belfry({"subscription", "list"}).out, HasSubstr("chat  active"));
    EXPECT_EQ(belfry({"subscription", "add", "chat", listener.url()}).code, ExitCode::invalid);
    EXPECT_EQ(belfry({"subscription", "remove", "chat", "--yes"}).code, ExitCode::ok);
    EXPECT_EQ(belfry({"subscription", "show", "chat"}).code, ExitCode::not_found);
}

TEST_F(WiringTest, TheHubIsMadeWithTheSettingsOfRetentionAndCircuit) {
    using namespace std::chrono_literals;
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"log.retention.every", "250ms"},
             {"log.retention.age", "3h"},
             {"log.retention.bytes", "2MiB"},
             {"log.retention.hard_bytes", "3MiB"},
             {"circuit.probe_interval", "7s"}
         }) {
        ASSERT_TRUE(set_setting(*find_setting(key), value, config_).has_value()) << key;
    }
    HubOptions options = Wiring::open(config_, DataLoss::refuse).value()->hub_options();
    EXPECT_EQ(options.retention.every, 250ms);
    EXPECT_EQ(options.retention.age, 3h);
    EXPECT_EQ(options.retention.bytes, 2U << 20U);
    EXPECT_EQ(options.retention.hard_bytes, 3U << 20U);
    EXPECT_EQ(options.circuit.probe_interval, 7s);
}

TEST_F(WiringTest, AnEventThatIsRefusedBecomesADeadLetterAndCanBeReplayed) {
    start();
    std::atomic<int> status = 400;
    FakeHub listener([&](const FakeHub::Request&) {
        return FakeHub::Answer{.status = status, .body = "no"};
    });
    EXPECT_EQ(belfry({"subscription", "add", "chat", listener.url()}).code, ExitCode::ok);
    EXPECT_EQ(belfry({"fire", "deploy", "hello"}).code, ExitCode::ok);
    std::string listed;
    wait_while([&] {
        listed = belfry({"dead-letter", "list"}).out;
        return listed.find("rejected") == std::string::npos;
    });
    EXPECT_THAT(listed, HasSubstr("chat"));
    EXPECT_THAT(belfry({"subscription", "attempts", "chat"}).out, HasSubstr("400"));
    status = 200;
    EXPECT_EQ(belfry({"dead-letter", "replay", "--all"}).code, ExitCode::ok);
    wait_while([&] {
        return belfry({"dead-letter", "list"}).out.find("rejected") != std::string::npos;
    });
    EXPECT_EQ(listener.requests().size(), 2U);
}

TEST_F(WiringTest, WhoCanConnectFindsAReadyHub) {
    start();
    Ran ran = belfry({"status"});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("log.next"));
}

TEST_F(WiringTest, AReaderGoesOnAfterARestartWithoutALoss) {
    start();
    Ran tailed;
    std::thread reader([&] { tailed = belfry({"tail", "-n", "2", "--json"}); });
    wait_while([&] {
        return belfry({"status", "--json"}).out.find("\"stream_readers\":1") == std::string::npos;
    });
    EXPECT_EQ(belfry({"fire", "one"}).code, ExitCode::ok);
    config_.http_listen = url_.substr(7);
    stop();
    start();
    EXPECT_EQ(belfry({"fire", "two"}).code, ExitCode::ok);
    reader.join();
    EXPECT_EQ(tailed.code, ExitCode::ok) << tailed.err;
    EXPECT_THAT(tailed.out, testing::MatchesRegex(".*\"one\".*\n.*\"two\".*\n"));
}

// Another name is another hub, which finds the lease of the first and waits for its end.
TEST_F(WiringTest, AListenerForTheLeaderIsNotCalledWhileAnotherHubHoldsTheLease) {
    FakeHub extension([](const FakeHub::Request& request) {
        return FakeHub::Answer{
            .status = 200,
            .body = request.method == "GET"
                        ? R"({"eventListeners":[{"path":"/leader","method":"POST",)"
                          R"("listenTo":["*"],"restrictTo":"leader"},{"path":"/any",)"
                          R"("method":"POST","listenTo":["*"],"restrictTo":"any"}]})"
                        : "{}"
        };
    });
    const auto calls_of = [&](const std::string& path, const std::string& type) {
        return std::ranges::count_if(extension.requests(), [&](const FakeHub::Request& call) {
            return call.target == path &&
                   call.body.find("\"eventName\":\"" + type + '"') != std::string::npos;
        });
    };
    const auto fire = [&](const std::string& type) {
        EXPECT_EQ(belfry({"fire", type}).code, ExitCode::ok);
        wait_while([&] {
            const std::string shown = belfry({"extension", "list", "--json"}).out;
            return calls_of("/any", type) == 0 || shown.find("\"lag\":0") == std::string::npos;
        });
    };
    config_.node_name = "first";
    start();
    EXPECT_EQ(belfry({"extension", "add", extension.url(), "--name", "ext"}).code, ExitCode::ok);
    fire("one");
    EXPECT_EQ(calls_of("/leader", "one"), 1);
    die();
    config_.node_name = "second";
    start();
    fire("two");
    EXPECT_EQ(calls_of("/leader", "one"), 1);
    EXPECT_EQ(calls_of("/leader", "two"), 0) << "the other one does";
    stop();
    config_.node_name = "first";
    start();
    fire("three");
    EXPECT_EQ(calls_of("/leader", "three"), 1) << "its own lease does not make it wait";
}

// The listener never ends its answer, so a drain would wait for the attempt, and say afterwards
// that the hub has stopped.
TEST_F(WiringTest, ASecondStopDoesNotWait) {
    set_up_logging(LogLevel::info, LogFormat::text);
    testing::internal::CaptureStderr();
    start();
    FakeHub listener([](const FakeHub::Request&) {
        return FakeHub::Answer{.status = 200, .hang = true};
    });
    EXPECT_EQ(belfry({"subscription", "add", "chat", listener.url()}).code, ExitCode::ok);
    EXPECT_EQ(belfry({"fire", "x"}).code, ExitCode::ok);
    wait_while([&] { return listener.requests().empty(); });
    hub_->loop().post([this] { hub_->stop(); });
    stop();
    std::string said = testing::internal::GetCapturedStderr();
    set_up_logging(LogLevel::off, LogFormat::text);
    EXPECT_THAT(said, HasSubstr("stopping at once"));
    EXPECT_THAT(said, Not(HasSubstr("stopped")));
    // What was under way is done again.
    start();
    wait_while([&] { return listener.requests().size() < 2; });
    hub_->loop().post([this] { hub_->stop(); });
}

}  // namespace
}  // namespace belfry
