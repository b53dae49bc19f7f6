#include "base/size.h"

#include <gtest/gtest.h>

#include <limits>

namespace belfry {
namespace {

TEST(Size, ReadsWhatPeopleWrite) {
    EXPECT_EQ(parse_size("64MiB").value(), 64U << 20);
    EXPECT_EQ(parse_size("1KiB").value(), 1024U);
    EXPECT_EQ(parse_size("10GiB").value(), 10ULL << 30);
    EXPECT_EQ(parse_size("2TiB").value(), 2ULL << 40);
    EXPECT_EQ(parse_size("10GB").value(), 10'000'000'000U);
    EXPECT_EQ(parse_size("5kB").value(), 5000U);
    EXPECT_EQ(parse_size("5KB").value(), 5000U);
    EXPECT_EQ(parse_size("100B").value(), 100U);
    EXPECT_EQ(parse_size("4096").value(), 4096U);
    EXPECT_EQ(parse_size("0").value(), 0U);
}

TEST(Size, RefusesEverythingElse) {
    for (std::string_view bad :
         {"",
          "MiB",
          "-1",
          "+1",
          "1.5MiB",
          "1 MiB",
          " 1",
          "1 ",
          "1mib",
          "1M",
          "1Mi",
          "1MiBs",
          "0x10",
          "1e3",
          "1PiB",
          "1b"}) {
        Result<std::uint64_t> result = parse_size(bad);
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_EQ(result.error().code, Errc::bad_request) << bad;
        EXPECT_NE(result.error().detail.find("64MiB"), std::string::npos) << "shows the right form";
    }
}

TEST(Size, DoesNotOverflow) {
    EXPECT_EQ(
        parse_size("18446744073709551615").value(), std::numeric_limits<std::uint64_t>::max()
    );
    EXPECT_FALSE(parse_size("18446744073709551616").has_value());
    EXPECT_EQ(parse_size("16777215TiB").value(), 16777215ULL << 40);
    EXPECT_FALSE(parse_size("16777216TiB").has_value());
}

TEST(Size, PrintsTheLargestWholeBinaryUnit) {
    EXPECT_EQ(size_text(64U << 20), "64MiB");
    EXPECT_EQ(size_text(1536), "1536B");
    EXPECT_EQ(size_text(10ULL << 30), "10GiB");
    EXPECT_EQ(size_text(0), "0B");
}

TEST(Size, ReadsBackWhatItPrinted) {
    for (std::uint64_t value = 1; value != 0; value = value * 3 + 1) {
        ASSERT_EQ(parse_size(size_text(value)).value(), value);
        if (value > std::numeric_limits<std::uint64_t>::max() / 4) {
            break;
        }
    }
}

}  // namespace
}  // namespace belfry
