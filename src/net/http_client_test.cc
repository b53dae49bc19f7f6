#include "net/http_client.h"

#include "net/test_peer.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

struct HttpClientTest : ServerFixture {
    HttpCall post(std::string_view body) {
        HttpCall call;
        call.host = "127.0.0.1";
        call.port = port();
        call.head =
            "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n";
        call.body = body;
        call.timeout = std::chrono::seconds(5);
        return call;
    }
    std::uint16_t port() {
        const std::string address = server.address();
        return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    }
    HttpClient client{loop, limits};
};

TEST_F(HttpClientTest, KeepsAndUsesItsConnectionAgain) {
    for (int i = 0; i < 3; ++i) {
        std::optional<Result<HttpReply>> reply;
        client.call(post("hello"), [&](Result<HttpReply> r) { reply = std::move(r); });
        ASSERT_TRUE(until([&] { return reply.has_value(); }));
        ASSERT_TRUE(reply->has_value()) << reply->error().detail;
        EXPECT_EQ((*reply)->status, 200);
        EXPECT_EQ((*reply)->body, "hello");
        EXPECT_EQ((*reply)->header("content-type"), "text/plain");
    }
    EXPECT_EQ(server.status().accepted, 1U);
}

}  // namespace
}  // namespace belfry
