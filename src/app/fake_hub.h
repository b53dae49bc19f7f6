// A hub for tests of the commands: a real HTTP server on a thread of its own whose answers the test
// gives.
#pragma once

#include "base/assert.h"
#include "base/limits.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace belfry {

class FakeHub final : public HttpService {
 public:
    struct Request {
        std::string method;
        std::string target;
        std::string body;
        std::string content_type;
        std::string authorization;
        std::string last_event_id;
        std::string consul_token;
    };
    struct Answer {
        int status = 200;
        std::string body = "{}";
        bool stream = false;  // the body is the beginning of a stream, which then ends
        bool cut = false;     // the stream's connection ends instead
        bool hang = false;    // no answer, ever
        std::string content_type = "application/json";
        std::string headers = {};  // as they are sent
    };
    using Answers = std::function<Answer(const Request&)>;

    explicit FakeHub(Answers answers) : answers_(std::move(answers)) {
        Result<void> listening = server_.listen("127.0.0.1:0");
        ASSERT(listening.has_value());
        url_ = "http://" + server_.address();
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~FakeHub() override {
        loop_.post([this] {
            unanswered_.clear();
            server_.stop(std::chrono::seconds(1), [this] { loop_.stop(); });
        });
        thread_.join();
    }

    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] std::vector<Request> requests() {
        std::lock_guard lock(mutex_);
        return requests_;
    }

    Admission admit(const HttpRequest& /*head*/) override { return {.body_limit = 1U << 20U}; }
    void refuse(const HttpRequest&, int status, const Error&, Exchange exchange) override {
        exchange.respond({.status = status});
    }
    void handle(const HttpRequest& request, Exchange exchange) override {
        auto header = [&](std::string_view name) {
            return std::string(request.header(name).value_or(""));
        };
        Request seen{
            .method = std::string(request.method_text),
            .target = std::string(request.target),
            .body = std::string(request.body),
            .content_type = header("content-type"),
            .authorization = header("authorization"),
            .last_event_id = header("last-event-id"),
            .consul_token = header("x-consul-token")
        };
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(seen);
        }
        Answer answer = answers_(seen);
        if (answer.hang) {
            unanswered_.push_back(std::move(exchange));
            return;
        }
        HttpResponse response{
            .status = answer.status,
            .content_type = answer.content_type,
            .headers = answer.headers,
            .body = answer.body
        };
        if (!answer.stream) {
            exchange.respond(response);
            return;
        }
        response.content_type = "text/event-stream";
        response.body = {};
        exchange.begin_stream(response);
        static_cast<void>(exchange.write(StreamPiece(answer.body)));
        if (!answer.cut) {
            exchange.end_stream();
        }
    }

 private:
    Answers answers_;
    Limits limits_;
    Loop loop_;
    HttpServer server_{loop_, *this, limits_};
    std::vector<Exchange> unanswered_;  // I/O thread; before the server goes
    std::string url_;
    std::thread thread_;
    std::mutex mutex_;
    std::vector<Request> requests_;  // guarded by mutex_
};

}  // namespace belfry
