// What the server of an extension answers by itself.
#include "eventkit/event_service.h"

#include "net/http_server.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>

namespace belfry::eventkit {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(EventService, WhoIsRefusedForWantOfRoomHearsWhenToTryAgain) {
    constexpr std::size_t kRoom = 1U << 20U;
    Limits limits;
    limits.bytes_in_flight = kRoom;
    const Options options{.workers = 1};
    Registry registry;
    Loop loop;
    EventService service(options, registry, loop);
    ASSERT_TRUE(service.open().has_value());
    HttpServer server(loop, service, limits);
    ASSERT_TRUE(server.listen("127.0.0.1:0").has_value());
    const std::string head =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kRoom + 1) + "\r\n\r\n";
    TestPeer holder(server.address());
    const std::string most = head + std::string(kRoom, ' ');
    std::string_view unsent = most;
    EXPECT_TRUE(run_until(loop, [&] {
        unsent.remove_prefix(holder.send(unsent));
        return unsent.empty() && server.status().bytes_in_flight >= kRoom;
    }));
    TestPeer late(server.address());
    late.send(head);
    EXPECT_TRUE(run_until(loop, [&] { return late.ended(); }));
    EXPECT_THAT(
        late.received(),
        AllOf(
            StartsWith("HTTP/1.1 503 "),
            HasSubstr("\r\nRetry-After: 1\r\n"),
            HasSubstr(R"("title":"Service Unavailable")")
        )
    );
}

}  // namespace
}  // namespace belfry::eventkit
