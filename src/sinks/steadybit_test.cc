#include "sinks/steadybit.h"

#include "base/manual_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;
using Restrict = SteadybitListener::Restrict;
using testing::ElementsAre;
using testing::HasSubstr;

StoredEvent make_deploy(std::string_view type = "deploy", std::uint64_t offset = 41) {
    auto bytes = std::make_shared<std::string>(R"({"version":7})");
    StoredEvent stored;
    stored.event.source = "/shop";
    stored.event.type = type;
    stored.event.data = *bytes;
    stored.offset = Offset{offset};
    stored.uuid_low = 0x1122334455667788;
    stored.owner = std::move(bytes);
    return stored;
}

SteadybitListener listener(
    const std::string& path, std::vector<std::string> names = {"*"}, Restrict who = Restrict::any
) {
    return {.path = path, .method = "POST", .listen_to = std::move(names), .restrict_to = who};
}

HttpReply json_answer(int status, std::string body = "{}") {
    HttpReply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

class SteadybitTest : public testing::Test {
 protected:
    struct Call {
        HttpCall request;
        HttpReplyDone done;
        [[nodiscard]] std::string line() const {
            return request.head.substr(0, request.head.find(" HTTP/1.1\r\n"));
        }
        [[nodiscard]] std::string header(const std::string& name) const {
            const std::size_t at = request.head.find("\r\n" + name + ": ");
            if (at == std::string::npos) {
                return "absent";
            }
            const std::size_t begin = at + name.size() + 4;
            return request.head.substr(begin, request.head.find("\r\n", begin) - begin);
        }
    };

    SteadybitTest() {
        SteadybitTarget target = steadybit_target(parse_url("http://host:8080/p").value());
        target.basic = BasicAuth{"Aladdin", "open sesame"};
        extensions_.put(key_, target);
        make();
    }
    void make(bool aws = false) {
        sink_ = make_steadybit_sink(
            SteadybitSink{.extension = "ext"},
            "default",
            {.send = [this](
                         HttpCall call, HttpReplyDone done
                     ) { calls_.push_back({std::move(call), std::move(done)}); },
             .clock = clock_,
             .extensions = extensions_,
             .leadership = [this] { return leadership_; },
             .aws_mode = aws,
             .user_agent = "Belfry/9.9"}
        );
    }
    void listeners(std::vector<SteadybitListener> all, std::uint64_t next = 0) {
        extensions_.set_listeners(key_, std::move(all), Offset{next});
    }
    void attempt(Attempt attempt) {
        outcome_.reset();
        attempt.timeout = 30s;
        sink_->attempt(std::move(attempt), [this](Outcome outcome) {
            EXPECT_FALSE(outcome_.has_value()) << "done runs once";
            outcome_ = std::move(outcome);
        });
    }
    void attempt(std::uint32_t number = 1) { attempt({.event = make_deploy(), .number = number}); }
    // Answers the oldest call.
    void reply(Result<HttpReply> with) {
        Call call = std::move(calls_.front());
        calls_.pop_front();
        call.done(std::move(with));
    }
    std::vector<std::string> lines() {
        std::vector<std::string> all;
        for (const Call& call : calls_) {
            all.push_back(call.line());
        }
        return all;
    }
    [[nodiscard]] const SteadybitFinding& finding(std::size_t index) const {
        return extensions_.find(key_)->findings[index];
    }

    const std::string key_ = "default/ext";
    ManualClock clock_;
    SteadybitExtensions extensions_;
    Leadership leadership_ = Leadership::here;
    std::deque<Call> calls_;
    std::unique_ptr<Sink> sink_;
    std::optional<Outcome> outcome_;
};

TEST_F(SteadybitTest, CallsAListenerAsTheContractSays) {
    SteadybitListener one = listener("/events/all?k=v");
    one.method = "PUT";
    listeners({one});
    attempt();
    ASSERT_EQ(calls_.size(), 1U);
    const Call& call = calls_.front();
    EXPECT_EQ(call.line(), "PUT /p/events/all?k=v");
    EXPECT_EQ(call.request.host, "host");
    EXPECT_EQ(call.request.port, 8080);
    EXPECT_EQ(call.request.timeout, 30s);
    EXPECT_EQ(call.request.connect_timeout, 10s);
    EXPECT_EQ(call.header("Host"), "host:8080");
    EXPECT_EQ(call.header("User-Agent"), "Belfry/9.9");
    EXPECT_EQ(call.header("Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(call.header("Content-Type"), "application/json");
    EXPECT_EQ(call.header("Request-Timeout"), "30");
    EXPECT_EQ(call.header("Content-Encoding"), "absent");
    EXPECT_EQ(call.header("Transfer-Encoding"), "absent");
    EXPECT_EQ(call.header("Content-Length"), std::to_string(call.request.body.size()));
    EXPECT_TRUE(call.request.head.ends_with("\r\n\r\n"));
    EXPECT_THAT(std::string(call.request.body), HasSubstr(R"("eventName":"deploy")"));
    EXPECT_NE(call.request.body_owner, nullptr);
    reply(json_answer(200));
    EXPECT_EQ(outcome_->kind, Kind::settled);
    EXPECT_EQ(outcome_->status, 200U);
    EXPECT_EQ(sink_->endpoint(), "steadybit default/ext");
}

TEST_F(SteadybitTest, CallsWhoAsksForTheEventOnceEach) {
    listeners({
        listener("/one", {"deploy"}),
        listener("/both", {"*", "deploy"}),
        listener("/other", {"deploy.done", "Deploy", "dep*"}),
        listener("/none", {}),
        listener("/one", {"deploy", "undeploy"}),
    });
    attempt();
    EXPECT_THAT(lines(), ElementsAre("POST /p/one", "POST /p/both", "POST /p/one"));
    EXPECT_EQ(calls_[0].request.body, calls_[1].request.body);
    reply(json_answer(204, ""));
    reply(json_answer(200, "<html>"));
    EXPECT_FALSE(outcome_.has_value()) << "not before all have settled";
    reply(json_answer(200));
    EXPECT_EQ(outcome_->kind, Kind::settled);
}

TEST_F(SteadybitTest, AnEventNobodyAsksForIsSettledWithoutACall) {
    listeners({listener("/one", {"other"})});
    attempt();
    ASSERT_TRUE(outcome_.has_value());
    EXPECT_EQ(outcome_->kind, Kind::settled);
    listeners({});
    attempt();
    EXPECT_EQ(outcome_->kind, Kind::settled);
    EXPECT_TRUE(calls_.empty());
}

TEST_F(SteadybitTest, WaitsForTheIndexAndTheRegistration) {
    attempt(3);
    ASSERT_TRUE(outcome_.has_value());
    EXPECT_EQ(outcome_->kind, Kind::wait);
    EXPECT_EQ(outcome_->retry_after, 3s);
    EXPECT_THAT(outcome_->error, HasSubstr("index"));
    EXPECT_EQ(extensions_.find(key_)->last_error, "") << "no call has failed";
    extensions_.remove(key_);
    attempt(99);
    EXPECT_EQ(outcome_->kind, Kind::wait);
    EXPECT_EQ(outcome_->retry_after, 10s);
}

TEST_F(SteadybitTest, ARetryCallsOnlyWhoHasNotSettled) {
    listeners({listener("/a"), listener("/b"), listener("/a", {"deploy"}), listener("/c")});
    attempt();
    ASSERT_EQ(calls_.size(), 4U);
    const std::string body(calls_[0].request.body);
    reply(json_answer(200));                                       // the first /a
    reply(json_answer(500, R"({"title":"Down","detail":"db"})"));  // /b
    reply(json_answer(500));                                       // the second /a
    reply(json_answer(200));                                       // /c
    ASSERT_TRUE(outcome_.has_value());
    EXPECT_EQ(outcome_->kind, Kind::unclear);
    EXPECT_EQ(outcome_->status, 500U);
    EXPECT_THAT(outcome_->unsettled, ElementsAre("/b", "/a"));
    EXPECT_EQ(
        outcome_->error,
        "POST /b: answered 500 Internal Server Error: Down: db; "
        "POST /a: answered 500 Internal Server Error"
    );
    EXPECT_EQ(extensions_.find(key_)->last_error, outcome_->error);
    attempt({.event = make_deploy("deploy", 42)});  // another event knows nothing of it
    EXPECT_EQ(calls_.size(), 4U);
    while (!calls_.empty()) {
        reply(json_answer(200));
    }
    attempt(2);
    EXPECT_THAT(lines(), ElementsAre("POST /p/b", "POST /p/a"));
    EXPECT_EQ(calls_[0].request.body, body) << "the same bytes on every attempt";
    reply(json_answer(200));
    reply(json_answer(503));
    EXPECT_THAT(outcome_->unsettled, ElementsAre("/a"));
    attempt(3);
    EXPECT_THAT(lines(), ElementsAre("POST /p/a"));
    reply(json_answer(200));
    EXPECT_EQ(outcome_->kind, Kind::settled);
    attempt(4);
    EXPECT_EQ(calls_.size(), 4U) << "what is settled is forgotten";
}

TEST_F(SteadybitTest, ARestartedHubCallsAllAgain) {
    listeners({listener("/a"), listener("/b")});
    attempt();
    const std::string body(calls_[0].request.body);
    reply(json_answer(200));
    reply(json_answer(500));
    make();
    attempt(2);
    EXPECT_THAT(lines(), ElementsAre("POST /p/a", "POST /p/b"));
    EXPECT_EQ(calls_[0].request.body, body);
}

TEST_F(SteadybitTest, WhoRejectsMakesADeadLetterWhateverTheOthersDo) {
    listeners({listener("/a"), listener("/b"), listener("/c")});
    attempt();
    reply(json_answer(400));
    reply(json_answer(200));
    reply(fail(Errc::unavailable, "connection refused"));
    EXPECT_EQ(outcome_->kind, Kind::unclear);
    EXPECT_THAT(outcome_->rejected_by, ElementsAre("/a"));
    EXPECT_THAT(outcome_->unsettled, ElementsAre("/c"));
    attempt(2);
    EXPECT_THAT(lines(), ElementsAre("POST /p/c")) << "not the one that rejected it";
    reply(json_answer(422));
    EXPECT_EQ(outcome_->kind, Kind::rejected);
    EXPECT_EQ(outcome_->status, 422U);
    EXPECT_THAT(outcome_->rejected_by, ElementsAre("/c"));
    EXPECT_TRUE(outcome_->unsettled.empty());
}

TEST_F(SteadybitTest, TheWorstOutcomeIsTheAttempts) {
    listeners({listener("/a"), listener("/b"), listener("/c")});
    attempt();
    reply(json_answer(500));
    HttpReply busy = json_answer(429);
    busy.headers = {{"retry-after", "7"}};
    reply(std::move(busy));
    reply(json_answer(400));
    EXPECT_EQ(outcome_->kind, Kind::unclear) << "of an extension that answers";
    EXPECT_EQ(outcome_->status, 429U);
    EXPECT_EQ(outcome_->retry_after, 7s);
    EXPECT_THAT(outcome_->unsettled, ElementsAre("/a", "/b"));
}

// An endpoint that fails is probed for as long as it takes; an event that one of several cannot
// take must come to the end of its schedule.
TEST_F(SteadybitTest, AnExtensionFailsOnlyIfNoneOfItsListenersAnswers) {
    listeners({listener("/a"), listener("/b")});
    attempt();
    reply(json_answer(503));
    reply(fail(Errc::unavailable, "no answer"));
    EXPECT_EQ(outcome_->kind, Kind::failed);
    attempt(2);
    reply(json_answer(200));
    reply(fail(Errc::unavailable, "no answer"));
    EXPECT_EQ(outcome_->kind, Kind::unclear);
    attempt(3);
    EXPECT_THAT(lines(), ElementsAre("POST /p/b"));
    reply(fail(Errc::unavailable, "no answer"));
    EXPECT_EQ(outcome_->kind, Kind::unclear) << "the other answered an earlier attempt";
}

TEST_F(SteadybitTest, GoneRefusesThatListenerUntilTheIndexChanges) {
    listeners({listener("/a"), listener("/b")});
    attempt();
    reply(json_answer(410, R"({"title":"gone","detail":"no handler for the password"})"));
    reply(json_answer(200));
    EXPECT_EQ(outcome_->kind, Kind::rejected);
    EXPECT_THAT(outcome_->rejected_by, ElementsAre("/a")) << "it does not have this one";
    EXPECT_TRUE(outcome_->unsettled.empty());
    EXPECT_EQ(finding(0).refused, "it answered 410 Gone");
    EXPECT_EQ(finding(1).refused, "");
    attempt({.event = make_deploy("deploy", 42)});
    EXPECT_THAT(lines(), ElementsAre("POST /p/b"));
    reply(json_answer(200));
    listeners({listener("/a"), listener("/b")});
    attempt({.event = make_deploy("deploy", 43)});
    EXPECT_EQ(calls_.size(), 2U);
}

TEST_F(SteadybitTest, AListenerThatAnIndexAddedGetsNothingFromBefore) {
    listeners({listener("/a")});
    listeners({listener("/a"), listener("/new")}, 42);
    attempt();
    EXPECT_THAT(lines(), ElementsAre("POST /p/a"));
    reply(json_answer(200));
    EXPECT_EQ(outcome_.value().kind, Kind::settled);
    attempt({.event = make_deploy("deploy", 42)});
    EXPECT_THAT(lines(), ElementsAre("POST /p/a", "POST /p/new"));
    reply(json_answer(200));
    reply(json_answer(200));
    attempt({.event = make_deploy(), .replay = "rp_1"});
    EXPECT_THAT(lines(), ElementsAre("POST /p/a", "POST /p/new")) << "a replay is asked for";
}

TEST_F(SteadybitTest, AReplayThatReachesNobodyKeepsItsDeadLetter) {
    listeners({listener("/a")});
    attempt({.event = make_deploy(), .replay = "rp_1"});
    reply(json_answer(410));
    EXPECT_EQ(outcome_->kind, Kind::rejected);
    attempt({.event = make_deploy(), .replay = "rp_2"});
    EXPECT_TRUE(calls_.empty()) << "refused now";
    EXPECT_EQ(outcome_->kind, Kind::wait);
    EXPECT_THAT(outcome_->error, HasSubstr("no listener for this event now"));
}

TEST_F(SteadybitTest, AnIndexForAnAnswerSettlesAndWarns) {
    listeners({listener("/a")});
    attempt();
    reply(json_answer(200, R"({"eventListeners":[]})"));
    EXPECT_EQ(outcome_->kind, Kind::settled);
    EXPECT_THAT(finding(0).warning, HasSubstr("path probably not served"));
    attempt({.event = make_deploy("deploy", 42)});
    reply(json_answer(200));
    EXPECT_EQ(finding(0).warning, "");
}

TEST_F(SteadybitTest, RestrictionsDecideWhichHubCalls) {
    const std::vector<SteadybitListener> all{
        listener("/any", {"*"}, Restrict::any),
        listener("/leader", {"*"}, Restrict::leader),
        listener("/aws", {"*"}, Restrict::aws),
    };
    const auto called = [&] {
        calls_.clear();
        attempt({.event = make_deploy("deploy", 1)});
        return lines();
    };
    listeners(all);
    EXPECT_THAT(called(), ElementsAre("POST /p/any", "POST /p/leader"));
    leadership_ = Leadership::elsewhere;
    EXPECT_THAT(called(), ElementsAre("POST /p/any"));
    make(true);
    EXPECT_THAT(called(), ElementsAre("POST /p/any", "POST /p/aws"));
    leadership_ = Leadership::unknown;
    EXPECT_THAT(called(), ElementsAre("POST /p/any", "POST /p/aws"));
    reply(json_answer(200));
    reply(json_answer(200));
    EXPECT_EQ(outcome_->kind, Kind::wait) << "an event is not lost between two leaders";
    EXPECT_THAT(outcome_->unsettled, ElementsAre("/leader"));
    EXPECT_EQ(outcome_->retry_after, 1s);
    leadership_ = Leadership::here;
    attempt({.event = make_deploy("deploy", 1), .number = 2});
    EXPECT_THAT(lines(), ElementsAre("POST /p/leader"));
}

TEST_F(SteadybitTest, WhatIsNotSteadybitsIsNeverSentUnderItsNames) {
    listeners({listener("/a")});
    attempt({.event = make_deploy("killswitch.engaged")});
    EXPECT_TRUE(calls_.empty());
    EXPECT_EQ(outcome_->kind, Kind::settled);
    EXPECT_THAT(extensions_.find(key_)->last_error, HasSubstr("passed over"));
    attempt({.event = make_deploy("killswitch.engaged"), .replay = "rp_1"});
    EXPECT_TRUE(calls_.empty());
    EXPECT_EQ(outcome_->kind, Kind::rejected) << "its dead letter stays";
    EXPECT_THAT(outcome_->error, HasSubstr("passed over"));
}

TEST_F(SteadybitTest, AReplayCallsTheListenerOfItsDeadLetter) {
    listeners({listener("/a"), listener("/b")});
    attempt();
    reply(json_answer(200));
    reply(json_answer(500));
    attempt({.event = make_deploy(), .number = 7, .replay = "rp_1", .listener = "/a"});
    EXPECT_THAT(lines(), ElementsAre("POST /p/a")) << "though it has settled before";
    reply(json_answer(500));
    EXPECT_EQ(outcome_->kind, Kind::unclear);
    attempt({.event = make_deploy(), .number = 7, .replay = "rp_1", .listener = "/gone"});
    EXPECT_EQ(outcome_->kind, Kind::wait) << "it stays a dead letter";
    EXPECT_THAT(outcome_->error, HasSubstr("no listener /gone"));
    attempt({.event = make_deploy(), .number = 7, .replay = "rp_1"});
    EXPECT_EQ(calls_.size(), 2U) << "a dead letter of none is for all";
    calls_.clear();
    attempt(2);
    EXPECT_THAT(lines(), ElementsAre("POST /p/b")) << "replays do not change what is remembered";
}

TEST_F(SteadybitTest, ManyListenersAreCalledAFewAtATime) {
    std::vector<SteadybitListener> many;
    for (int i = 0; i < 40; ++i) {
        many.push_back(listener("/" + std::to_string(i)));
    }
    listeners(many);
    attempt();
    EXPECT_EQ(calls_.size(), kSteadybitCallsAtOnce);
    clock_.advance(20s);
    reply(json_answer(200));
    EXPECT_EQ(calls_.size(), kSteadybitCallsAtOnce);
    EXPECT_EQ(calls_.back().request.timeout, 10s) << "all of it within the attempt's time";
    EXPECT_EQ(calls_.back().header("Request-Timeout"), "10");
    clock_.advance(10s);
    while (!calls_.empty()) {
        reply(fail(Errc::unavailable, "timed out"));
    }
    ASSERT_TRUE(outcome_.has_value());
    EXPECT_EQ(outcome_->kind, Kind::unclear);
    EXPECT_EQ(outcome_->unsettled.size(), 39U);
    EXPECT_LT(outcome_->error.size(), 4096U);
    attempt(2);
    EXPECT_EQ(lines().front(), "POST /p/17") << "the first of those that had no time before";
    while (!calls_.empty()) {
        reply(json_answer(200));
    }
    EXPECT_EQ(outcome_->kind, Kind::settled);
}

TEST_F(SteadybitTest, AnAttemptOutlivesItsSinkAndItsExtension) {
    listeners({listener("/a"), listener("/b")});
    attempt();
    sink_.reset();
    extensions_.remove(key_);
    reply(json_answer(410));
    reply(json_answer(500));
    EXPECT_EQ(outcome_->kind, Kind::unclear);
}

}  // namespace
}  // namespace belfry
