// The body of an event call of Steadybit's Event API, as far as Belfry reads it: what every version
// of the API has. Members that are not read may hold anything. Pure; may be called from any thread.
#pragma once

#include "base/error.h"
#include "event/uuid.h"

#include <optional>
#include <string>
#include <string_view>

namespace belfry {

struct SteadybitBody {
    std::string id;  // a UUID, spelt as it came
    std::string event_name;
    std::string event_time;  // RFC 3339, as it came
    std::string tenant_key;
    // Of the execution that the event is about: "<experimentKey>/<executionId>", the number digit
    // for digit; empty if it is about none.
    std::string subject;
};

// Errc::bad_request for text that is not one JSON value in UTF-8; Errc::invalid_event with `field`
// as a path ("tenant.key") for anything but an object with `id` (a UUID in any usual spelling),
// `eventName`, `eventTime` and `tenant.key`, for a member of another type, and for one of those
// read that stands twice.
[[nodiscard]] Result<SteadybitBody> parse_steadybit_body(std::string_view json);

// As the readers of the API's own kit take a UUID: in either case, with or without dashes, in
// braces, as a URN.
[[nodiscard]] std::optional<Uuid> parse_steadybit_uuid(std::string_view text);

}  // namespace belfry
