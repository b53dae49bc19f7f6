// Calls over Unix sockets.
#include "net/http_client_fixture.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <unistd.h>

namespace belfry {
namespace {

using testing::HasSubstr;

using HttpClientOnUnixSockets = HttpClientTest;

// A socket in a directory of its own.
struct UnixScript {
    UnixScript() {
        EXPECT_NE(::mkdtemp(directory.data()), nullptr);
        path = directory + "/a.sock";
        script.emplace(16, *parse_unix_path(path));
    }
    ~UnixScript() {
        script.reset();
        ::unlink(path.c_str());
        ::rmdir(directory.c_str());
    }
    std::string directory = testing::TempDir() + "belfry-XXXXXX";
    std::string path;
    std::optional<Script> script;
};

TEST_F(HttpClientOnUnixSockets, ASocketIsCalledAndItsConnectionKept) {
    UnixScript local;
    const auto call_it = [&] {
        HttpCall call = post(script.address(), "hello");
        call.unix_path = local.path;
        begin(std::move(call));
    };
    call_it();
    ASSERT_TRUE(until([&] { return local.script->accept(); }));
    TestPeer& peer = local.script->peers.front();
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\nhello"); }));
        peer.forget();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        ASSERT_TRUE(wait());
        ASSERT_TRUE(reply->has_value()) << failure();
        EXPECT_EQ((*reply)->body, "ok");
        if (i == 0) {
            call_it();
        }
    }
    EXPECT_FALSE(local.script->accept()) << "the second call went over the first connection";
    begin(post(server.address(), "tcp"));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->body, "tcp") << "sockets and ports are not mixed up";
}

TEST_F(HttpClientOnUnixSockets, ASocketThatIsNotThereIsAFailure) {
    UnixScript local;
    HttpCall call = post(server.address(), "");
    call.unix_path = local.path + "x";
    begin(std::move(call));
    ASSERT_TRUE(wait());
    EXPECT_THAT(failure(), HasSubstr("no such file"));
    local.script.reset();  // the file stays, nobody listens
    call = post(server.address(), "");
    call.unix_path = local.path;
    begin(std::move(call));
    ASSERT_TRUE(wait());
    EXPECT_THAT(failure(), HasSubstr("connection refused"));
    call = post(server.address(), "");
    call.unix_path = "relative.sock";
    begin(std::move(call));
    ASSERT_TRUE(wait());
    EXPECT_EQ(reply->error().code, Errc::unavailable);
    EXPECT_THAT(failure(), HasSubstr("absolute path"));
}

TEST_F(HttpClientOnUnixSockets, ASocketIsCalledOnlyWhereTheGuardAllows) {
    UnixScript local;
    for (const bool named : {false, true}) {
        const OutboundGuard guard(
            {.allow_unix = named ? std::vector{local.directory} : std::vector<std::string>{}}
        );
        HttpClient guarded(loop, limits, guard);
        HttpCall call = post(server.address(), "");
        call.unix_path = local.path;
        reply.reset();
        guarded.call(std::move(call), [this](Result<HttpReply> r) { reply = std::move(r); });
        if (named) {
            EXPECT_TRUE(until([&] { return local.script->accept(); }));
        } else {
            ASSERT_TRUE(wait());
            EXPECT_EQ(reply->error().code, Errc::denied);
            EXPECT_FALSE(local.script->accept());
        }
    }
}

TEST_F(HttpClientOnUnixSockets, AServerListensOnOneAndItsPeersAreOfThisMachine) {
    std::string directory = testing::TempDir() + "belfry-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    const std::string path = directory + "/a.sock";
    bool is_local = false;
    service.answer = [&](const HttpRequest& request, Exchange exchange) {
        is_local = request.peer_is_loopback;
        exchange.respond({.body = request.body});
    };
    HttpServer local(loop, service, limits);
    ASSERT_TRUE(local.listen_unix(path).has_value());
    EXPECT_EQ(local.address(), "unix:" + path);
    EXPECT_TRUE(local.is_loopback());
    HttpServer second(loop, service, limits);
    const Result<void> taken = second.listen_unix(path);
    ASSERT_FALSE(taken.has_value());
    EXPECT_THAT(taken.error().detail, HasSubstr("cannot listen on unix:" + path));
    EXPECT_FALSE(second.listen_unix("a.sock").has_value());
    HttpCall call = post("127.0.0.1:1", "over the socket");
    call.unix_path = path;
    begin(std::move(call));
    ASSERT_TRUE(wait());
    ASSERT_TRUE(reply->has_value()) << failure();
    EXPECT_EQ((*reply)->body, "over the socket");
    EXPECT_TRUE(is_local);
    ::unlink(path.c_str());
    ::rmdir(directory.c_str());
}

}  // namespace
}  // namespace belfry
