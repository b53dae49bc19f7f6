// Bodies of event calls as the kit reads them. What is accepted is JSON by the other reader, too,
// is what the hub's own reader makes of it, and is read as the same once it was written. What is
// refused is refused in words that can be sent.
#include "base/assert.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "event/steadybit_body.h"

#include <belfry/eventkit/event.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

namespace kit = belfry::eventkit;

void check_refusal(const kit::EventError& error) {
    ASSERT(!error.detail.empty() && error.detail.size() < 4'000);
    ASSERT(belfry::is_utf8(error.detail) && belfry::is_utf8(error.field));
    ASSERT(error.field.empty() || error.detail.find(error.field) != std::string::npos);
}

void check_written(const kit::Event& event) {
    const std::string made = kit::to_json(event);
    const auto again = kit::parse_event(made);
    ASSERT(again.has_value());
    ASSERT(kit::to_json(*again) == made);
    ASSERT(again->principal == event.principal);
    ASSERT(again->experiment.has_value() == event.experiment.has_value());
    ASSERT(again->step == event.step);
    if (event.step) {
        const auto step = kit::parse_step_execution(kit::to_json(*event.step));
        ASSERT(step.has_value() && *step == *event.step);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const auto event = kit::parse_event(json);
    if (!event) {
        check_refusal(event.error());
        return 0;
    }
    ASSERT(belfry::is_json(json));
    ASSERT(event->json == json);
    const auto body = belfry::parse_steadybit_body(json);
    if (body) {
        ASSERT(body->id == event->id && body->event_name == event->name);
        ASSERT(body->tenant_key == event->tenant.key);
    } else {
        ASSERT(event->name.empty() || event->tenant.key.empty());
    }
    check_written(*event);
    const auto again = kit::parse_event("\n\t" + std::string(json) + " \r\n");
    ASSERT(again.has_value() && kit::to_json(*again) == kit::to_json(*event));
    return 0;
}
