#include "app/receiver.h"

#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

namespace belfry {
namespace {

using testing::HasSubstr;

// Keeps what was answered.
class RecordedConnection final : public HttpConnection {
 public:
    void respond(std::uint64_t, const HttpResponse& response) override {
        statuses.push_back(response.status);
    }
    void begin_stream(std::uint64_t, const HttpResponse&) override {}
    bool write(std::uint64_t, const StreamPiece&) override { return false; }
    void end_stream(std::uint64_t) override {}
    [[nodiscard]] std::size_t unsent(std::uint64_t) const override { return 0; }
    void on_drained(std::uint64_t, std::move_only_function<void()>) override {}
    [[nodiscard]] bool alive(std::uint64_t) const override { return true; }
    void on_gone(std::uint64_t, std::move_only_function<void()>) override {}
    void dropped(std::uint64_t) override {}

    std::vector<int> statuses;
};

class ReceiverTest : public testing::Test {
 protected:
    void deliver(Receiver& receiver, std::vector<HeaderField> headers, std::string_view body) {
        HttpRequest request;
        request.method = Method::post;
        request.target = "/in";
        request.headers = headers;
        request.body = body;
        receiver.handle(request, Exchange(&connection_, ++number_));
    }
    std::string output() {
        std::fflush(file_.get());
        (void)std::fseek(file_.get(), 0, SEEK_SET);
        std::string text(64 * 1024, '\0');
        text.resize(std::fread(text.data(), 1, text.size(), file_.get()));
        return text;
    }

    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{std::tmpfile(), std::fclose};
    Console console_{file_.get(), file_.get()};
    RecordedConnection connection_;
    std::uint64_t number_ = 0;
};

TEST_F(ReceiverTest, TheFirstOnesFailAsAsked) {
    bool done = false;
    Receiver receiver(
        {.status = 202,
         .fail = 2,
         .count = 3,
         .body_bytes = 10,
         .check_signature = {},
         .on_done = [&] { done = true; }},
        console_
    );
    deliver(receiver, {}, "a");
    deliver(receiver, {}, "b");
    EXPECT_FALSE(done);
    deliver(receiver, {}, "c");
    EXPECT_TRUE(done);
    EXPECT_THAT(connection_.statuses, testing::ElementsAre(500, 500, 202));
}

TEST_F(ReceiverTest, BinaryAndStructuredDeliveriesAreShown) {
    Receiver receiver({.check_signature = {}, .on_done = {}}, console_);
    deliver(
        receiver,
        {{"Ce-Type", "deploy"},
         {"Webhook-Id", "6f1c"},
         {"Belfry-Attempt", "2"},
         {"Webhook-Signature", "v1,x"}},
        "hello"
    );
    deliver(
        receiver,
        {{"Content-Type", "application/cloudevents+json; charset=utf-8"}},
        R"({"type":"build","data":{"n":1}})"
    );
    std::string text = output();
    EXPECT_THAT(
        text, HasSubstr("deploy  6f1c  attempt 2  signature unchecked  answered 204  hello\n")
    );
    EXPECT_THAT(
        text,
        HasSubstr("build  no webhook-id  attempt ?  signature none  answered 204  {\"n\":1}\n")
    );
}

TEST_F(ReceiverTest, SignaturesAreJudged) {
    Receiver receiver(
        {.check_signature = [](const HttpRequest& request) -> Result<void> {
             if (request.body == "good") {
                 return {};
             }
             return fail(Errc::denied, "no signature matches");
         },
         .on_done = {}},
        console_
    );
    deliver(receiver, {}, "good");
    deliver(receiver, {}, "bad");
    std::string text = output();
    EXPECT_THAT(text, HasSubstr("signature good  answered 204  good\n"));
    EXPECT_THAT(text, HasSubstr("signature BAD: no signature matches  answered 204  bad\n"));
}

TEST_F(ReceiverTest, HostileDeliveriesStayOneLine) {
    Receiver receiver({.check_signature = {}, .on_done = {}}, console_);
    deliver(receiver, {{"ce-type", "\x1b[2J"}, {"webhook-id", "\xff"}}, "a\nb\x07");
    std::string text = output();
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\a'), std::string::npos);
}

TEST_F(ReceiverTest, JsonLinesHoldTheBodyIfItIsText) {
    console_.set_style({.json = true});
    Receiver receiver({.check_signature = {}, .on_done = {}}, console_);
    deliver(receiver, {{"ce-type", "t"}}, "text\n");
    deliver(receiver, {}, "\xff\x00");
    std::string text = output();
    EXPECT_THAT(text, HasSubstr(R"("bytes":5,"body":"text\n"})"));
    EXPECT_THAT(text, HasSubstr(R"("body":null})"));
}

}  // namespace
}  // namespace belfry
