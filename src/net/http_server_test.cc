#include "net/http_server.h"

#include "net/test_peer.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";

struct HttpServerTest : ServerFixture {};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
    TestPeer peer = connect();
    peer.send(kGet);
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(peer.received(), HasSubstr("Content-Length: 0\r\n"));
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_EQ(service.seen[0].path, "/a");
    EXPECT_EQ(service.seen[0].query, "b=c");
    peer.forget();
    peer.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("hello"); }));
    EXPECT_EQ(server.status().connections, 1U);
    EXPECT_EQ(server.status().requests, 2U);
}

}  // namespace
}  // namespace belfry
