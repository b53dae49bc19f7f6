// Endless answers: what their readers see, and what becomes of readers that fall behind or leave.
#include "net/chunk_decoder.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

struct ServerStreamTest : ServerFixture {
    // As held[0].
    void open(TestPeer& peer, const std::string& request = get_request("/stream")) {
        peer.send(request);
        ASSERT_TRUE(until([&] { return held.size() == 1; }));
        held[0].begin_stream({200, "text/event-stream", {}, {}, false});
    }
    // Its head is forgotten.
    void begin(TestPeer& peer) {
        open(peer);
        EXPECT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
        peer.forget();
    }
    void turn() {
        loop.post([this] { loop.stop(); });
        loop.run();
    }
    // So much that the peer does not take it; how much that is.
    std::string write_ahead() {
        std::string written;
        while (held[0].unsent() == 0) {
            const std::string text(1000, static_cast<char>('a' + written.size() / 1000 % 26));
            EXPECT_TRUE(held[0].write(StreamPiece(text)));
            written += text;
        }
        return written;
    }
    // The text of the chunks; `end` of the last one seen.
    static std::string decoded(std::string_view chunks, ChunkDecoder::State end) {
        ChunkDecoder decoder;
        std::string text;
        const auto fed = decoder.feed(chunks, text, UINT64_MAX);
        EXPECT_EQ(fed.state, end) << decoder.fault();
        EXPECT_EQ(fed.used, chunks.size());
        return text;
    }
};

TEST_F(ServerStreamTest, AStreamLeavesAsItIsWritten) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get_request("/stream") + get_request("/never"));
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    held.pop_back();
    held[0].begin_stream({200, "text/event-stream", "Cache-Control: no-store\r\n", {}, false});
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), HasSubstr("Content-Type: text/event-stream\r\n"));
    EXPECT_THAT(peer.received(), Not(HasSubstr("Connection:")))
        << "some clients take a close for leave to end anywhere";
    EXPECT_THAT(peer.received(), HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(peer.received(), Not(HasSubstr("Content-Length")));
    peer.forget();
    EXPECT_TRUE(held[0].write(StreamPiece("data: 1\n\n")));
    EXPECT_TRUE(held[0].write(StreamPiece("data: 2\n\n")));
    EXPECT_TRUE(held[0].write(StreamPiece("")));
    const std::string both = "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n";
    ASSERT_TRUE(until([&] { return peer.received().size() >= both.size(); }));
    EXPECT_EQ(peer.received(), both);
    peer.forget();
    held[0].end_stream();
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 1; })) << "what was asked behind";
    EXPECT_TRUE(peer.received().starts_with("0\r\n\r\nHTTP/1.1 500 ")) << peer.received();
    EXPECT_FALSE(peer.ended());
}

TEST_F(ServerStreamTest, RequestsBehindAStreamAreTakenWhenItHasEnded) {
    hold_exchanges();
    TestPeer peer = connect();
    begin(peer);
    const std::uint64_t before = server.status().bytes_in;
    peer.send(get_request("/late") + get_request("/later"));
    turn();
    EXPECT_EQ(server.status().bytes_in, before) << "they wait in the socket";
    held[0].end_stream();
    ASSERT_TRUE(until([&] { return held.size() == 3; }));
    answer(1, "late");
    answer(2, "later");
    ASSERT_TRUE(until([&] { return answers(peer.received()) == 2; }));
    EXPECT_TRUE(peer.received().starts_with("0\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerStreamTest, RequestsThatCameWithOneForAStreamWaitForItsEnd) {
    service.answer = [&](const HttpRequest& request, Exchange exchange) {
        if (request.path == "/stream") {
            exchange.begin_stream({200, "text/event-stream", {}, {}, false});
            held.push_back(std::move(exchange));
        } else {
            exchange.respond({200, "text/plain", {}, request.path, false});
        }
    };
    TestPeer peer = connect();
    peer.send(get_request("/stream") + get_request("/behind") + "GET /half");
    ASSERT_TRUE(until([&] { return held.size() == 1; }));
    EXPECT_TRUE(held[0].write(StreamPiece("data: 1\n\n")));
    turn();
    EXPECT_EQ(service.seen.size(), 1U);
    EXPECT_TRUE(peer.received().ends_with("\r\n\r\n9\r\ndata: 1\n\n\r\n"));
    peer.forget();
    held[0].end_stream();
    ASSERT_TRUE(until([&] { return peer.received().ends_with("/behind"); }));
    EXPECT_TRUE(peer.received().starts_with("0\r\n\r\nHTTP/1.1 200 OK\r\n"));
    peer.send(" HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(until([&] { return peer.received().ends_with("/half"); }));
}

TEST_F(ServerStreamTest, AStreamThatIsDroppedIsSeenToBeCut) {
    hold_exchanges();
    TestPeer peer = connect();
    begin(peer);
    EXPECT_TRUE(held[0].write(StreamPiece("data: 1\n\n")));
    held.clear();
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_EQ(peer.received(), "9\r\ndata: 1\n\n\r\n");
}

TEST_F(ServerStreamTest, AReaderOfAnOlderVersionGetsNoChunks) {
    hold_exchanges();
    TestPeer peer = connect();
    open(peer, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(held[0].write(StreamPiece("data: 1\n\n")));
    EXPECT_TRUE(held[0].write(StreamPiece("data: 2\n\n")));
    held[0].end_stream();
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_THAT(peer.received(), HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(peer.received(), Not(HasSubstr("Transfer-Encoding")));
    EXPECT_TRUE(peer.received().ends_with("\r\n\r\ndata: 1\n\ndata: 2\n\n")) << peer.received();
}

TEST_F(ServerStreamTest, AStreamWaitsForTheAnswersBeforeIt) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get_request("/1") + get_request("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    held[1].begin_stream({200, "text/event-stream", {}, {}, false});
    EXPECT_TRUE(held[1].write(StreamPiece("data: 1\n\n")));
    answer(0, "first");
    ASSERT_TRUE(until([&] { return peer.received().ends_with("9\r\ndata: 1\n\n\r\n"); }));
    EXPECT_LT(peer.received().find("first"), peer.received().find("event-stream"));
    peer.forget();
    EXPECT_TRUE(held[1].write(StreamPiece("data: 2\n\n")));
    EXPECT_TRUE(until([&] { return peer.received() == "9\r\ndata: 2\n\n\r\n"; }));
}

TEST_F(ServerStreamTest, AStreamThatEndsBeforeItsTurnLeavesWhole) {
    hold_exchanges();
    TestPeer peer = connect();
    peer.send(get_request("/1") + get_request("/stream"));
    ASSERT_TRUE(until([&] { return held.size() == 2; }));
    held[1].begin_stream({200, "text/event-stream", {}, {}, false});
    EXPECT_TRUE(held[1].write(StreamPiece("data: 1\n\n")));
    held[1].end_stream();
    answer(0, "first");
    ASSERT_TRUE(until([&] {
        return peer.received().ends_with("\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n");
    })) << peer.received();
    EXPECT_THAT(peer.received(), HasSubstr("first"));
}

TEST_F(ServerStreamTest, AStreamReaderThatLeavesIsNoticed) {
    hold_exchanges();
    int gone = 0;
    TestPeer peer = connect();
    begin(peer);
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
    begin(peer);
    held[0].on_gone([&] { ++gone; });
    const std::string event(16UL * 1024, 'x');
    int written = 0;
    while (held[0].write(StreamPiece(event))) {
        ASSERT_LT(++written, 10'000);
    }
    EXPECT_FALSE(held[0].alive());
    EXPECT_EQ(gone, 0) << "write() has told already";
    EXPECT_EQ(server.status().connections, 0U);
    EXPECT_FALSE(held[0].write(StreamPiece(event)));
}

TEST_F(ServerStreamTest, AStreamReaderThatFallsBehindCatchesUp) {
    hold_exchanges();
    TestPeer peer(server.address(), 4096);
    begin(peer);
    // More than a socket's buffers take, fewer than the limit beyond them.
    const std::string expected = write_ahead();
    ASSERT_TRUE(until([&] {
        return peer.received().size() > expected.size() && held[0].unsent() == 0;
    }));
    EXPECT_EQ(decoded(peer.received(), ChunkDecoder::State::more), expected);
    EXPECT_TRUE(held[0].write(StreamPiece("the last")));
    held[0].end_stream();
    ASSERT_TRUE(until([&] { return peer.received().ends_with(StreamPiece::kEnd); }));
    EXPECT_EQ(decoded(peer.received(), ChunkDecoder::State::done), expected + "the last");
}

TEST_F(ServerStreamTest, TheEndWaitsForAReaderThatIsBehind) {
    hold_exchanges();
    TestPeer peer(server.address(), 4096);
    begin(peer);
    const std::string expected = write_ahead();
    held[0].end_stream();
    ASSERT_TRUE(until([&] { return peer.received().ends_with(StreamPiece::kEnd); }));
    EXPECT_EQ(decoded(peer.received(), ChunkDecoder::State::done), expected);
}

// --- The server stops

TEST_F(ServerStreamTest, AStopEndsAStreamInOrder) {
    hold_exchanges();
    int gone = 0;
    bool stopped = false;
    TestPeer peer = connect();
    begin(peer);
    held[0].on_gone([&] { ++gone; });
    EXPECT_TRUE(held[0].write(StreamPiece("data: 1\n\n")));
    server.stop(kLongEnough, [&] { stopped = true; });
    EXPECT_EQ(gone, 1);
    ASSERT_TRUE(until([&] { return peer.ended() && stopped; }));
    EXPECT_FALSE(peer.was_reset());
    EXPECT_EQ(peer.received(), "9\r\ndata: 1\n\n\r\n0\r\n\r\n");
    EXPECT_FALSE(held[0].alive());
    held.clear();
}

TEST_F(ServerStreamTest, AStopCutsAStreamWhoseReaderIsBehind) {
    hold_exchanges();
    TestPeer peer(server.address(), 4096);
    begin(peer);
    const std::string written = write_ahead();
    server.stop(kLongEnough, [] {});
    EXPECT_EQ(server.status().connections, 0U);
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    const std::string text = decoded(peer.received(), ChunkDecoder::State::more);
    EXPECT_LT(text.size(), written.size());
    EXPECT_TRUE(written.starts_with(text));
}

TEST_F(ServerStreamTest, AStopCutsAStreamWhoseWriterHasMore) {
    hold_exchanges();
    TestPeer peer = connect();
    begin(peer);
    EXPECT_TRUE(held[0].write(StreamPiece("data: half")));
    held[0].on_drained([] { FAIL() << "it is too late for more"; });
    server.stop(kLongEnough, [] {});
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_EQ(peer.received(), "a\r\ndata: half\r\n");
}

// --- The reader falls behind or leaves

TEST_F(ServerStreamTest, AStreamReaderThatFallsBehindAndLeavesIsNoticed) {
    hold_exchanges();
    bool gone = false;
    TestPeer peer(server.address(), 4096);
    begin(peer);
    held[0].on_gone([&] { gone = true; });
    write_ahead();
    peer.finish_sending();
    EXPECT_TRUE(until([&] { return gone; }));
}

TEST_F(ServerStreamTest, AWriterHearsWhenItsReaderHasCaughtUp) {
    hold_exchanges();
    TestPeer peer(server.address(), 4096);
    begin(peer);
    EXPECT_EQ(held[0].unsent(), 0U);
    write_ahead();
    int drained = 0;
    held[0].on_drained([&] {
        ++drained;
        EXPECT_EQ(held[0].unsent(), 0U);
        EXPECT_TRUE(held[0].write(StreamPiece("more")));
    });
    turn();
    EXPECT_EQ(drained, 0) << "nobody has read yet";
    ASSERT_TRUE(until([&] { return peer.received().ends_with("4\r\nmore\r\n"); }));
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
    open(peer, "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_FALSE(held[0].write(StreamPiece("data: 1\n\n")));
    ASSERT_TRUE(until([&] { return peer.received().ends_with("\r\n\r\n"); }));
    EXPECT_THAT(peer.received(), HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_EQ(peer.received().find("\r\n\r\n"), peer.received().size() - 4) << "and no chunk";
    held[0].end_stream();
}

}  // namespace
}  // namespace belfry
