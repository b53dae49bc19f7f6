// The UUID form of an event: 128 bits in Consul's shape (pure hex, 8-4-4-4-12, no version bits)
// whose halves XOR to offset + 2, so that the index a Consul client computes from an id rises with
// the log (ARCHITECTURE.md, "Ids that double as positions").
#pragma once

#include "base/offset.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace belfry {

struct Uuid {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    auto operator<=>(const Uuid&) const = default;
    // The offset that the halves carry; meaningless for a UUID that is not one of ours.
    [[nodiscard]] constexpr Offset offset() const { return Offset{(high ^ low) - 2}; }
};

// The UUID form of the event at `offset` whose low half is `low`.
[[nodiscard]] constexpr Uuid event_uuid(std::uint64_t low, Offset offset) {
    return Uuid{.high = low ^ (offset.value + 2), .low = low};
}

// The low half for an event whose publisher gave an id: SipHash-2-4 of source, a zero byte and id
// under an all-zero key, so that both engines and every restart agree.
[[nodiscard]] std::uint64_t uuid_low_half(std::string_view source, std::string_view id);

using UuidText = std::array<char, 36>;
[[nodiscard]] UuidText uuid_text(Uuid uuid);
// Accepts exactly the 8-4-4-4-12 form, either case.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace belfry
