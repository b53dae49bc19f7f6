#include "eventkit/request_timeout.h"

#include <gtest/gtest.h>

#include <vector>

namespace belfry::eventkit {
namespace {

std::optional<Duration> timeout_of(std::vector<HeaderField> headers) {
    HttpRequest request;
    request.headers = headers;
    return request_timeout(request);
}

TEST(RequestTimeout, IsDecimalSeconds) {
    EXPECT_EQ(timeout_of({{"Request-Timeout", "0.5"}}), std::chrono::milliseconds(500));
    EXPECT_EQ(timeout_of({{"request-timeout", "30"}}), std::chrono::seconds(30));
    EXPECT_EQ(timeout_of({{"Request-Timeout", "1e3"}}), std::chrono::seconds(1000));
    EXPECT_EQ(timeout_of({{"Request-Timeout", "1e30"}}), std::chrono::hours(1));
}

TEST(RequestTimeout, OfWhatIsNoNumberAboveZeroIsNone) {
    EXPECT_EQ(timeout_of({}), std::nullopt);
    for (const char* value :
         {"", "0", "-1", "-0.0", "soon", "5s", " 5", "+5", "inf", "nan", "1e999"}) {
        EXPECT_EQ(timeout_of({{"Request-Timeout", value}}), std::nullopt) << value;
    }
}

TEST(RequestTimeout, HasAnOlderNameThatCountsIfTheNewOneSaysNothing) {
    EXPECT_EQ(timeout_of({{"X-Request-Timeout", "2"}}), std::chrono::seconds(2));
    EXPECT_EQ(
        timeout_of({{"X-Request-Timeout", "2"}, {"Request-Timeout", "3"}}), std::chrono::seconds(3)
    );
    EXPECT_EQ(
        timeout_of({{"X-Request-Timeout", "2"}, {"Request-Timeout", "0"}}), std::chrono::seconds(2)
    );
}

}  // namespace
}  // namespace belfry::eventkit
