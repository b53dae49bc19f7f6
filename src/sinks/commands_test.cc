#include "sinks/commands.h"

#include "base/manual_clock.h"
#include "base/worker_thread.h"
#include "event/cloudevents_json.h"
#include "net/loop.h"
#include "sinks/command.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <unistd.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

StoredEvent event_with(std::string data) {
    auto bytes = std::make_shared<std::string>(std::move(data));
    StoredEvent stored;
    stored.event.id = "order-1";
    stored.event.source = "/shop";
    stored.event.type = "deploy";
    stored.event.datacontenttype = "text/plain";
    stored.event.data = *bytes;
    stored.offset = Offset{41};
    stored.uuid_low = 0x1122334455667788;
    stored.owner = std::move(bytes);
    return stored;
}

// Real programs under a real loop; time stands still but for what wait_for() lets pass.
class CommandsTest : public testing::Test {
 protected:
    CommandsTest() {
        std::string pattern = testing::TempDir() + "belfry-commands-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~CommandsTest() override {
        commands_.reset();
        std::filesystem::remove_all(directory_);
    }

    [[nodiscard]] std::string path(std::string_view name) const {
        return fmt::format("{}/{}", directory_, name);
    }
    [[nodiscard]] std::string text_of(std::string_view name) const {
        std::ostringstream text;
        text << std::ifstream(path(name), std::ios::binary).rdbuf();
        return text.str();
    }
    // A shell script of the test's that runs in its directory.
    CommandDefinition script(std::string_view name, std::string_view body) {
        std::ofstream(path(name)) << "cd '" << directory_ << "' || exit 99\n" << body << "\n";
        return CommandDefinition{.argv = {"/bin/sh", path(name)}, .user = {}, .environment = {}};
    }
    void define(const CommandDefinition& definition, const Environment& environment = {}) {
        CommandDefinitions definitions;
        definitions["it"] = definition;
        commands_ = Commands::make(definitions, environment, ports()).value();
    }
    [[nodiscard]] CommandsPorts ports() { return {loop_, clock_, spawner_}; }

    // Begins one; its outcome is added to outcomes_.
    void begin(StoredEvent event = event_with("data"), Duration timeout = 1h) {
        commands_->run(
            "it",
            "chat",
            {.event = std::move(event), .number = 2, .timeout = timeout},
            [this](Outcome outcome) { outcomes_.push_back(std::move(outcome)); }
        );
    }
    // Runs the loop until it holds, at most ten seconds of real time.
    template <typename Predicate>
    [[nodiscard]] bool wait_for(Predicate holds) {
        const MonoTime until = loop_.now() + 10s;
        while (!holds() && loop_.now() < until) {
            loop_.call_after(1ms, [this] { loop_.stop(); });
            loop_.run();
            clock_.advance(5ms);
        }
        return holds();
    }
    [[nodiscard]] bool wait_for_file(std::string_view name) {
        return wait_for([&] { return std::filesystem::exists(path(name)); });
    }
    Outcome outcome_of(
        const CommandDefinition& definition, StoredEvent event = event_with("data")
    ) {
        define(definition);
        begin(std::move(event));
        EXPECT_TRUE(wait_for([&] { return !outcomes_.empty(); }));
        return outcomes_.empty() ? Outcome{} : outcomes_.back();
    }
    // Whether the process whose number a script wrote is gone, or dead and not yet buried.
    [[nodiscard]] bool is_dead(std::string_view file) const {
        std::ifstream stat(fmt::format("/proc/{}/stat", std::stoi(text_of(file))));
        std::string number;
        std::string name;
        std::string state;
        return !(stat >> number >> name >> state) || state == "Z" || state == "X";
    }

    std::string directory_;
    Loop loop_;
    ManualClock clock_;
    WorkerThread spawner_{"spawner"};
    std::unique_ptr<Commands> commands_;
    std::vector<Outcome> outcomes_;
};

TEST_F(CommandsTest, ExitZeroSettlesAndTheEventIsItsInput) {
    const StoredEvent event = event_with("data");
    Outcome outcome = outcome_of(script("s", "cat > got; echo noise; echo talk >&2"), event);
    EXPECT_EQ(outcome.kind, Outcome::Kind::settled) << outcome.error;
    EXPECT_EQ(outcome.status, 0U);
    EXPECT_EQ(outcome.response, "talk\n");
    EXPECT_EQ(outcome.error, "");
    std::string expected;
    append_event_json(event, LogMembers::leave_out, expected);
    EXPECT_EQ(text_of("got"), expected);
}

TEST_F(CommandsTest, InConsulsFormatItGetsAnArrayAndTheIndex) {
    CommandDefinition definition = script("s", "cat > got; echo $CONSUL_INDEX > index");
    definition.format = CommandDefinition::Format::consul;
    EXPECT_EQ(outcome_of(definition).kind, Outcome::Kind::settled);
    EXPECT_EQ(
        text_of("got"),
        R"([{"ID":"11223344-5566-77a3-1122-334455667788","Name":"deploy","Payload":"ZGF0YQ==",)"
        R"("NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":42}])"
    );
    EXPECT_EQ(text_of("index"), "43\n");
}

TEST_F(CommandsTest, WhatConsulMeantForOtherNodesIsSettledWithoutARun) {
    CommandDefinition definition = script("s", "touch ran");
    definition.format = CommandDefinition::Format::consul;
    StoredEvent event = event_with("data");
    event.event.elsewhere = true;
    EXPECT_EQ(outcome_of(definition, event).kind, Outcome::Kind::settled);
    EXPECT_FALSE(std::filesystem::exists(path("ran")));
    // The other format knows nothing of nodes.
    definition.format = CommandDefinition::Format::cloudevents;
    outcomes_.clear();
    EXPECT_EQ(outcome_of(definition, event).kind, Outcome::Kind::settled);
    EXPECT_TRUE(std::filesystem::exists(path("ran")));
}

TEST_F(CommandsTest, NothingOfTheHubReachesIt) {
    CommandDefinition definition = script(
        "s",
        "env -u PWD -u OLDPWD -u SHLVL -u _ | sort > environment\n"
        "grep -h SigIgn /proc/self/status > signals\n"
        "ls /proc/$$/fd > descriptors\n"
        "set -- $(cat /proc/$$/stat); [ $5 = $$ ] && touch own-group\n"
        "output=$(readlink /proc/$$/fd/1); echo $output > output\n"
        "echo tampered 2>/dev/null >&0 && touch input-changed\n"
        "true"
    );
    definition.environment = {{"LANG", "C.UTF-8"}, {"EXTRA", "a b"}};
    define(definition, {{"BELFRY_TOKEN", "s3cret"}, {"AWS_KEY", "s3cret"}, {"HOME", "/home/h"}});
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int inherited = ::fcntl(null, F_DUPFD, 100);  // not close-on-exec
    ASSERT_GE(inherited, 100);
    auto* before = std::signal(SIGPIPE, SIG_IGN);
    begin();
    EXPECT_TRUE(wait_for([&] { return !outcomes_.empty(); }));
    std::signal(SIGPIPE, before);
    ::close(inherited);
    ::close(null);
    ASSERT_EQ(outcomes_.at(0).kind, Outcome::Kind::settled) << outcomes_.at(0).error;
    EXPECT_EQ(
        text_of("environment"),
        "BELFRY_ATTEMPT=2\n"
        "BELFRY_EVENT_ID=order-1\n"
        "BELFRY_EVENT_SOURCE=/shop\n"
        "BELFRY_EVENT_TYPE=deploy\n"
        "BELFRY_OFFSET=41\n"
        "BELFRY_SUBSCRIPTION=chat\n"
        "EXTRA=a b\n"
        "HOME=/home/h\n"
        "LANG=C.UTF-8\n"
        "PATH=/usr/local/bin:/usr/bin:/bin\n"
    );
    // Of all but the two that glibc keeps for itself.
    const std::uint64_t ignored =
        std::stoull(text_of("signals").substr(std::string_view("SigIgn:\t").size()), nullptr, 16);
    EXPECT_EQ(ignored & 0x7fff'ffffU, 0U);
    EXPECT_TRUE(std::filesystem::exists(path("own-group")));
    EXPECT_EQ(text_of("output"), "/dev/null\n");
    EXPECT_FALSE(std::filesystem::exists(path("input-changed")));
    // From 10 on they are the shell's own, the script among them.
    std::istringstream descriptors(text_of("descriptors"));
    std::vector<int> numbers;
    for (int number = 0; descriptors >> number;) {
        numbers.push_back(number);
    }
    EXPECT_THAT(numbers, testing::Each(testing::AnyOf(0, 1, 2, 10, 11)));
    EXPECT_THAT(numbers, testing::IsSupersetOf({0, 1, 2}));
}

TEST_F(CommandsTest, AnExitCodeIsAFailureWithTheFirstKilobyteOfItsErrors) {
    Outcome outcome =
        outcome_of(script("s", "echo 'no such service' >&2; head -c 3000 /dev/zero >&2; exit 3"));
    EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
    EXPECT_EQ(outcome.status, 3U);
    EXPECT_EQ(outcome.error, "exited with 3");
    EXPECT_THAT(outcome.response, testing::StartsWith("no such service\n"));
    EXPECT_EQ(outcome.response.size(), 1024U);
}

TEST_F(CommandsTest, ASignalIsAFailureThatNamesIt) {
    Outcome outcome = outcome_of(script("s", "kill -SEGV $$"));
    EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
    EXPECT_EQ(outcome.status, 0U);
    EXPECT_EQ(outcome.error, "ended by signal SIGSEGV");
}

TEST_F(CommandsTest, WhatCannotBeStartedIsAFailure) {
    auto error_of = [&](const std::string& program) {
        outcomes_.clear();
        Outcome outcome = outcome_of({.argv = {program}, .user = {}, .environment = {}});
        EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
        EXPECT_EQ(commands_->running(), 0U);
        return outcome.error;
    };
    EXPECT_EQ(error_of(path("none")), "cannot be started: no such file or directory");
    std::ofstream(path("text")) << "not a program\n";
    EXPECT_EQ(error_of(path("text")), "cannot be started: permission denied");
    // No shell guesses what it could be.
    std::filesystem::permissions(path("text"), std::filesystem::perms::owner_all);
    EXPECT_EQ(error_of(path("text")), "cannot be started: exec format error");
    EXPECT_EQ(error_of(directory_), "cannot be started: permission denied");
}

TEST_F(CommandsTest, WhoIgnoresTheEndOfItsTimeIsKilledWithItsGroup) {
    define(script(
        "s",
        "trap '' TERM\n"
        "sh -c 'trap \"\" TERM; echo $$ > grandchild; touch ready; while :; do sleep 1; done' &\n"
        "echo $$ > child\n"
        "while :; do wait; done"
    ));
    begin(event_with("data"), 30s);
    ASSERT_TRUE(wait_for_file("ready"));
    ASSERT_TRUE(wait_for_file("child"));
    clock_.advance(30s);  // SIGTERM
    EXPECT_FALSE(is_dead("child"));
    EXPECT_THAT(outcomes_, IsEmpty());
    clock_.advance(5s);  // SIGKILL
    ASSERT_TRUE(wait_for([&] { return !outcomes_.empty(); }));
    EXPECT_EQ(outcomes_[0].kind, Outcome::Kind::failed);
    EXPECT_EQ(outcomes_[0].error, "did not end within 30s; ended by signal SIGKILL");
    EXPECT_TRUE(wait_for([&] { return is_dead("grandchild"); }));
    EXPECT_TRUE(is_dead("child"));
}

TEST_F(CommandsTest, WhoObeysTheEndOfItsTimeTakesItsGroupAlong) {
    CommandDefinition definition = script(
        "s",
        "trap 'exit 0' TERM\n"
        "sh -c 'trap \"\" TERM; echo $$ > grandchild; touch ready; while :; do sleep 1; done' &\n"
        "while :; do wait; done"
    );
    definition.timeout = 2min;  // not the subscription's
    define(definition);
    begin(event_with("data"), 1s);
    ASSERT_TRUE(wait_for_file("ready"));
    EXPECT_THAT(outcomes_, IsEmpty());
    clock_.advance(2min);
    ASSERT_TRUE(wait_for([&] { return !outcomes_.empty(); }));
    // Too late is too late, whatever it says.
    EXPECT_EQ(outcomes_[0].kind, Outcome::Kind::failed);
    EXPECT_EQ(outcomes_[0].error, "did not end within 2m; exited with 0");
    EXPECT_TRUE(wait_for([&] { return is_dead("grandchild"); }));
}

TEST_F(CommandsTest, WhatItLeavesInTheBackgroundHoldsNothingUp) {
    // It keeps the pipe of errors open, too.
    Outcome outcome = outcome_of(script("s", "sleep 3 & echo said >&2; exit 4"));
    EXPECT_EQ(outcome.error, "exited with 4");
    EXPECT_EQ(outcome.response, "said\n");
}

TEST_F(CommandsTest, ALargeInputThatNobodyReadsIsNoTrouble) {
    const std::string megabyte(1'000'000, 'x');
    EXPECT_EQ(outcome_of(script("s", "exit 0"), event_with(megabyte)).kind, Outcome::Kind::settled);
    outcomes_.clear();
    EXPECT_EQ(
        outcome_of(script("s", "wc -c > size"), event_with(megabyte)).kind, Outcome::Kind::settled
    );
    EXPECT_GT(std::stoi(text_of("size")), 1'000'000);
}

TEST_F(CommandsTest, AFloodOfOutputEndsAndIsNotKept) {
    Outcome outcome = outcome_of(
        script("s", "head -c 50000000 /dev/zero; yes e | head -c 3000000 >&2; touch through")
    );
    EXPECT_EQ(outcome.kind, Outcome::Kind::settled) << outcome.error;
    EXPECT_TRUE(std::filesystem::exists(path("through")));
    EXPECT_EQ(outcome.response.size(), 1024U);
    EXPECT_THAT(outcome.response, testing::StartsWith("e\ne\n"));
}

TEST_F(CommandsTest, NoMoreRunAtOnceThanTheConfigurationSays) {
    CommandDefinition definition = script(
        "s", "echo x >> begun; while [ ! -e go ]; do sleep 0.01; done; cat >> order; echo >> order"
    );
    definition.concurrency = 2;
    define(definition);
    for (int i = 0; i < 5; ++i) {
        begin(event_with(std::to_string(i)));
    }
    ASSERT_TRUE(wait_for([&] { return text_of("begun") == "x\nx\n"; }));
    EXPECT_EQ(commands_->running(), 2U);
    EXPECT_THAT(outcomes_, IsEmpty());
    std::ofstream(path("go")) << "";
    ASSERT_TRUE(wait_for([&] { return outcomes_.size() == 5; }));
    EXPECT_EQ(text_of("begun"), "x\nx\nx\nx\nx\n");
    for (const Outcome& outcome : outcomes_) {
        EXPECT_EQ(outcome.kind, Outcome::Kind::settled) << outcome.error;
    }
    EXPECT_EQ(commands_->running(), 0U);
}

TEST_F(CommandsTest, AtTheStopWhatWaitsComesAgainAndWhatRunsIsEnded) {
    define(script("s", "trap '' TERM; echo $$ > child; touch ready; while :; do sleep 1; done"));
    begin();
    begin();
    ASSERT_TRUE(wait_for_file("ready"));
    commands_->drain();
    ASSERT_EQ(outcomes_.size(), 1U);
    EXPECT_EQ(outcomes_[0].kind, Outcome::Kind::wait);
    EXPECT_EQ(outcomes_[0].error, "not begun: the hub is stopping");
    begin();
    EXPECT_EQ(outcomes_.size(), 2U);
    EXPECT_EQ(commands_->running(), 1U);
    bool stopped = false;
    commands_->stop([&] { stopped = true; });
    EXPECT_FALSE(stopped);
    clock_.advance(5s);
    ASSERT_TRUE(wait_for([&] { return stopped; }));
    EXPECT_TRUE(is_dead("child"));
    EXPECT_EQ(outcomes_.size(), 2U) << "an outcome after the stop";
}

TEST_F(CommandsTest, WithoutRunsTheStopIsDoneAtOnce) {
    define(script("s", "true"));
    bool stopped = false;
    commands_->stop([&] { stopped = true; });
    EXPECT_TRUE(stopped);
}

TEST_F(CommandsTest, DestructionLeavesNoOrphan) {
    define(script("s", "trap '' TERM; echo $$ > child; touch ready; while :; do sleep 1; done"));
    begin();
    ASSERT_TRUE(wait_for_file("ready"));
    commands_.reset();
    EXPECT_TRUE(wait_for([&] { return is_dead("child"); }));
    EXPECT_THAT(outcomes_, IsEmpty());
}

TEST_F(CommandsTest, ProgramsAndUsersAreLookedUpAtTheStart) {
    auto made = [&](const CommandDefinition& definition, const Environment& environment) {
        CommandDefinitions definitions;
        definitions["it"] = definition;
        auto commands = Commands::make(definitions, environment, ports());
        return commands ? "good" : commands.error().field + ": " + commands.error().detail;
    };
    std::ofstream(path("tool")) << "#!/bin/sh\n";
    const CommandDefinition tool{.argv = {"tool"}, .user = {}, .environment = {}};
    const Environment here{{"PATH", "relative::/nowhere:" + directory_}};
    EXPECT_EQ(made(tool, here), "it.argv[0]: PATH has no program `tool`");
    std::filesystem::permissions(path("tool"), std::filesystem::perms::owner_all);
    EXPECT_EQ(made(tool, here), "good");
    EXPECT_EQ(made(tool, {}), "it.argv[0]: PATH has no program `tool`");
    EXPECT_EQ(
        made({.argv = {"/bin/true"}, .user = "no-such-user-here", .environment = {}}, {}),
        "it.user: there is no user `no-such-user-here` here"
    );
}

TEST_F(CommandsTest, OnlyRootRunsProgramsAsAnotherUser) {
    CommandDefinition definition = script("s", "true");
    definition.argv = {"/bin/sh", "-c", "id -u >&2; id -G >&2; echo $USER >&2"};
    definition.user = "nobody";
    if (::geteuid() != 0) {
        CommandDefinitions definitions;
        definitions["it"] = definition;
        auto commands = Commands::make(definitions, {}, ports());
        ASSERT_FALSE(commands.has_value());
        EXPECT_EQ(commands.error().field, "it.user");
        EXPECT_THAT(commands.error().detail, HasSubstr("only a hub that root runs"));
        return;
    }
    Outcome outcome = outcome_of(definition);
    EXPECT_EQ(outcome.kind, Outcome::Kind::settled) << outcome.error;
    EXPECT_EQ(outcome.response, "65534\n65534\nnobody\n");
}

TEST_F(CommandsTest, ASinkIsOnlyMadeForACommandOfTheConfiguration) {
    define(script("s", "true"));
    Result<std::unique_ptr<Sink>> sink = make_command_sink({.command = "it"}, "chat", *commands_);
    ASSERT_TRUE(sink.has_value());
    EXPECT_EQ((*sink)->endpoint(), "command:it");
    (*sink)->attempt({.event = event_with("x"), .timeout = 1h}, [&](Outcome outcome) {
        outcomes_.push_back(std::move(outcome));
    });
    sink->reset();  // a run outlives its sink
    EXPECT_TRUE(wait_for([&] { return outcomes_.size() == 1; }));
    EXPECT_EQ(outcomes_.at(0).kind, Outcome::Kind::settled);
    Result<std::unique_ptr<Sink>> unknown =
        make_command_sink({.command = "other"}, "chat", *commands_);
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, Errc::bad_request);
    EXPECT_EQ(unknown.error().field, "sink.command");
    EXPECT_EQ(unknown.error().detail, "the configuration defines no command `other`");
}

}  // namespace
}  // namespace belfry
