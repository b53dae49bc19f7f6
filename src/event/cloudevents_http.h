// CloudEvents 1.0 HTTP protocol binding, binary mode: attributes travel as `ce-*` headers,
// percent-encoded (section 3.1.3.2); Content-Type is datacontenttype.
#pragma once

#include "base/error.h"
#include "base/header_field.h"
#include "base/limits.h"
#include "event/event.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

enum class CloudEventsMode : std::uint8_t { none, binary, structured, batch };
// The mode of a message by its headers: the media type decides (application/cloudevents in any
// format, so that a format not known here is refused rather than taken for data), then the presence
// of ce-specversion.
[[nodiscard]] CloudEventsMode cloudevents_mode(std::span<const HeaderField> headers);

// A binary-mode event. Views into `headers`, `body` and `memory` (decoded values; cleared first),
// which must outlive it. An empty body is absent data. Errc::invalid_event with `field` for a
// repeated, malformed or missing attribute. The event has passed check_event().
[[nodiscard]] Result<Event> parse_binary_event(
    std::span<const HeaderField> headers,
    std::string_view body,
    const Limits& limits,
    std::vector<std::string>& memory
);

// Appends `ce-*` and Content-Type header lines, each ended by CRLF, for a binary-mode delivery.
// Data without a type that is JSON leaves as application/json, other data without one has no
// Content-Type.
void append_binary_headers(const StoredEvent& stored, std::string& out);
// Its Content-Type line alone, or nothing.
void append_content_type(const Event& event, std::string& out);

}  // namespace belfry
