// The Steadybit sink as the factory makes it, against a real extension on loopback.
#include "base/worker_thread.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "sinks/sink_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kBody =
    R"({ "id":"da059724-a8ae-4b4b-b4f0-ee01898232d2","eventName":"killswitch.engaged",)"
    R"("eventTime":"2026-09-01T12:00:00Z","tenant":{"key":"acme"},"extra":[1.0,"é"] })";

// Answers each path as the test says, and remembers what it was asked.
class Extension final : public HttpService {
 public:
    Extension(Loop& loop, const Limits& limits) : server_(loop, *this, limits) {
        EXPECT_TRUE(server_.listen("127.0.0.1:0").has_value());
    }
    Admission admit(const HttpRequest&) override { return {1024UL * 1024, false}; }
    void handle(const HttpRequest& request, Exchange exchange) override {
        heard.push_back(std::string(request.method_text) + " " + std::string(request.target));
        bodies.emplace_back(request.body);
        credentials = request.header("authorization").value_or("none");
        const HttpResponse& response = answers[std::string(request.path)];
        if (response.status == 0) {
            held = std::move(exchange);
            return;
        }
        exchange.respond(response);
    }
    void refuse(const HttpRequest&, int refused, const Error&, Exchange exchange) override {
        heard.push_back("refused " + std::to_string(refused));
        exchange.respond({.status = refused});
    }
    [[nodiscard]] std::string address() const { return server_.address(); }
    [[nodiscard]] std::uint64_t connections() const { return server_.status().accepted; }

    std::map<std::string, HttpResponse> answers;
    std::vector<std::string> heard;
    std::vector<std::string> bodies;
    std::string credentials;
    Exchange held;

 private:
    HttpServer server_;
};

class SteadybitOnLoopback : public testing::Test {
 protected:
    SteadybitOnLoopback() {
        at(extension_.address());
        Subscription subscription;
        subscription.name = "steadybit/ext";
        subscription.sink = SteadybitSink{.extension = "ext"};
        sink_ = make_(subscription).value();
    }
    void at(const std::string& address) {
        SteadybitTarget target = steadybit_target(parse_url("http://" + address + "/x/").value());
        target.basic = BasicAuth{"u", "p"};
        extensions_.put("default/ext", std::move(target));
    }
    void listeners(const std::vector<std::string>& paths) {
        std::vector<SteadybitListener> all;
        for (const std::string& path : paths) {
            all.push_back(
                {.path = path,
                 .method = "POST",
                 .listen_to = {"*"},
                 .restrict_to = SteadybitListener::Restrict::leader}
            );
        }
        extensions_.set_listeners("default/ext", std::move(all), Offset{});
    }
    Outcome attempt(Duration timeout = 5s) {
        auto bytes = std::make_shared<std::string>(kBody);
        StoredEvent event;
        event.event.type = "killswitch.engaged";
        event.event.data = *bytes;
        event.owner = std::move(bytes);
        std::optional<Outcome> result;
        sink_->attempt({.event = std::move(event), .timeout = timeout}, [&](Outcome outcome) {
            result = std::move(outcome);
            loop_.stop();
        });
        if (!result) {
            loop_.run();
        }
        return result.value();
    }

    Limits limits_;
    Loop loop_;
    Extension extension_{loop_, limits_};
    const OutboundGuard guard_ = OutboundGuard::unrestricted();
    HttpClient client_{loop_, limits_, guard_};
    OAuth2Tokens tokens_{{.send = {}, .clock = loop_, .limits = limits_, .user_agent = "x"}};
    WorkerThread spawner_{"spawner"};
    std::unique_ptr<Commands> commands_ =
        Commands::make({}, {}, {.loop = loop_, .clock = loop_, .spawner = spawner_}).value();
    SteadybitExtensions extensions_;
    SinkFactory make_ = make_sink_factory(
        {.client = client_,
         .clock = loop_,
         .tokens = tokens_,
         .commands = *commands_,
         .extensions = extensions_,
         .leadership = [] { return Leadership::here; },
         .version = "9.9"}
    );
    std::unique_ptr<Sink> sink_;
};

TEST_F(SteadybitOnLoopback, ABodyOfSteadybitsReachesEachListenerByteForByte) {
    listeners({"/a", "/b?k=v"});
    for (int i = 0; i < 3; ++i) {
        extension_.heard.clear();
        EXPECT_EQ(attempt().kind, Outcome::Kind::settled);
        EXPECT_THAT(extension_.heard, testing::UnorderedElementsAre("POST /x/a", "POST /x/b?k=v"));
    }
    EXPECT_THAT(extension_.bodies, testing::Each(kBody));
    EXPECT_EQ(extension_.credentials, "Basic dTpw");
    EXPECT_EQ(extension_.connections(), 2U) << "they are kept";
}

TEST_F(SteadybitOnLoopback, ARedirectIsNotFollowedAndGetsNoCredentials) {
    Extension other(loop_, limits_);
    const std::string headers = "Location: http://" + other.address() + "/in?token=s\r\n";
    extension_.answers["/x/a"] = {.status = 302, .headers = headers};
    listeners({"/a"});
    const Outcome outcome = attempt();
    EXPECT_EQ(outcome.kind, Outcome::Kind::unclear);
    EXPECT_THAT(outcome.error, HasSubstr("302 Found to http://" + other.address() + "/in, which"));
    EXPECT_THAT(extension_.heard, ElementsAre("POST /x/a"));
    EXPECT_TRUE(other.heard.empty());
}

TEST_F(SteadybitOnLoopback, ASlowListenerIsCutAtTheTimeOut) {
    extension_.answers["/x/slow"].status = 0;
    listeners({"/slow", "/good"});
    const Outcome outcome = attempt(300ms);
    EXPECT_EQ(outcome.kind, Outcome::Kind::unclear);
    EXPECT_THAT(outcome.unsettled, ElementsAre("/slow"));
    EXPECT_THAT(outcome.error, HasSubstr("timed out after 0.3 s"));
}

TEST_F(SteadybitOnLoopback, ADeadExtensionFails) {
    std::string address;
    {
        Extension gone(loop_, limits_);
        address = gone.address();
    }
    at(address);
    listeners({"/a"});
    const Outcome outcome = attempt();
    EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
    EXPECT_EQ(outcome.status, 0U);
    EXPECT_THAT(outcome.error, HasSubstr("POST /a: connection refused"));
    EXPECT_THAT(outcome.error, testing::Not(HasSubstr("dTpw")));
}

}  // namespace
}  // namespace belfry
