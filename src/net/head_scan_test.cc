#include "net/head_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace belfry {
namespace {

constexpr HeadLimits kLimits{
    .first_line_bytes = 20, .line_bytes = 10, .headers_bytes = 40, .headers = 8
};

HeadFault fault_of(std::string_view bytes, std::size_t piece) {
    HeadScan scan;
    for (std::size_t fed = piece; fed < bytes.size(); fed += piece) {
        if (scan.advance(bytes.substr(0, fed), kLimits) == HeadScan::State::broken) {
            return scan.fault();
        }
    }
    static_cast<void>(scan.advance(bytes, kLimits));
    return scan.fault();
}

TEST(HeadScan, RefusesALineForOneReasonWholeOrInPieces) {
    for (int lines = 0; lines < 4; ++lines) {
        std::string begin = "GET / HTTP/1.1\r\n";
        for (int i = 0; i < lines; ++i) {
            begin += "A: 456789\r\n";
        }
        for (std::size_t bytes = 1; bytes < 60; ++bytes) {
            const std::string head = begin + std::string(bytes, 'x') + "\r\n\r\n";
            const HeadFault whole = fault_of(head, head.size());
            EXPECT_EQ(whole, fault_of(head, 1)) << lines << " lines, then " << bytes << " bytes";
            EXPECT_EQ(whole, fault_of(head, 7)) << lines << " lines, then " << bytes << " bytes";
        }
    }
}

TEST(HeadScan, NamesTheLimitThatALineBreaksFirst) {
    const std::string begin = "GET / HTTP/1.1\r\n";
    const std::string line = "A: 456789\r\n";  // 11 bytes
    const std::string end = "\r\n\r\n";
    EXPECT_EQ(fault_of(begin + std::string(10, 'x') + end, 99), HeadFault::none);
    EXPECT_EQ(fault_of(begin + std::string(11, 'x') + end, 99), HeadFault::line_too_long);
    EXPECT_EQ(fault_of(begin + std::string(50, 'x') + end, 99), HeadFault::line_too_long);
    const std::string three = begin + line + line + line;  // 33 of 40 bytes
    EXPECT_EQ(fault_of(three + std::string(5, 'x') + end, 99), HeadFault::none);
    EXPECT_EQ(fault_of(three + std::string(6, 'x') + end, 99), HeadFault::headers_too_long);
    EXPECT_EQ(fault_of(three + std::string(50, 'x') + end, 99), HeadFault::headers_too_long);
}

}  // namespace
}  // namespace belfry
