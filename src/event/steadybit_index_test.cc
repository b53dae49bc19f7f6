#include "event/steadybit_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using Restrict = SteadybitListener::Restrict;

Result<SteadybitIndex> parse_index(std::string_view json) {
    return parse_steadybit_index(json, Limits());
}

// The index whose listeners are `elements`.
SteadybitIndex index_with(const std::string& elements) {
    Result<SteadybitIndex> index = parse_index(R"({"eventListeners":[)" + elements + "]}");
    EXPECT_TRUE(index.has_value()) << index.error().detail;
    return index.value_or(SteadybitIndex());
}

// Why the one listener is refused.
std::string reason(const std::string& element) {
    const SteadybitIndex index = index_with(element);
    EXPECT_TRUE(index.listeners.empty());
    return index.refusals.empty() ? "" : index.refusals.front().reason;
}

constexpr const char* kGood = R"({"path":"/e","method":"POST","listenTo":["*"]})";

TEST(SteadybitIndex, ReadsWhatExtensionsAnswer) {
    const Result<SteadybitIndex> index = parse_index(R"({
        "actions":[{"method":"GET","path":"/actions"}],"discoveries":null,
        "eventListeners":[
            {"method":"POST","path":"/events/all","listenTo":["*"],"restrictTo":"any"},
            {"method":"put","path":"/e?x=1","listenTo":["killswitch.engaged","killswitch.engaged"],
             "includeEnvironmentVariables":[]}]})");
    ASSERT_TRUE(index.has_value()) << index.error().detail;
    EXPECT_TRUE(index->refusals.empty());
    ASSERT_EQ(index->listeners.size(), 2);
    EXPECT_EQ(
        index->listeners[0],
        (SteadybitListener{
            .path = "/events/all",
            .method = "POST",
            .listen_to = {"*"},
            .restrict_to = Restrict::any
        })
    );
    EXPECT_EQ(
        index->listeners[1],
        (SteadybitListener{
            .path = "/e?x=1",
            .method = "PUT",
            .listen_to = {"killswitch.engaged"},
            .restrict_to = Restrict::leader
        })
    );
}

TEST(SteadybitIndex, NothingIsNoListener) {
    for (const char* json :
         {"{}", R"({"eventListeners":null})", R"({"eventListeners":[]})", R"({"actions":[]})"}) {
        const Result<SteadybitIndex> index = parse_index(json);
        ASSERT_TRUE(index.has_value()) << json;
        EXPECT_EQ(*index, SteadybitIndex()) << json;
    }
}

TEST(SteadybitIndex, AListenerWithoutNamesIsKeptAndNeverCalled) {
    for (const char* names : {R"(,"listenTo":null)", R"(,"listenTo":[])", ""}) {
        const SteadybitIndex index =
            index_with(fmt::format(R"({{"path":"/quiet","method":"POST"{}}},{})", names, kGood));
        ASSERT_EQ(index.listeners.size(), 2) << names;
        EXPECT_FALSE(index.listeners[0].listens_to("deploy"));
        EXPECT_TRUE(index.listeners[1].listens_to("deploy"));
    }
}

TEST(SteadybitIndex, OneBadListenerIsRefusedAndItsSiblingsStay) {
    const SteadybitIndex index = index_with(
        R"({"path":"no-slash","method":"POST","listenTo":["a","b"]},)" + std::string(kGood)
    );
    ASSERT_EQ(index.listeners.size(), 1);
    EXPECT_EQ(index.listeners[0].path, "/e");
    EXPECT_EQ(
        index.refusals,
        (std::vector{SteadybitRefusal{
            .method = "POST",
            .path = "no-slash",
            .listen_to = {"a", "b"},
            .reason = "\"path\" must begin with a slash"
        }})
    );
}

TEST(SteadybitIndex, EveryRefusalHasItsReason) {
    EXPECT_EQ(reason("7"), "a listener must be an object");
    EXPECT_EQ(reason("null"), "a listener must be an object");
    EXPECT_EQ(reason(R"({"method":"POST"})"), "\"path\" is missing");
    EXPECT_EQ(reason(R"({"path":null,"method":"POST"})"), "\"path\" is missing");
    EXPECT_EQ(reason(R"({"path":["/e"],"method":"POST"})"), "\"path\" must be a string");
    EXPECT_EQ(reason(R"({"path":"","method":"POST"})"), "\"path\" must begin with a slash");
    EXPECT_TRUE(
        reason(R"({"path":"/a b","method":"POST"})").starts_with("\"path\" cannot be part of a URL")
    );
    EXPECT_TRUE(reason(R"({"path":"/a\r\nX: y","method":"POST"})")
                    .starts_with("\"path\" cannot be part of a URL"));
    EXPECT_EQ(reason(R"({"path":"/e"})"), "\"method\" is missing");
    EXPECT_EQ(reason(R"({"path":"/e","method":1})"), "\"method\" must be a string");
    for (const char* method : {"GET", "patch", "", "POST "}) {
        EXPECT_EQ(
            reason(fmt::format(R"({{"path":"/e","method":"{}"}})", method)),
            "\"method\" is one of POST, PUT and DELETE"
        );
    }
    const std::string start = R"({"path":"/e","method":"POST",)";
    EXPECT_EQ(reason(start + R"("listenTo":"*"})"), "\"listenTo\" must be an array of strings");
    for (const char* names : {"[1]", R"(["a",null])", R"([""])", R"([["a"]])"}) {
        EXPECT_EQ(
            reason(start + "\"listenTo\":" + names + "}"),
            "\"listenTo\" must hold names of events, or \"*\""
        );
    }
    for (const char* word : {"\"all\"", "7", "\"\"", "[\"any\"]"}) {
        EXPECT_EQ(
            reason(start + "\"restrictTo\":" + word + "}"),
            "\"restrictTo\" is one of any, leader and aws"
        );
    }
}

TEST(SteadybitIndex, MethodsAndRestrictionsInAnyCase) {
    for (const char* method : {"post", "Post", "pUt", "DELETE", "delete"}) {
        const SteadybitIndex index =
            index_with(fmt::format(R"({{"path":"/e","method":"{}","restrictTo":"AWS"}})", method));
        ASSERT_EQ(index.listeners.size(), 1) << method;
        EXPECT_EQ(index.listeners[0].restrict_to, Restrict::aws);
        EXPECT_EQ(index.listeners[0].method.find_first_of("abcdefghijklmnopqrstuvwxyz"), -1);
    }
    EXPECT_EQ(
        index_with(R"({"path":"/e","method":"POST","restrictTo":"Leader"})")
            .listeners[0]
            .restrict_to,
        Restrict::leader
    );
    EXPECT_EQ(
        index_with(R"({"path":"/e","method":"POST","restrictTo":null})").listeners[0].restrict_to,
        Restrict::leader
    );
}

TEST(SteadybitIndex, NamesMatchWhole) {
    const SteadybitListener listener{
        .path = "/e", .method = "POST", .listen_to = {"experiment.execution.step", "x.*"}
    };
    EXPECT_TRUE(listener.listens_to("experiment.execution.step"));
    EXPECT_FALSE(listener.listens_to("experiment.execution.step-started"));
    EXPECT_FALSE(listener.listens_to("Experiment.execution.step"));
    EXPECT_FALSE(listener.listens_to("x.y")) << "only the lone * is special";
    EXPECT_TRUE(listener.listens_to("x.*"));
}

TEST(SteadybitIndex, EqualListenersCountOnce) {
    const std::string twice = std::string(kGood) + "," + kGood;
    EXPECT_EQ(index_with(twice).listeners.size(), 1);
    EXPECT_TRUE(index_with(twice).refusals.empty());
    EXPECT_EQ(
        index_with(std::string(kGood) + R"(,{"path":"/e","method":"POST","listenTo":["a"]})")
            .listeners.size(),
        2
    ) << "the same path with other names is another listener";
}

TEST(SteadybitIndex, WhatIsPastTheNumberOfListenersIsRefused) {
    std::string elements;
    for (int i = 0; i < 10'000; ++i) {
        elements += fmt::format(
            R"({}{{"path":"/e/{}","method":"POST","listenTo":["*"]}})", i == 0 ? "" : ",", i
        );
    }
    const SteadybitIndex index = index_with(elements);
    ASSERT_EQ(index.listeners.size(), 1'000);
    EXPECT_EQ(index.listeners.back().path, "/e/999");
    ASSERT_EQ(index.refusals.size(), 1'000);
    EXPECT_EQ(index.refusals.front().path, "/e/1000");
    EXPECT_EQ(index.refusals.front().reason, "an extension has at most 1000 listeners");
    EXPECT_EQ(index.refusals_beyond, 8'000);
}

TEST(SteadybitIndex, WhatIsShownOfARefusalIsBounded) {
    const std::string path(100'000, 'x');
    const SteadybitIndex index =
        index_with(R"({"path":")" + path + R"(","method":"POST"},{"path":"/)" + path + "\"}");
    ASSERT_EQ(index.refusals.size(), 2);
    EXPECT_EQ(index.refusals[0].path, path.substr(0, 256) + "…");
    EXPECT_LT(index.refusals[1].reason.size(), 200);
    std::string accents = "a";
    for (int i = 0; i < 200; ++i) {
        accents += "é";
    }
    EXPECT_EQ(
        index_with(R"({"path":")" + accents + R"(","method":"POST"})").refusals[0].path,
        accents.substr(0, 255) + "…"
    ) << "cut between characters";
}

TEST(SteadybitIndex, WhatIsNoIndexIsAnError) {
    for (const char* json : {
             "",
             "<html></html>",
             "[]",
             "7",
             "null",
             R"({"eventListeners":{}})",
             R"({"eventListeners":"none"})",
             R"({"eventListeners":[})",
             R"({"eventListeners":[],"eventListeners":[]})",
             "{\"a\":\"\xff\"}",
         }) {
        const Result<SteadybitIndex> index = parse_index(json);
        ASSERT_FALSE(index.has_value()) << json;
        EXPECT_EQ(index.error().code, Errc::bad_request) << json;
        EXPECT_NE(index.error().detail, "") << json;
    }
    const std::string deep(100, '[');
    EXPECT_FALSE(parse_index(R"({"actions":)" + deep).has_value());
}

TEST(SteadybitIndex, AnIndexHasAtMostSoManyBytes) {
    const std::string head = R"({"actions":")";
    const std::string fits =
        head + std::string(kSteadybitIndexBytes - head.size() - 2, 'a') + "\"}";
    EXPECT_TRUE(parse_index(fits).has_value());
    const Result<SteadybitIndex> index = parse_index(fits + " ");
    ASSERT_FALSE(index.has_value());
    EXPECT_EQ(index.error().code, Errc::too_large);
    EXPECT_EQ(index.error().limit, kSteadybitIndexBytes);
}

}  // namespace
}  // namespace belfry
