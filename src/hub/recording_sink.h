// A Sink for tests: remembers every attempt, and answers as the test says, at once or when told.
#pragma once

#include "hub/sink.h"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace belfry {

// What the sinks of one test saw; outlives them.
struct SinkRecord {
    struct Seen {
        std::string subscription;
        Offset offset;
        std::string id;
        std::uint32_t number = 1;
        std::string replay;
        std::string listener;
        MonoTime at;
    };
    struct Waiting {
        Seen seen;
        AttemptDone done;
    };
    std::vector<Seen> seen;
    std::deque<Waiting> waiting;  // attempts without an answer yet
    // Answers an attempt at once; without it attempts wait for answer().
    std::function<Outcome(const Seen&)> answer_at_once;
    const Clock* clock = nullptr;

    // Answers the oldest waiting attempt.
    void answer(Outcome outcome) {
        Waiting first = std::move(waiting.front());
        waiting.pop_front();
        first.done(std::move(outcome));
    }
    // The waiting attempt of that event.
    void answer(Offset offset, Outcome outcome) {
        for (auto at = waiting.begin(); at != waiting.end(); ++at) {
            if (at->seen.offset == offset) {
                Waiting found = std::move(*at);
                waiting.erase(at);
                found.done(std::move(outcome));
                return;
            }
        }
    }
    [[nodiscard]] std::vector<std::uint64_t> offsets() const {
        std::vector<std::uint64_t> result;
        result.reserve(seen.size());
        for (const Seen& one : seen) {
            result.push_back(one.offset.value);
        }
        return result;
    }
};

class RecordingSink final : public Sink {
 public:
    RecordingSink(SinkRecord& record, std::string subscription, std::string endpoint)
        : record_(record), subscription_(std::move(subscription)), endpoint_(std::move(endpoint)) {}

    void attempt(Attempt attempt, AttemptDone done) override {
        SinkRecord::Seen seen{
            .subscription = subscription_,
            .offset = attempt.event.offset,
            .id = attempt.event.id(),
            .number = attempt.number,
            .replay = attempt.replay,
            .listener = attempt.listener,
            .at = record_.clock == nullptr ? MonoTime{} : record_.clock->now(),
        };
        record_.seen.push_back(seen);
        if (record_.answer_at_once) {
            done(record_.answer_at_once(seen));
        } else {
            record_.waiting.push_back({std::move(seen), std::move(done)});
        }
    }
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    SinkRecord& record_;
    std::string subscription_;
    std::string endpoint_;
};

}  // namespace belfry
