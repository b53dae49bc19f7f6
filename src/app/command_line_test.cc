#include "app/command_line.h"

#include "app/fake_hub.h"
#include "app/run_in_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

FakeHub::Answers always(int status, const std::string& body) {
    return [=](const FakeHub::Request&) { return FakeHub::Answer{.status = status, .body = body}; };
}

// The commands that a help names, in its order.
std::vector<std::string> commands_in(const std::string& help) {
    std::vector<std::string> names;
    std::istringstream lines(help);
    bool listed = false;
    for (std::string line; std::getline(lines, line);) {
        if (line == "Subcommands:") {
            listed = true;
        } else if (listed && line.starts_with("  ") && line.size() > 2 && line[2] != ' ') {
            names.push_back(line.substr(2, line.find(' ', 2) - 2));
        }
    }
    return names;
}

// `words` and every command below it; gives how many there are.
std::size_t expect_examples_first(std::vector<std::string> words) {
    std::vector<std::string> asked = words;
    asked.emplace_back("--help");
    Ran ran = run(asked);
    EXPECT_EQ(ran.code, ExitCode::ok) << testing::PrintToString(words);
    EXPECT_THAT(ran.out, StartsWith("EXAMPLES\n  belfry ")) << testing::PrintToString(words);
    EXPECT_EQ(ran.err, "");
    std::size_t count = 1;
    for (const std::string& name : commands_in(ran.out)) {
        words.push_back(name);
        count += expect_examples_first(words);
        words.pop_back();
    }
    return count;
}

TEST(CommandLine, HelpBeginsWithExamplesEverywhere) {
    EXPECT_GE(expect_examples_first({}), 40U) << "the walk does not find the commands any more";
}

TEST(CommandLine, WrongUsageIsTwoAndSaysWhatIsWrong) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {},
             {"nonsense"},
             {"fire"},
             {"get"},
             {"list", "--limit", "many"},
             {"list", "--nonsense"},
             {"subscription"},
             {"subscription", "add"},
             {"subscription", "add", "chat"},
             {"subscription", "add", "chat", "http://x", "--document", "y"},
             {"subscription", "add", "chat", "http://x", "--secret", "a", "--secret-generate"},
             {"subscription", "add", "chat", "http://x", "--header", "nocolon"},
             {"extension"},
             {"extension", "add"},
             {"extension", "add", "http://x", "--profile", "slow"},
             {"extension", "add", "http://x", "--poll-limit", "5"},
             {"extension", "add", "http://x", "--password-file", "-"},
             {"dead-letter", "replay"},
             {"dead-letter", "replay", "x", "--all"},
             {"fire", "x", "@/no/such/file"},
             {"bench", "--duration", "soon"},
             {"bench", "--duration", "0s"},
             {"bench", "--batch", "100"},
             {"bench", "--batch", "2", "--format", "consul"},
             {"bench", "--format", "xml"},
             {"bench", "--connections", "0"},
             {"bench", "--token", "x"},
             {"list", "--url", "https://x", "--ca-file", "/no/such/file"},
             {"bench", "--url", "https://x"},
             {"list", "--url", "nonsense"},
             {"list", "--token-file", "/no/such/file"},
             {"list", "--token", "x"},  // argv is for everybody to see
             {"token"},
             {"token", "create"},
             {"token", "revoke"},
             {"token", "revoke", "belfry_a-secret", "--yes"},
             {"policy", "create", "ci"},
             {"policy", "check", "/no/such/file"},
             {"event"},
             {"event", "-name=x", "one", "two"},
             {"event", "-name=x", "-tag=t"},
             {"event", "-nonsense=x"},
             {"watch"},
             {"watch", "-type=key", "-key=x"},
             {"watch", "-type=event", "-state=x"},
             {"watch", "-type=event", "true"},  // no HOME
         }) {
        Ran ran = run(words);
        EXPECT_EQ(ran.code, ExitCode::usage) << testing::PrintToString(words);
        EXPECT_THAT(ran.err, StartsWith("belfry: ")) << testing::PrintToString(words);
        EXPECT_EQ(ran.out, "") << testing::PrintToString(words);
    }
}

TEST(CommandLine, VersionIsPrinted) {
    EXPECT_THAT(run({"version"}).out, StartsWith("belfry "));
    EXPECT_THAT(run({"--version"}).out, StartsWith("belfry "));
    EXPECT_THAT(run({"version", "--json"}).out, StartsWith("{\"version\":\""));
}

TEST(CommandLine, AHubThatIsNotThereIsSixAndTheNextStepIsNamed) {
    std::string url;
    {
        FakeHub hub(always(200, "{}"));
        url = hub.url();
    }
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"status"},
             {"list"},
             {"get", "1"},
             {"fire", "x"},
             {"event", "-name=x"},
             {"watch", "-type=event", "-name=x"},
             {"watch", "-type=event", "-name=x", "-state=none", "true"},
             {"tail"},
             {"bench"},
             {"subscription", "list"},
             {"dead-letter", "list"}
         }) {
        Ran ran = run(words, {{"BELFRY_URL", url}});
        EXPECT_EQ(ran.code, ExitCode::unreachable) << words[0];
        EXPECT_THAT(ran.err, HasSubstr("no answer from " + url)) << words[0];
        EXPECT_THAT(ran.err, HasSubstr("belfry serve")) << words[0];
    }
}

TEST(CommandLine, WhatTheHubRefusesBecomesAnExitCode) {
    struct Case {
        int status;
        std::string code;
        ExitCode exit;
    };
    for (const Case& c : std::vector<Case>{
             {400, "invalid_event", ExitCode::invalid},
             {404, "not_found", ExitCode::not_found},
             {410, "offset_expired", ExitCode::not_found},
             {401, "unauthenticated", ExitCode::refused},
             {403, "denied", ExitCode::refused},
             {409, "id_conflict", ExitCode::invalid},
             {413, "too_large", ExitCode::invalid},
             {503, "overloaded", ExitCode::failure},
             {503, "outcome_unknown", ExitCode::failure},
             {507, "disk_full", ExitCode::failure},
             {500, "", ExitCode::failure},
             {302, "", ExitCode::failure},
         }) {
        std::string body = c.code.empty() ? "<html>"
                                          : R"({"status":1,"code":")" + c.code +
                                                R"(","detail":"so it is\u001b[31m","limit":7})";
        FakeHub hub(always(c.status, body));
        Ran ran = run({"get", "17", "--url", hub.url()});
        EXPECT_EQ(ran.code, c.exit) << c.status << c.code;
        EXPECT_EQ(ran.out, "");
        EXPECT_EQ(ran.err.find('\x1b'), std::string::npos);
        if (c.code.empty()) {
            EXPECT_THAT(ran.err, HasSubstr("the hub answered " + std::to_string(c.status)));
        } else {
            EXPECT_THAT(ran.err, HasSubstr("so it is\\x1b[31m (code: " + c.code + ", limit: 7)"));
        }
    }
}

TEST(CommandLine, FirePublishesWhatItWasGiven) {
    FakeHub hub(always(200, R"({"id":"a-b","offset":17,"durability":"fsync","duplicate":true})"));
    Ran ran =
        run({"fire",
             "de ploy",
             "{\"v\":1}",
             "--source",
             "/ci",
             "--subject",
             "s",
             "--id",
             "i",
             "--url",
             hub.url()},
            {{"BELFRY_TOKEN", "t0"}});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "a-b  offset 17  duplicate: stored before\n");
    ASSERT_EQ(hub.requests().size(), 1U);
    FakeHub::Request request = hub.requests()[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/api/v1/events?type=de%20ploy&source=%2Fci&subject=s&id=i");
    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.body, "{\"v\":1}");
    EXPECT_EQ(request.authorization, "Bearer t0");
}

TEST(CommandLine, FireGuessesTheMediaTypeUnlessToldAndReadsFiles) {
    std::string path = testing::TempDir() + "belfry-fire-data";
    std::ofstream(path, std::ios::binary) << "\xff\xfe";
    FakeHub hub(always(200, "{}"));
    Environment environment = {{"BELFRY_URL", hub.url()}, {"BELFRY_TOKEN", "secret"}};
    EXPECT_EQ(run({"fire", "x", "plain text"}, environment).code, ExitCode::ok);
    EXPECT_EQ(run({"fire", "x", "@" + path}, environment).code, ExitCode::ok);
    EXPECT_EQ(
        run({"fire", "x", "[1]", "--content-type", "text/x"}, environment).code, ExitCode::ok
    );
    EXPECT_EQ(run({"fire", "x"}, environment).code, ExitCode::ok);
    std::filesystem::remove(path);
    std::vector<FakeHub::Request> requests = hub.requests();
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_EQ(requests[0].content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(requests[1].content_type, "application/octet-stream");
    EXPECT_EQ(requests[1].body, "\xff\xfe");
    EXPECT_EQ(requests[2].content_type, "text/x");
    EXPECT_EQ(requests[2].body, "[1]");
    EXPECT_EQ(requests[3].content_type, "");
    EXPECT_EQ(requests[3].authorization, "Bearer secret");
}

TEST(CommandLine, ListGoesOnThroughShortPages) {
    FakeHub hub([](const FakeHub::Request& request) -> FakeHub::Answer {
        if (request.target.find("before=9") == std::string::npos) {
            return {.body = R"({"events":[{"type":"a","offset":12}],"next":9})"};
        }
        return {.body = R"({"events":[{"type":"b\u001b","offset":3}]})"};
    });
    Ran ran = run({"list", "--type", "a*", "--url", hub.url(), "--json"});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "{\"type\":\"a\",\"offset\":12}\n{\"type\":\"b\\u001b\",\"offset\":3}\n");
    ASSERT_EQ(hub.requests().size(), 2U);
    EXPECT_EQ(hub.requests()[0].target, "/api/v1/events?type=a%2A&order=desc&limit=100");
    EXPECT_EQ(hub.requests()[1].target, "/api/v1/events?type=a%2A&before=9&order=desc&limit=99");
    EXPECT_THAT(run({"list", "--url", hub.url()}).out, HasSubstr("b\\x1b"));
}

TEST(CommandLine, ListEndsAtItsLimit) {
    FakeHub hub(always(200, R"({"events":[{"offset":1},{"offset":2}],"next":2})"));
    Ran ran = run({"list", "--oldest-first", "--limit", "4", "--json", "--url", hub.url()});
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 4);
    EXPECT_EQ(hub.requests().size(), 2U);
    EXPECT_EQ(hub.requests()[1].target, "/api/v1/events?after=2&order=asc&limit=2");
}

TEST(CommandLine, GetWithDataPrintsTheBytesAlone) {
    FakeHub hub(always(200, "\x1b raw"));
    Ran ran = run({"get", "a/b", "--data", "--url", hub.url()});
    EXPECT_EQ(ran.out, "\x1b raw");
    EXPECT_EQ(hub.requests()[0].target, "/api/v1/events/a%2Fb/data");
}

TEST(CommandLine, SubscriptionAddSendsTheDocument) {
    FakeHub hub(always(201, R"({"name":"chat","state":"active"})"));
    Ran ran = run(
        {"subscription",
         "add",
         "chat",
         "http://127.0.0.1:9000/in",
         "--type",
         "deploy",
         "--type",
         "ex*",
         "--format",
         "body",
         "--header",
         "X-Team: ops",
         "--start",
         "17",
         "--order",
         "all",
         "--timeout",
         "5s",
         "--max-in-flight",
         "2",
         "--secret-generate",
         "--url",
         hub.url()}
    );
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_THAT(ran.out, testing::MatchesRegex("whsec_[A-Za-z0-9+/]{43}=\n"));
    EXPECT_THAT(ran.err, Not(HasSubstr("whsec_")));
    std::string secret = ran.out.substr(0, ran.out.size() - 1);
    EXPECT_EQ(
        hub.requests()[0].body,
        R"({"name":"chat","sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in",)"
        R"("format":"body",)"
        R"("headers":{"X-Team":"ops"},"secret":")" +
            secret +
            R"("},"filter":{"types":["deploy","ex*"]},)"
            R"("start":{"offset":17},"delivery":{"order":"all","timeout":"5s","max_in_flight":2}})"
    );
    Ran again =
        run({"subscription", "add", "chat", "http://x", "--secret-generate", "--url", hub.url()});
    EXPECT_NE(again.out, ran.out) << "two secrets are the same";
}

TEST(CommandLine, SubscriptionAddTakesAWholeDocument) {
    std::string path = testing::TempDir() + "belfry-document.json";
    std::ofstream(path) << R"({"name":"other","sink":{"kind":"webhook","url":"http://x"},)"
                           R"("delivery":{"order":"key"}})";
    FakeHub hub(always(201, R"({"name":"chat"})"));
    EXPECT_EQ(
        run({"subscription", "add", "chat", "--document", path, "--url", hub.url()}).code,
        ExitCode::ok
    );
    EXPECT_EQ(
        hub.requests()[0].body,
        R"({"name":"chat","sink":{"kind":"webhook","url":"http://x"},"delivery":{"order":"key"}})"
    );
    std::ofstream(path) << "{broken";
    EXPECT_EQ(
        run({"subscription", "add", "chat", "--document", path, "--url", hub.url()}).code,
        ExitCode::invalid
    );
    std::filesystem::remove(path);
}

TEST(CommandLine, RemovingAsksFirst) {
    FakeHub hub(always(204, ""));
    // Standard input of a test is no terminal.
    Ran ran = run({"subscription", "remove", "chat", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::usage);
    EXPECT_THAT(ran.err, HasSubstr("--yes"));
    EXPECT_TRUE(hub.requests().empty());
    EXPECT_EQ(
        run({"subscription", "remove", "chat", "--yes", "--url", hub.url()}).code, ExitCode::ok
    );
    EXPECT_EQ(hub.requests()[0].method, "DELETE");
    EXPECT_EQ(hub.requests()[0].target, "/api/v1/subscriptions/chat");
}

TEST(CommandLine, SubscriptionCommandsCallTheirRoutes) {
    FakeHub hub([](const FakeHub::Request& request) -> FakeHub::Answer {
        if (request.target.ends_with("/test")) {
            return {.body = R"({"outcome":"failed","status":500})"};
        }
        if (request.target.find("/attempts") != std::string::npos) {
            return {
                .body = R"({"attempts":[{"offset":3,"attempt":1,"status":500,"error":"no\nno"}]})"
            };
        }
        if (request.target.ends_with("/rotate-secret")) {
            return {.body = R"({"secret":"whsec_new"})"};
        }
        if (request.target.ends_with("/subscriptions")) {
            return {
                .body = R"({"subscriptions":[{"name":"chat","state":"active",)"
                        R"("sink":{"url":"http://x"}}]})"
            };
        }
        return {.body = R"({"name":"chat","state":"paused"})"};
    });
    Environment environment = {{"BELFRY_URL", hub.url()}};
    EXPECT_THAT(run({"subscription", "list"}, environment).out, HasSubstr("chat  active"));
    EXPECT_THAT(run({"subscription", "show", "chat"}, environment).out, HasSubstr("state  paused"));
    EXPECT_THAT(
        run({"subscription", "pause", "chat"}, environment).err, HasSubstr("chat is paused")
    );
    EXPECT_EQ(run({"subscription", "resume", "chat", "-q"}, environment).err, "");
    EXPECT_EQ(run({"subscription", "test", "chat"}, environment).code, ExitCode::failure);
    EXPECT_EQ(run({"subscription", "rotate-secret", "chat"}, environment).out, "whsec_new\n");
    EXPECT_THAT(
        run({"subscription", "attempts", "chat", "--event", "3"}, environment).out,
        HasSubstr("no\\nno")
    );
    EXPECT_EQ(hub.requests().back().target, "/api/v1/subscriptions/chat/attempts?event=3");
}

TEST(CommandLine, DeadLetterCommandsCallTheirRoutes) {
    FakeHub hub([](const FakeHub::Request& request) -> FakeHub::Answer {
        if (request.method == "GET" && request.target.find("after=x1") == std::string::npos) {
            return {
                .body = R"({"dead_letters":[{"id":"x1","reason":"rejected",)"
                        R"("event":{"type":"t","offset":4}}],"next":"x1"})"
            };
        }
        if (request.method == "GET") {
            return {
                .body = R"({"dead_letters":[{"id":"x2","reason":"expired",)"
                        R"("range":{"from":1,"to":9,"count":8}}]})"
            };
        }
        return {.status = 202, .body = R"({"replay":"r1"})"};
    });
    Environment environment = {{"BELFRY_URL", hub.url()}};
    std::string listed = run({"dead-letter", "list"}, environment).out;
    EXPECT_THAT(listed, HasSubstr("x1"));
    EXPECT_THAT(listed, HasSubstr("1–9"));
    EXPECT_THAT(run({"dead-letter", "show", "x2"}, environment).out, HasSubstr("range.count  8"));
    EXPECT_EQ(run({"dead-letter", "show", "x3"}, environment).code, ExitCode::not_found);
    EXPECT_THAT(run({"dead-letter", "replay", "x1"}, environment).out, HasSubstr("r1"));
    EXPECT_EQ(hub.requests().back().target, "/api/v1/dead-letters/x1/replay");
    EXPECT_EQ(
        run({"dead-letter", "replay", "--all", "--type", "t"}, environment).code, ExitCode::ok
    );
    EXPECT_EQ(hub.requests().back().body, R"({"type":"t"})");
    EXPECT_EQ(run({"dead-letter", "purge", "x1"}, environment).code, ExitCode::usage);
    EXPECT_EQ(run({"dead-letter", "purge", "x1", "--yes"}, environment).code, ExitCode::ok);
    EXPECT_EQ(hub.requests().back().method, "DELETE");
}

TEST(CommandLine, StatusIsOneIfTheHubIsNotReady) {
    FakeHub ready(always(200, R"({"ready":true,"log":{"next":3}})"));
    Ran ran = run({"status", "--url", ready.url()});
    EXPECT_EQ(ran.code, ExitCode::ok);
    EXPECT_EQ(ran.out, "ready     true\nlog.next  3\n");
    FakeHub starting(always(200, R"({"ready":false})"));
    EXPECT_EQ(run({"status", "--json", "--url", starting.url()}).code, ExitCode::failure);
}

TEST(CommandLine, ConfigCommandsReadWhatServeReads) {
    std::string path = testing::TempDir() + "belfry-bad.yaml";
    std::ofstream(path) << "http:\n  listten: x\n";
    Ran bad = run({"config", "check", "--config", path});
    EXPECT_EQ(bad.code, ExitCode::invalid);
    EXPECT_THAT(
        bad.err,
        HasSubstr("belfry-bad.yaml:2:3: unknown key `http.listten`; did you mean `http.listen`?")
    );
    EXPECT_EQ(bad.out, "");
    Ran as_json = run({"config", "check", "--json", "--config", path});
    EXPECT_EQ(as_json.code, ExitCode::invalid);
    EXPECT_THAT(as_json.out, StartsWith("{\"valid\":false,\"problems\":[{\"where\":\""));
    EXPECT_THAT(as_json.out, HasSubstr("unknown key `http.listten`"));
    // Nothing is opened for it.
    std::string data = testing::TempDir() + "belfry-untouched";
    EXPECT_EQ(run({"serve", "--config", path, "--data", data}).code, ExitCode::invalid);
    EXPECT_FALSE(std::filesystem::exists(data));
    std::filesystem::remove(path);
    EXPECT_EQ(run({"config", "check"}).code, ExitCode::ok);
    EXPECT_EQ(run({"config", "check", "--json"}).out, "{\"valid\":true,\"problems\":[]}\n");
    EXPECT_EQ(run({"config", "show", "--set", "nothing"}).code, ExitCode::invalid);
    Ran shown =
        run({"config", "show", "--origin", "--set", "data=[x]"},
            {{"BELFRY_LOGGING__LEVEL", "warn"}});
    EXPECT_THAT(shown.out, testing::ContainsRegex("data: \"\\[x\\]\" +# --set\n"));
    EXPECT_THAT(
        shown.out, testing::ContainsRegex("logging.level: warn +# BELFRY_LOGGING__LEVEL\n")
    );
}

TEST(CommandLine, ServeRefusesAnOpenAddress) {
    std::string data = testing::TempDir() + "belfry-open";
    Ran ran = run({"serve", "--listen", "0.0.0.0:0", "--data", data});
    EXPECT_EQ(ran.code, ExitCode::invalid);
    EXPECT_THAT(ran.err, HasSubstr("belfry token bootstrap --data " + data));
    EXPECT_THAT(ran.err, HasSubstr("--insecure"));
    std::filesystem::remove_all(data);  // its tokens, had there been any, would have been there
}

TEST(CommandLine, ServeSaysThatItsAddressIsTaken) {
    FakeHub other(always(200, "{}"));
    std::string data = testing::TempDir() + "belfry-taken";
    Ran ran = run(
        {"serve", "--listen", other.url().substr(7), "--data", data, "--set", "logging.level=off"}
    );
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_THAT(ran.err, HasSubstr(other.url().substr(7)));
    EXPECT_THAT(ran.err, HasSubstr("another address is chosen with --listen"));
    std::filesystem::remove_all(data);
}

TEST(CommandLine, BenchSaysHowFastTheHubWas) {
    FakeHub hub(always(200, "{}"));
    std::vector<std::string> words = {
        "bench", "--duration", "20ms", "--connections", "2", "--url", hub.url()
    };
    Ran ran = run(words);
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(" events/s: "));
    EXPECT_THAT(ran.out, HasSubstr("p99.9 "));
    // One request is due, and at once; of more, one might not be sent in time.
    words.insert(words.end(), {"--json", "--format", "json", "--batch", "3", "--rate", "3"});
    ran = run(words);
    EXPECT_THAT(ran.out, StartsWith(R"({"requests":1,"events":3,"events_with_warm_up":3,)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("failed":0,"lost":0,"unsent":0,"refused":{},"seconds":)"));
}

TEST(CommandLine, BenchFailsWhenTheHubRefused) {
    FakeHub hub(always(507, "disk\x1b[31m full"));
    Ran ran = run({"bench", "--duration", "20ms", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::failure);
    EXPECT_THAT(ran.err, HasSubstr(" requests were answered 507"));
    EXPECT_THAT(ran.err, HasSubstr("disk\\x1b[31m full"));
}

TEST(CommandLine, TokenCreatePrintsTheSecretAloneSoThatItCanGoIntoAFile) {
    FakeHub hub(always(201, R"({"id":"tk_1","policies":["ci"],"secret":"belfry_abc"})"));
    Ran ran = run(
        {"token", "create", "--policy", "ci", "--policy", "b", "--expires", "1h", "--url", hub.url()
        }
    );
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "belfry_abc\n");
    EXPECT_EQ(ran.err, "tk_1 is made; its secret is shown this once\n");
    ASSERT_EQ(hub.requests().size(), 1U);
    EXPECT_EQ(hub.requests()[0].target, "/api/v1/tokens");
    EXPECT_EQ(hub.requests()[0].body, R"({"policies":["ci","b"],"expires":"1h"})");
}

TEST(CommandLine, PolicyCreateSendsWhatTheFileSaysAndItsNotes) {
    const std::string path = testing::TempDir() + "belfry-policy.hcl";
    std::ofstream(path) << "event_prefix \"\" { policy = \"read\" }\nacl = \"write\"\n";
    FakeHub hub(always(201, R"({"name":"ci"})"));
    Ran ran = run({"policy", "create", "ci", path, "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_THAT(ran.err, testing::HasSubstr("note: line 2, column 1: `acl` is skipped"));
    EXPECT_THAT(ran.err, testing::HasSubstr("every event type"));
    ASSERT_EQ(hub.requests().size(), 1U);
    EXPECT_EQ(hub.requests()[0].body, R"({"name":"ci","rules":{"event_prefix":{"":"read"}}})");
    Ran checked = run({"policy", "check", path, "--json"});
    EXPECT_EQ(checked.out, "{\"event_prefix\":{\"\":\"read\"}}\n");
}

TEST(CommandLine, TokenListIsATableOfAllPages) {
    FakeHub hub([](const FakeHub::Request& request) {
        return FakeHub::Answer{
            .body = request.target.contains("after=")
                        ? R"({"tokens":[{"id":"tk_2","policies":["b"]}]})"
                        : R"({"tokens":[{"id":"tk_1","policies":["a"]}],"next":"tk_1"})"
        };
    });
    Ran ran = run({"token", "list", "--url", hub.url()});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_THAT(ran.out, testing::HasSubstr("CREATED BY"));
    EXPECT_THAT(ran.out, testing::HasSubstr("tk_1"));
    EXPECT_THAT(ran.out, testing::HasSubstr("tk_2"));
}

}  // namespace
}  // namespace belfry
