// belfry watch as a command: its flags, its state file, what it prints. The loop itself:
// app/event_watch_test.cc.
#include "app/fake_hub.h"
#include "app/run_in_test.h"
#include "base/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kList =
    R"([{"ID":"00000000-0000-0aae-0000-000000000abc","Name":"de\u001bploy","Payload":null}])";

class WatchCommand : public testing::Test {
 protected:
    WatchCommand() {
        std::string pattern = testing::TempDir() + "belfry-watch-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        environment_ = {
            {"BELFRY_URL", hub_.url()},
            {"BELFRY_TOKEN", "secret"},
            {"HOME", directory_},
            {"PATH", "/usr/bin:/bin"},
            {"OUT", directory_ + "/out"}
        };
    }
    ~WatchCommand() override { std::filesystem::remove_all(directory_); }

    // A list that is there at once; the second question ends the watch.
    FakeHub::Answer answer(const FakeHub::Request& request) {
        if (request.target.contains("index=")) {
            ::kill(::getpid(), SIGTERM);
            return {.hang = true};
        }
        return {.body = kList, .headers = "X-Consul-Index: 18\r\n"};
    }

    Ran watch(std::vector<std::string> words) {
        words.insert(words.begin(), {"watch", "-type=event"});
        return run(std::move(words), environment_);
    }

    [[nodiscard]] std::string text_of(const std::string& name) const {
        std::ifstream file(directory_ + "/" + name);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    // Names below the directory, without it.
    [[nodiscard]] std::vector<std::string> states() const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
            if (entry.path().extension() == ".json") {
                out.push_back(entry.path().string().substr(directory_.size()));
            }
        }
        return out;
    }

    std::string directory_;
    FakeHub hub_{[this](const FakeHub::Request& request) { return answer(request); }};
    Environment environment_;
};

TEST_F(WatchCommand, WithoutACommandPrintsTheListAndEnds) {
    Ran ran = watch({"-name=deploy"});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(
        ran.out,
        "[\n    {\n        \"ID\": \"00000000-0000-0aae-0000-000000000abc\",\n"
        "        \"Name\": \"de\\u001bploy\",\n        \"Payload\": null\n    }\n]\n"
    );
    EXPECT_EQ(hub_.requests().size(), 1U);
    EXPECT_EQ(hub_.requests()[0].target, "/v1/event/list?name=deploy");
    EXPECT_EQ(hub_.requests()[0].authorization, "Bearer secret");
    EXPECT_EQ(watch({"-json"}).out, kList + "\n");
    EXPECT_EQ(hub_.requests()[1].target, "/v1/event/list");
    EXPECT_TRUE(states().empty());
}

TEST_F(WatchCommand, ItsWordsAreAScriptUnlessToldOtherwise) {
    EXPECT_EQ(watch({"-state=none", "echo", "a   b", "$CONSUL_INDEX", ">$OUT"}).code, ExitCode::ok);
    EXPECT_EQ(text_of("out"), "a b 18\n");
    EXPECT_EQ(
        watch({"-state=none", "-shell=false", "sh", "-c", "echo \"$1\" >$OUT", "-n", "a   b"}).code,
        ExitCode::ok
    );
    EXPECT_EQ(text_of("out"), "a   b\n");
    environment_.emplace_back("SHELL", "/bin/false");
    EXPECT_THAT(watch({"-state=none", "true"}).err, HasSubstr("the command ended with 1;"));
    EXPECT_THAT(
        watch({"-state=", "-shell=false", "/no/such/program"}).err,
        HasSubstr("the command cannot be started: /no/such/program: No such file")
    );
    EXPECT_TRUE(states().empty());
}

TEST_F(WatchCommand, RemembersPerHubAndNameWhatWasHandedOver) {
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(watch({"-name=deploy", "cat >>$OUT"}).code, ExitCode::ok);
        ASSERT_EQ(states().size(), 1U);
        EXPECT_THAT(
            states()[0], testing::MatchesRegex("/.local/state/belfry/watch-[0-9a-f]+.json")
        );
    }
    EXPECT_EQ(text_of("out"), kList + "\n");
    watch({"-name=other", "cat >>$OUT"});
    EXPECT_EQ(states().size(), 2U);
    EXPECT_EQ(text_of("out"), kList + "\n" + kList + "\n");
    environment_.emplace_back("XDG_STATE_HOME", directory_ + "/xdg");
    watch({"-name=deploy", "cat >>$OUT"});
    EXPECT_THAT(states(), testing::Contains(StartsWith("/xdg/belfry/watch-")));
    EXPECT_EQ(states().size(), 3U);
}

TEST_F(WatchCommand, AStateFileIsNamedByAFlag) {
    const std::string state = "-state=" + directory_ + "/mine.json";
    watch({"-name=deploy", state, "cat >>$OUT"});
    EXPECT_EQ(
        text_of("mine.json"),
        "{\"format\":1,\"name\":\"deploy\",\"index\":18,"
        "\"id\":\"00000000-0000-0aae-0000-000000000abc\"}\n"
    );
    Ran other = watch({"-name=other", state, "cat >>$OUT"});
    EXPECT_EQ(other.code, ExitCode::invalid);
    EXPECT_THAT(other.err, HasSubstr("is the state of a watch of `deploy`"));
    EXPECT_EQ(text_of("out"), kList + "\n");
}

TEST_F(WatchCommand, ADamagedStateIsRefusedBeforeAnythingRuns) {
    std::ofstream(directory_ + "/mine.json") << "{";
    Ran ran = watch({"-name=deploy", "-state=" + directory_ + "/mine.json", "cat >>$OUT"});
    EXPECT_EQ(ran.code, ExitCode::invalid);
    EXPECT_THAT(ran.err, HasSubstr("mine.json is not the state of a watch: "));
    EXPECT_THAT(ran.err, HasSubstr("Nothing was handed over."));
    EXPECT_EQ(text_of("mine.json"), "{");
    EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(WatchCommand, ASecondWatchOfTheSameStateIsRefused) {
    const std::string path = directory_ + "/mine.json";
    auto first = posix_file_system().lock(path + ".lock");
    ASSERT_TRUE(first.has_value());
    Ran ran = watch({"-name=deploy", "-state=" + path, "cat >>$OUT"});
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_THAT(ran.err, HasSubstr("another watch uses " + path));
    EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(WatchCommand, AStateThatCannotBeWrittenIsSaidAtTheStart) {
    std::ofstream(directory_ + "/file") << "";
    Ran ran = watch({"-name=deploy", "-state=" + directory_ + "/file/mine.json", "cat >>$OUT"});
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_THAT(ran.err, HasSubstr("-state=none"));
    EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(WatchCommand, WrongUsageSaysWhatThereIs) {
    EXPECT_THAT(run({"watch"}).err, HasSubstr("Watch type must be specified"));
    EXPECT_THAT(
        run({"watch", "-type=services"}).err,
        HasSubstr("-type=services is not here: a hub has events, -type=event")
    );
    EXPECT_THAT(run({"watch", "-type=event", "true"}).err, HasSubstr("HOME is not set"));
    EXPECT_THAT(run({"watch", "-type=event", "-name=\xff"}).err, HasSubstr("not UTF-8"));
}

}  // namespace
}  // namespace belfry
