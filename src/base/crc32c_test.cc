#include "base/crc32c.h"

#include "base/bytes_of_text.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace belfry {
namespace {

TEST(Crc32c, MatchesThePublishedVectors) {
    // RFC 3720, B.4, and the check value of the CRC catalogue.
    EXPECT_EQ(crc32c(0, bytes_of("123456789")), 0xe3069283U);
    EXPECT_EQ(crc32c(0, std::vector<std::byte>(32)), 0x8a9136aaU);
    EXPECT_EQ(crc32c(0, std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
    EXPECT_EQ(crc32c_software(0, bytes_of("123456789")), 0xe3069283U);
}

TEST(Crc32c, InstructionAndTableAgreeAtEveryLengthAndAlignment) {
    std::vector<std::byte> bytes(128);
    std::uint32_t state = 1;
    for (std::byte& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<std::byte>(state >> 24U);
    }
    for (std::size_t start = 0; start < 9; ++start) {
        for (std::size_t length = 0; start + length <= bytes.size(); ++length) {
            Bytes piece = Bytes(bytes).subspan(start, length);
            ASSERT_EQ(crc32c(state, piece), crc32c_software(state, piece));
        }
    }
}

TEST(Crc32c, GoesOnFromAnEarlierCrc) {
    std::uint32_t first = crc32c(7, bytes_of("1234"));
    EXPECT_EQ(crc32c(first, bytes_of("56789")), crc32c(7, bytes_of("123456789")));
}

TEST(Crc32c, AnotherSeedIsAnotherChecksum) {
    EXPECT_NE(crc32c(1, bytes_of("123456789")), crc32c(2, bytes_of("123456789")));
}

}  // namespace
}  // namespace belfry
