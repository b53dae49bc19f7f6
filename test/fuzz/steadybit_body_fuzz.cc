// Bodies of Steadybit's event calls. What is accepted is JSON by the other reader, too, has what
// every event has, and reads the same inside white space.
#include "base/assert.h"
#include "base/json_scan.h"
#include "base/rfc3339.h"
#include "event/steadybit_body.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const auto body = belfry::parse_steadybit_body(json);
    if (!body) {
        const belfry::Error& error = body.error();
        ASSERT(!error.detail.empty());
        ASSERT(
            error.code == belfry::Errc::bad_request || error.code == belfry::Errc::invalid_event
        );
        return 0;
    }
    ASSERT(belfry::is_json(json));
    ASSERT(body->id.size() >= 32 && body->id.size() <= 45);
    ASSERT(!body->event_name.empty() && !body->tenant_key.empty());
    ASSERT(belfry::parse_rfc3339(body->event_time).has_value());
    ASSERT(body->subject.empty() || body->subject.find('/') != std::string::npos);
    const auto again = belfry::parse_steadybit_body("\n\t" + std::string(json) + " \r\n");
    ASSERT(again.has_value() && again->id == body->id && again->subject == body->subject);
    ASSERT(again->event_name == body->event_name && again->tenant_key == body->tenant_key);
    return 0;
}
