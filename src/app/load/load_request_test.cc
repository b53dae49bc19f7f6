#include "app/load/load_request.h"

#include "base/limits.h"
#include "event/cloudevents_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

std::string body_of(const LoadRequest& request) {
    return request.bytes().substr(request.bytes().find("\r\n\r\n") + 4);
}

TEST(LoadRequest, PlainIsOneEventDescribedByItsParameters) {
    LoadRequest request({.type = "a b", .size = 5}, "Host: h\r\n", 1);
    request.number_events(7);
    EXPECT_EQ(
        request.bytes(),
        "POST /api/v1/events?type=a%20b HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
        "Content-Length: 5\r\n\r\nxxxxx"
    );
}

TEST(LoadRequest, ConsulIsOneEventFired) {
    LoadRequest request({.type = "a/b", .size = 5, .format = LoadFormat::consul}, "Host: h\r\n", 1);
    request.number_events(7);
    EXPECT_EQ(
        request.bytes(),
        "PUT /v1/event/fire/a%2Fb HTTP/1.1\r\nHost: h\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nxxxxx"
    );
}

TEST(LoadRequest, BatchesAreCloudEventsWithIdsOfTheirOwn) {
    const Limits limits;
    CloudEventsJsonParser parser(limits);
    for (LoadFormat format : {LoadFormat::json_batch, LoadFormat::ndjson}) {
        LoadRequest request({.type = "t\"", .size = 3, .events = 3, .format = format}, "", 0xabcdU);
        request.number_events(999'999'999'998);
        const std::string body = body_of(request);
        auto parsed =
            format == LoadFormat::ndjson ? parser.parse_lines(body) : parser.parse_batch(body);
        ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
        ASSERT_EQ(parsed->events.size(), 3U);
        EXPECT_EQ(parsed->events[0].id, "0000abcd-999999999998");
        EXPECT_EQ(parsed->events[1].id, "0000abcd-999999999999");
        EXPECT_EQ(parsed->events[2].id, "0000abcd-000000000000");  // a run is not that long
        EXPECT_EQ(parsed->events[0].type, "t\"");
        EXPECT_EQ(parsed->events[0].data, "xxx");
    }
}

}  // namespace
}  // namespace belfry
