// For tests of deliveries: a hub without catalog and doors, on a clock, a log and listeners of the
// test's own.
#pragma once

#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "engine/memory_log.h"
#include "engine/memory_state.h"
#include "hub/append_events.h"
#include "hub/deliveries.h"
#include "hub/recording_sink.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace belfry {

inline const Outcome kSettled{.kind = Outcome::Kind::settled, .status = 200};
inline const Outcome kFailed{.kind = Outcome::Kind::failed, .status = 500, .error = "answered 500"};
inline const Outcome kUnclear{
    .kind = Outcome::Kind::unclear, .status = 500, .error = "answered 500"
};
inline const Outcome kRejected{
    .kind = Outcome::Kind::rejected, .status = 400, .error = "answered 400"
};

// A hub without catalog and doors: events in, attempts out.
class DeliveriesTest : public testing::Test {
 protected:
    DeliveriesTest() {
        record.clock = &clock;
        make_sink = [this](const Subscription& subscription) -> Result<std::unique_ptr<Sink>> {
            const auto& webhook = std::get<WebhookSink>(subscription.sink);
            return std::make_unique<RecordingSink>(record, subscription.key(), webhook.url);
        };
        open();
    }

    void open() {
        writer = std::make_unique<StateWriter>(clock, state);
        deliveries = std::make_unique<Deliveries>(
            Deliveries::Ports{
                .clock = clock,
                .rng = rng,
                .log = log,
                .writer = *writer,
                .make_sink = make_sink,
                .disable =
                    [this](const SubscriptionKey& key, const std::string&) { gone.insert(key); },
            },
            CircuitOptions{}
        );
        writer->before_commit([this](StateChanges& changes) { deliveries->gather(changes); });
        log.on_durable([this](Offset first, Offset next) { deliveries->durable(first, next); });
        deliveries->restore(state.load().value());
        for (const Subscription& subscription : documents) {
            deliveries->changed(subscription.key(), &subscription);
        }
        deliveries->begin();
    }
    // The process dies: nothing that was not committed is left.
    void crash_and_open() {
        log.on_durable(nullptr);
        deliveries.reset();
        writer.reset();
        clock.clear();
        loop.clear();
        record.waiting.clear();
        state.crash();
        open();
        run();
    }
    Subscription subscribe(
        const std::string& name, DeliveryPolicy policy = {}, Filter filter = {}
    ) {
        Subscription subscription{
            .name = name,
            .filter = std::move(filter),
            .sink = WebhookSink{.url = "http://127.0.0.1:1/" + name},
            .delivery = std::move(policy),
        };
        documents.push_back(subscription);
        deliveries->changed(subscription.key(), &subscription);
        return subscription;
    }
    // It matches events of this type alone from now on.
    void narrow(Subscription& subscription, const std::string& type) {
        subscription.filter.types = {TypePattern{.text = type}};
        deliveries->changed(subscription.key(), &subscription);
    }
    void publish(int count, const std::string& subject = "", const std::string& type = "t") {
        append_events(log, count, subject, type);
        run();
    }
    static StoredEvent stored(std::uint64_t offset, std::string_view type) {
        StoredEvent event;
        event.offset = Offset{offset};
        event.event.type = type;
        return event;
    }
    void run() { loop.run_all(); }
    void pass(Duration time) {
        clock.advance(time);
        run();
    }
    // Lets everything that is gathered reach the disk.
    void save() { pass(std::chrono::milliseconds(300)); }
    Delivery& delivery(const std::string& name) { return *deliveries->find("default/" + name); }
    std::vector<DeadLetterRow> dead_letters() {
        save();
        std::vector<DeadLetterRow> rows;
        state.list_dead_letters({}, [&](Result<DeadLetterPage> page) { rows = page.value().rows; });
        run();
        return rows;
    }

    ManualClock clock;
    ManualExecutor loop;
    SeededRng rng{1};
    MemoryLog log{clock, rng, loop};
    MemoryState state{loop};
    SinkRecord record;
    SinkFactory make_sink;
    std::unique_ptr<StateWriter> writer;
    std::unique_ptr<Deliveries> deliveries;
    std::vector<Subscription> documents;
    std::set<SubscriptionKey> gone;
};

using Offsets = std::vector<std::uint64_t>;

}  // namespace belfry
