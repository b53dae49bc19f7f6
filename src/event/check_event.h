// The rules an event must obey before it is stored: CloudEvents 1.0 (section 3) and our limits.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "event/event.h"

namespace belfry {

// Errc::invalid_event with `field` naming the attribute, or Errc::too_large (data over
// limits.body_bytes) with `limit`. Checks: source and type present; text is UTF-8 without control
// characters; extension names; time is RFC 3339; datacontenttype is a media type; source and
// dataschema are URI references.
[[nodiscard]] Result<void> check_event(const Event& event, const Limits& limits);

}  // namespace belfry
