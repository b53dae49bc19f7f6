// An HttpConnection that a test owns: records what handlers answer, and plays the slow or vanishing
// client.
#pragma once

#include "net/http.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace belfry {

class RecordingConnection final : public HttpConnection {
 public:
    struct Answer {
        int status = 0;  // 0: none yet
        std::string content_type;
        std::string headers;
        std::string body;  // of a stream: what was written so far
        bool streams = false;
        bool ended = false;    // the stream is whole
        bool dropped = false;  // the exchange ended otherwise; a stream was cut, else it is a bug
    };

    // A new exchange and the number of its answer.
    std::pair<Exchange, std::uint64_t> open() {
        std::uint64_t request = ++last_;
        answers_[request];
        return {Exchange(this, request), request};
    }
    [[nodiscard]] const Answer& answer(std::uint64_t request) const { return answers_.at(request); }
    // What was written to a stream since the last call.
    std::string taken(std::uint64_t request) {
        return std::exchange(answers_.at(request).body, {});
    }

    // From now on the client takes nothing, until drain().
    void stall(std::uint64_t request) { clients_[request].stalled = true; }
    void drain(std::uint64_t request) {
        Client& client = clients_[request];
        client.stalled = false;
        client.unsent = 0;
        if (client.on_drained) {
            std::exchange(client.on_drained, {})();
        }
    }
    // The client takes what there is and then nothing again.
    void drain_once(std::uint64_t request) {
        clients_[request].unsent = 0;
        if (clients_[request].on_drained) {
            std::exchange(clients_[request].on_drained, {})();
        }
    }
    // The client goes away; it is told as a server would.
    void vanish(std::uint64_t request) {
        Client& client = clients_[request];
        client.gone = true;
        client.on_drained = {};
        if (client.on_gone) {
            std::exchange(client.on_gone, {})();
        }
    }
    // The client goes away, and the next write finds out.
    void vanish_silently(std::uint64_t request) { clients_[request].gone = true; }

    void respond(std::uint64_t request, const HttpResponse& response) override {
        Answer& answer = answers_.at(request);
        answer.status = response.status;
        answer.content_type = response.content_type;
        answer.headers = response.headers;
        answer.body = response.body;
    }
    void begin_stream(std::uint64_t request, const HttpResponse& head) override {
        respond(request, head);
        answers_.at(request).streams = true;
    }
    bool write(std::uint64_t request, const StreamPiece& piece) override {
        Client& client = clients_[request];
        if (client.gone) {
            client.on_gone = {};
            return false;
        }
        answers_.at(request).body += piece.text();
        if (client.stalled) {
            client.unsent += piece.chunk().size();
        }
        return true;
    }
    void end_stream(std::uint64_t request) override {
        answers_.at(request).ended = true;
        clients_[request].on_gone = {};
        clients_[request].on_drained = {};
    }
    [[nodiscard]] std::size_t unsent(std::uint64_t request) const override {
        auto found = clients_.find(request);
        return found == clients_.end() ? 0 : found->second.unsent;
    }
    void on_drained(std::uint64_t request, std::move_only_function<void()> callback) override {
        clients_[request].on_drained = std::move(callback);
    }
    [[nodiscard]] bool alive(std::uint64_t request) const override {
        auto found = clients_.find(request);
        return found == clients_.end() || !found->second.gone;
    }
    void on_gone(std::uint64_t request, std::move_only_function<void()> callback) override {
        clients_[request].on_gone = std::move(callback);
    }
    void dropped(std::uint64_t request) override {
        answers_.at(request).dropped = true;
        clients_[request].on_gone = {};
        clients_[request].on_drained = {};
    }

 private:
    struct Client {
        bool stalled = false;
        bool gone = false;
        std::size_t unsent = 0;
        std::move_only_function<void()> on_gone;
        std::move_only_function<void()> on_drained;
    };
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, Answer> answers_;
    std::map<std::uint64_t, Client> clients_;
};

}  // namespace belfry
