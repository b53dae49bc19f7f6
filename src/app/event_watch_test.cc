#include "app/event_watch.h"

#include "app/fake_hub.h"
#include "app/own_file.h"
#include "base/memory_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <unistd.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kLow = 0xabc;

std::string event_json(std::uint64_t offset, std::uint64_t low = kLow) {
    const UuidText id = uuid_text(event_uuid(low, Offset{offset}));
    return R"({"ID":")" + std::string(id.data(), id.size()) + R"(","Name":"deploy"})";
}

// The hub's answer when these are its events.
FakeHub::Answer listing(const std::vector<std::uint64_t>& offsets, std::uint64_t low = kLow) {
    std::string body;
    for (const std::uint64_t offset : offsets) {
        body += (body.empty() ? "[" : ",") + event_json(offset, low);
    }
    const std::uint64_t index = offsets.empty() ? 1 : offsets.back() + 2;
    return {
        .body = body.empty() ? "[]" : body + "]",
        .headers = "X-Consul-Index: " + std::to_string(index) + "\r\n"
    };
}

// A watch against a hub that answers what the script says and, behind it, ends the watch.
class EventWatchTest : public testing::Test {
 protected:
    struct Ran {
        ExitCode code = ExitCode::ok;
        std::string err;
        std::vector<std::string> requests;
    };

    void SetUp() override { std::filesystem::remove(out_); }
    void TearDown() override { std::filesystem::remove(out_); }

    // "index: offsets" of each time the command ran with success.
    [[nodiscard]] std::vector<std::string> calls() const {
        std::ifstream file(out_);
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    Ran run(std::vector<FakeHub::Answer> script, const std::string& state_name = "deploy") {
        std::atomic<std::size_t> next = 0;
        FakeHub hub([&](const FakeHub::Request&) -> FakeHub::Answer {
            const std::size_t i = next++;
            if (i < script.size()) {
                return script[i];
            }
            ::kill(::getpid(), SIGTERM);
            return {.hang = true};
        });
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> err(std::tmpfile(), std::fclose);
        Console console(err.get(), err.get());
        HubClient client(*parse_hub_url(hub.url()), "");
        Result<WatchState> state = fail(Errc::internal, "");
        if (with_state_) {
            state = WatchState::open(files_, "state/watch.json", state_name);
            EXPECT_TRUE(state.has_value()) << state.error().detail;
        }
        EventWatch watch(
            client,
            {.name = "deploy",
             .program =
                 {.arguments = {"/bin/sh", "-c", command_},
                  .environment = {{"OUT", out_}, {"PATH", "/usr/bin:/bin"}, {"CONSUL_INDEX", "0"}},
                  .input = {}},
             .hub_wait = [](std::uint64_t) { return 1ms; },
             .command_wait = [](std::uint64_t) { return 1ms; }},
            state ? &*state : nullptr,
            console
        );
        Ran ran{.code = watch.run(), .err = {}, .requests = {}};
        for (const FakeHub::Request& request : hub.requests()) {
            ran.requests.push_back(request.target);
        }
        std::fflush(err.get());
        EXPECT_EQ(std::fseek(err.get(), 0, SEEK_SET), 0);
        ran.err.resize(1 << 16);
        ran.err.resize(std::fread(ran.err.data(), 1, ran.err.size(), err.get()));
        return ran;
    }

    // A line "index:number of events" each time.
    const std::string record_ = R"(printf '%s:' "$CONSUL_INDEX" >>"$OUT"; )"
                                R"(grep -o '"ID"' | wc -l >>"$OUT")";
    const std::string out_ = own_file("belfry-watch-out");
    std::string command_ = record_;
    MemoryFileSystem files_;
    bool with_state_ = true;
};

TEST_F(EventWatchTest, EachFireIsOneCallWithWhatIsNew) {
    Ran ran = run({listing({4}), listing({4, 6}), listing({4, 6, 7, 9})});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(calls(), ElementsAre("6:1", "8:1", "11:2"));
    EXPECT_THAT(
        ran.requests,
        ElementsAre(
            "/v1/event/list?name=deploy",
            "/v1/event/list?name=deploy&index=6&wait=60000ms",
            "/v1/event/list?name=deploy&index=8&wait=60000ms",
            "/v1/event/list?name=deploy&index=11&wait=60000ms"
        )
    );
}

TEST_F(EventWatchTest, TheCommandGetsTheEventsAsAnArray) {
    command_ = R"(cat >"$OUT")";
    EXPECT_EQ(run({listing({4, 6})}).code, ExitCode::ok);
    EXPECT_THAT(calls(), ElementsAre("[" + event_json(4) + "," + event_json(6) + "]"));
}

TEST_F(EventWatchTest, ARestartHandsOverOnlyNewerEvents) {
    run({listing({4}), listing({4, 6})});
    Ran again = run({listing({4, 6}), listing({6, 8})});
    EXPECT_EQ(again.code, ExitCode::ok) << again.err;
    EXPECT_THAT(calls(), ElementsAre("6:1", "8:1", "10:1"));
    // What happened while it was away comes at once.
    run({listing({6, 8, 9, 11})});
    EXPECT_THAT(calls(), ElementsAre("6:1", "8:1", "10:1", "13:2"));
}

TEST_F(EventWatchTest, WithoutAStateTheFirstListIsHandedOverEvenIfEmpty) {
    with_state_ = false;
    run({listing({}), listing({4}), listing({4, 5})});
    run({listing({4, 5})});
    EXPECT_THAT(calls(), ElementsAre("1:0", "6:1", "7:1", "7:2"));
}

TEST_F(EventWatchTest, WithAStateAnEmptyListRunsNothing) {
    run({listing({}), listing({4})});
    EXPECT_THAT(calls(), ElementsAre("6:1"));
}

TEST_F(EventWatchTest, AFailingCommandIsRunAgainAndTheStateWaits) {
    // Fails until the file has been asked for twice.
    const std::string tries = own_file("belfry-watch-tries");
    std::filesystem::remove(tries);
    command_ = "echo >>" + tries + "; [ $(wc -l <" + tries + ") -gt 2 ] || exit 7; " + record_;
    Ran ran = run({listing({4}), listing({4}), listing({4, 6}), listing({4, 6, 8})});
    EXPECT_THAT(ran.err, HasSubstr("the command ended with 7; it runs again with the next event"));
    EXPECT_THAT(calls(), ElementsAre("8:2", "10:1"));
    EXPECT_EQ(ran.requests[1], "/v1/event/list?name=deploy&index=6&wait=1ms");
    EXPECT_EQ(ran.requests[3], "/v1/event/list?name=deploy&index=8&wait=60000ms");
    std::filesystem::remove(tries);
}

TEST_F(EventWatchTest, AFailureIsHandedOverAgainAfterARestart) {
    command_ = "exit 1";
    run({listing({4})});
    command_ = "no-such-command";
    EXPECT_THAT(run({listing({4})}).err, HasSubstr("ended with 127"));
    command_ = record_;
    run({listing({4})});
    EXPECT_THAT(calls(), ElementsAre("6:1"));
}

TEST_F(EventWatchTest, ASignalEndsTheCommandAndTheEventIsNotLost) {
    command_ = R"(kill -TERM "$PPID"; sleep 30; echo late >>"$OUT")";
    Ran ran = run({listing({4})});
    EXPECT_EQ(ran.code, ExitCode::ok);
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(calls(), ElementsAre());
    command_ = record_;
    run({listing({4})});
    EXPECT_THAT(calls(), ElementsAre("6:1"));
}

TEST_F(EventWatchTest, ACommandThatEndsWellOnTheSignalCounts) {
    command_ = "good() { " + record_ +
               R"(; exit 0; }; trap good TERM; kill -TERM "$PPID"; while :; do sleep 1; done)";
    run({listing({4})});
    EXPECT_THAT(calls(), ElementsAre("6:1"));
    command_ = record_;
    run({listing({4})});
    EXPECT_EQ(calls().size(), 1U);
}

TEST_F(EventWatchTest, ALostHubIsToldOnceAndOnceWhenItIsBack) {
    const FakeHub::Answer busy = {.status = 503, .body = "", .content_type = ""};
    Ran ran = run({listing({4}), busy, busy, busy, listing({4, 6}), busy, listing({4, 6, 7})});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(
        ran.err,
        "belfry: the hub answered 503; trying until the hub is back\nthe hub is back\n"
        "belfry: the hub answered 503; trying until the hub is back\nthe hub is back\n"
    );
    EXPECT_THAT(calls(), ElementsAre("6:1", "8:1", "9:1"));
}

TEST_F(EventWatchTest, ARefusalEndsItInTheHubsWords) {
    for (const auto& [status, code] :
         {std::pair(400, ExitCode::invalid), {403, ExitCode::refused}}) {
        Ran ran = run(
            {listing({}),
             {.status = status, .body = "ACL not found\n", .content_type = "text/plain"}}
        );
        EXPECT_EQ(ran.code, code);
        EXPECT_THAT(ran.err, HasSubstr(std::to_string(status) + ": ACL not found\n"));
    }
}

TEST_F(EventWatchTest, AHubThatNeverAnsweredEndsIt) {
    Ran ran = run({{.status = 500, .body = ""}});
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_EQ(ran.requests.size(), 1U);
}

TEST_F(EventWatchTest, AnAnswerThatIsNoListEndsIt) {
    for (const FakeHub::Answer& answer : std::vector<FakeHub::Answer>{
             {.body = "[]"},
             {.body = "[]", .headers = "X-Consul-Index: 0\r\n"},
             {.body = "[]", .headers = "X-Consul-Index: 12x\r\n"},
             {.body = "<html>", .headers = "X-Consul-Index: 1\r\n"},
         }) {
        Ran ran = run({answer});
        EXPECT_EQ(ran.code, ExitCode::failure);
        EXPECT_THAT(ran.err, HasSubstr("an answer of the hub"));
    }
    EXPECT_TRUE(calls().empty());
}

TEST_F(EventWatchTest, AnotherDataDirectoryIsReadFromItsBeginning) {
    run({listing({40, 50})});
    Ran ran = run({listing({1, 2}), listing({1, 2, 3})});
    EXPECT_THAT(ran.err, HasSubstr("end at index 4, and this watch has been at 52: another data"));
    EXPECT_THAT(calls(), ElementsAre("52:2", "4:2", "5:1"));
    // The same place, another event.
    ran = run({listing({3}, 0xdef)});
    EXPECT_THAT(ran.err, HasSubstr("another data"));
    EXPECT_EQ(calls().back(), "5:1");
    EXPECT_EQ(calls().size(), 4U);
}

TEST_F(EventWatchTest, AListThatRetentionEmptiedChangesNothing) {
    run({listing({4})});
    Ran ran = run({listing({}), listing({9})});
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(calls(), ElementsAre("6:1", "11:1"));
}

TEST_F(EventWatchTest, AStateThatCannotBeSavedIsSaidAndTheWatchGoesOn) {
    files_.plan({.call = 2, .fault = MemoryFileSystem::Fault::no_space, .sticky = true});
    Ran ran = run({listing({4}), listing({4, 5})});
    EXPECT_THAT(ran.err, HasSubstr("the state is not saved, so a restart runs the command again"));
    EXPECT_THAT(calls(), ElementsAre("6:1", "7:1"));
    files_.clear_faults();
    run({listing({4, 5})});
    EXPECT_EQ(calls().back(), "7:2");
}

TEST(EventWatch, WaitsGrowAndStopGrowing) {
    EXPECT_EQ(hub_wait(1), 5s);
    EXPECT_EQ(hub_wait(2), 20s);
    EXPECT_EQ(hub_wait(6), 180s);
    EXPECT_EQ(hub_wait(1'000'000'000'000), 180s);
    EXPECT_EQ(command_wait(1), 1s);
    EXPECT_EQ(command_wait(3), 4s);
    EXPECT_EQ(command_wait(7), 60s);
    EXPECT_EQ(command_wait(1'000'000'000'000), 60s);
}

}  // namespace
}  // namespace belfry
