// The body of a record: one event as bytes, the same in both engines. Grammar: docs/log_format.md.
// version(1) flags(1) recorded(8, µs since 1970) uuid_low(8), then fields, each tag(1)
// length(varint) bytes. Unknown tags are skipped, so an older program reads what a newer one wrote.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "event/event.h"

#include <cstdint>
#include <vector>

namespace belfry {

inline constexpr std::uint8_t kRecordVersion = 1;

// Exact size of the encoding.
[[nodiscard]] std::size_t record_size(const Event& event);

// Appends the encoding to `out`; `uuid_low` is random for an event without an id, else
// uuid_low_half().
void encode_record(
    const Event& event, WallTime recorded, std::uint64_t uuid_low, std::vector<std::byte>& out
);

// Views into `body`, which must outlive the result or be kept alive by `owner`. Never reads outside
// `body`; anything malformed is an error (Errc::internal), never a crash.
[[nodiscard]] Result<StoredEvent> decode_record(
    Bytes body, Offset offset, std::shared_ptr<const void> owner
);

}  // namespace belfry
