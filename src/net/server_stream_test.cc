// Endless answers: what their readers see, and what becomes of readers that fall behind or leave.
#include "net/test_peer.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

struct ServerStreamTest : ServerFixture {};

TEST_F(ServerStreamTest, AStreamLeavesAsItIsWritten) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get("/stream") + get("/never"));
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    held.pop_back();
    held[0].begin_stream({200, "text/event-stream", "Cache-Control: no-store\r\n", {}, false});
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), HasSubstr("Content-Type: text/event-stream\r\n"));
    EXPECT_THAT(peer.received(), HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(peer.received(), Not(HasSubstr("Content-Length")));
    peer.forget();
    EXPECT_TRUE(held[0].write("data: 1\n\n"));
    EXPECT_TRUE(held[0].write("data: 2\n\n"));
    EXPECT_EQ(peer.received(), "data: 1\n\ndata: 2\n\n");
    peer.send(get("/late"));
    held.clear();
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_EQ(peer.received(), "data: 1\n\ndata: 2\n\n");
    EXPECT_EQ(service.seen.size(), 2U);
}

TEST_F(ServerStreamTest, AStreamWaitsForTheAnswersBeforeIt) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get("/1") + get("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    held[1].begin_stream({200, "text/event-stream", {}, {}, false});
    EXPECT_TRUE(held[1].write("data: 1\n\n"));
    answer(0, "first");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("data: 1\n\n"); }));
    EXPECT_LT(peer.received().find("first"), peer.received().find("event-stream"));
    EXPECT_TRUE(held[1].write("data: 2\n\n"));
    EXPECT_TRUE(peer.received().ends_with("data: 1\n\ndata: 2\n\n"));
}

TEST_F(ServerStreamTest, AStreamReaderThatLeavesIsNoticed) {
    hold_exchanges();
    int gone = 0;
    TestPeer peer = connect();
    peer.send(get("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    held[0].on_gone([&] {
        ++gone;
        held.clear();  // as owners do
    });
    peer.close();
    ASSERT_TRUE(until([&] { return gone == 1; }));
    EXPECT_EQ(server.status().connections, 0U);
}

TEST_F(ServerStreamTest, AStreamReaderThatDoesNotReadIsCut) {
    limits.stream_buffer_bytes = 64 * 1024;
    hold_exchanges();
    int gone = 0;
    TestPeer peer(server.address(), 4096);
    peer.send(get("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    held[0].on_gone([&] { ++gone; });
    const std::string event(16UL * 1024, 'x');
    int written = 0;
    while (held[0].write(event)) {
        ASSERT_LT(++written, 10'000);
    }
    EXPECT_FALSE(held[0].alive());
    EXPECT_EQ(gone, 0) << "write() has told already";
    EXPECT_EQ(server.status().connections, 0U);
    EXPECT_FALSE(held[0].write(event));
}

TEST_F(ServerStreamTest, AStreamReaderThatFallsBehindCatchesUp) {
    hold_exchanges();
    TestPeer peer(server.address(), 4096);
    peer.send(get("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    peer.forget();
    // More than a socket's buffers take, fewer than the limit beyond them.
    std::string expected;
    const std::uint64_t before = server.status().bytes_out;
    while (server.status().bytes_out - before == expected.size()) {
        const std::string event(1000, static_cast<char>('a' + expected.size() % 26));
        ASSERT_TRUE(held[0].write(event));
        expected += event;
    }
    ASSERT_TRUE(until([&] { return peer.received().size() == expected.size(); }));
    EXPECT_EQ(peer.received(), expected);
}

TEST_F(ServerStreamTest, AStreamReaderThatFallsBehindAndLeavesIsNoticed) {
    hold_exchanges();
    bool gone = false;
    TestPeer peer(server.address(), 4096);
    peer.send(get("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    held[0].on_gone([&] { gone = true; });
    const std::uint64_t before = server.status().bytes_out;
    std::size_t written = 0;
    while (server.status().bytes_out - before == written) {
        ASSERT_TRUE(held[0].write(std::string(1000, 'x')));
        written += 1000;
    }
    peer.finish_sending();
    EXPECT_TRUE(until([&] { return gone; }));
}

TEST_F(ServerStreamTest, AWriterHearsWhenItsReaderHasCaughtUp) {
    hold_exchanges();
    TestPeer peer(server.address(), 4096);
    peer.send(get("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    EXPECT_EQ(held[0].unsent(), 0U);
    while (held[0].unsent() == 0) {
        ASSERT_TRUE(held[0].write(std::string(1000, 'x')));
    }
    int drained = 0;
    held[0].on_drained([&] {
        ++drained;
        EXPECT_EQ(held[0].unsent(), 0U);
        EXPECT_TRUE(held[0].write("more"));
    });
    loop.post([this] { loop.stop(); });
    loop.run();
    EXPECT_EQ(drained, 0) << "nobody has read yet";
    ASSERT_TRUE(until([&] { return peer.received().ends_with("more"); }));
    EXPECT_EQ(drained, 1);
    held[0].on_drained([&] { ++drained; });
    EXPECT_EQ(drained, 1) << "never from within the call";
    EXPECT_TRUE(until([&] { return drained == 2; })) << "also with nothing unsent";
    held[0].on_drained([&] { ++drained; });
    held.clear();
    EXPECT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_EQ(drained, 2) << "not once the stream is dropped";
}

TEST_F(ServerStreamTest, AHeadOfAStreamEndsWithItsHead) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    EXPECT_FALSE(held[0].write("data: 1\n\n"));
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_TRUE(peer.received().ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace belfry
