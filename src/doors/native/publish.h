// POST /api/v1/events: one event (CloudEvents binary or structured, or a plain body) or many
// (batch, NDJSON), all or none, answered once they are durable. The events are views into the
// request until the hub has copied them. Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/consul/event_verdicts.h"
#include "doors/native/native_door.h"
#include "event/cloudevents_json.h"

#include <string>
#include <vector>

namespace belfry {

class Publisher {
 public:
    explicit Publisher(const NativeDoorPorts& ports);

    void publish(RequestContext& context);

 private:
    void publish_one(RequestContext& context, Event& event);
    void publish_parsed(RequestContext& context, Result<ParsedEvents> parsed);
    void publish_batch(RequestContext& context, Result<ParsedEvents> parsed);
    void answer_one(
        Exchange& exchange, std::string_view given_id, Result<std::span<const Appended>> receipts
    );
    void answer_batch(
        Exchange& exchange,
        const std::vector<std::string>& given_ids,
        Result<std::span<const Appended>> receipts
    );

    // Constant after construction.
    Hub& hub_;
    const Limits& limits_;
    const EventVerdicts verdicts_;
    const std::string durability_member_;  // `,"durability":"fsync"`
    const std::string headers_;
    // Reused from request to request.
    CloudEventsJsonParser parser_;
    std::vector<std::string> header_memory_;
    std::string answer_;
};

}  // namespace belfry
