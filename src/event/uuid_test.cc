#include "event/uuid.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace belfry {
namespace {

std::string text_of(Uuid uuid) {
    const UuidText text = uuid_text(uuid);
    return {text.data(), text.size()};
}

// Committed vectors: these may never change, or stored events would change their ids.
TEST(Uuid, LowHalfFollowsItsVectors) {
    struct Vector {
        std::string_view source;
        std::string_view id;
        std::uint64_t low;
    };
    for (const Vector& vector : {
             Vector{"", "", 0x8b5a0baa49fbc58d},
             Vector{"/mycontext", "A234-1234-1234", 0x9abbb01a52744175},
             Vector{"/consul/web-1", "1", 0xc673ae869c60bae8},
             Vector{"/consul/web-", "11", 0xcafb42c917c1fef3},
         }) {
        EXPECT_EQ(uuid_low_half(vector.source, vector.id), vector.low)
            << vector.source << ' ' << std::hex << uuid_low_half(vector.source, vector.id);
    }
    // Longer than the room on the stack.
    EXPECT_EQ(uuid_low_half(std::string(5000, 's'), "i"), 0xc0f859f4f26fc634U)
        << std::hex << uuid_low_half(std::string(5000, 's'), "i");
}

TEST(Uuid, HalvesXorToOffsetPlusTwo) {
    for (const std::uint64_t offset : {0ULL, 1ULL, 2ULL, 17ULL, 1ULL << 40, ~0ULL - 2}) {
        for (const std::uint64_t low : {0ULL, 1ULL, 0x8877665544332211ULL, ~0ULL}) {
            const Uuid uuid = event_uuid(low, Offset{offset});
            EXPECT_EQ(uuid.high ^ uuid.low, offset + 2);
            EXPECT_EQ(uuid.low, low);
            EXPECT_EQ(uuid.offset(), Offset{offset});
        }
    }
}

TEST(Uuid, IsPureHexInFiveGroups) {
    EXPECT_EQ(
        text_of(event_uuid(0x8877665544332211, Offset{17})), "88776655-4433-2202-8877-665544332211"
    );
    EXPECT_EQ(text_of(Uuid{}), "00000000-0000-0000-0000-000000000000");
    const Uuid uuid{.high = 0x0123456789abcdef, .low = 0xfedcba9876543210};
    EXPECT_EQ(text_of(uuid), "01234567-89ab-cdef-fedc-ba9876543210");
    EXPECT_EQ(parse_uuid("01234567-89ab-cdef-fedc-ba9876543210"), uuid);
    EXPECT_EQ(parse_uuid("01234567-89AB-CDEF-FEDC-BA9876543210"), uuid);
}

TEST(Uuid, RefusesEveryOtherForm) {
    for (const std::string_view text :
         {"",
          "01234567-89ab-cdef-fedc-ba987654321",
          "01234567-89ab-cdef-fedc-ba98765432100",
          "0123456789abcdeffedcba9876543210",
          "{1234567-89ab-cdef-fedc-ba987654321}",
          "01234567089ab-cdef-fedc-ba9876543210",
          "01234567-89ab-cdef-fedc-ba987654321g",
          "0123456--89ab-cdef-fedc-ba9876543210"}) {
        EXPECT_FALSE(parse_uuid(text).has_value()) << text;
    }
}

TEST(Uuid, NothingButADigitStandsForOne) {
    const std::string good = "01234567-89ab-CDEF-0f1e-2d3c4b5a6978";
    ASSERT_TRUE(parse_uuid(good));
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char other : {'/', ':', '@', 'G', '`', 'g', '-', '\0', '\x80', '\xff', ' '}) {
            std::string text = good;
            text[i] = other;
            EXPECT_EQ(parse_uuid(text).has_value(), other == good[i]) << text;
        }
    }
}

}  // namespace
}  // namespace belfry
