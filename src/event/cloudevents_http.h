// CloudEvents 1.0 HTTP protocol binding, binary mode: attributes travel as `ce-*` headers, percent-encoded
// (section 3.1.3.2); Content-Type is datacontenttype.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/header_field.h"
#include "base/limits.h"
#include "event/event.h"

namespace belfry {

enum class CloudEventsMode : std::uint8_t { none, binary, structured, batch };
// The mode of a message by its headers: the media type decides, then the presence of ce-specversion.
[[nodiscard]] CloudEventsMode cloudevents_mode(std::span<const HeaderField> headers);

// A binary-mode event. Views into `headers`, `body` and `memory` (decoded values), which must outlive it.
// Errc::invalid_event with `field` for a repeated, malformed or missing attribute. The event has passed
// check_event().
[[nodiscard]] Result<Event> parse_binary_event(
    std::span<const HeaderField> headers,
    std::string_view body,
    const Limits& limits,
    std::vector<std::string>& memory
);

// Appends `ce-*` and Content-Type header lines, each ended by CRLF, for a binary-mode delivery.
void append_binary_headers(const StoredEvent& stored, std::string& out);

}  // namespace belfry
