#include "net/stream_piece.h"

#include "net/chunk_decoder.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(StreamPiece, ATextStandsInOneChunk) {
    const StreamPiece piece("data: 1234567\n\n");
    EXPECT_EQ(piece.text(), "data: 1234567\n\n");
    EXPECT_EQ(piece.chunk(), "f\r\ndata: 1234567\n\n\r\n");
}

TEST(StreamPiece, NoTextIsNoChunkForThatWouldBeTheEnd) {
    StreamPiece piece;
    EXPECT_EQ(piece.chunk(), "");
    EXPECT_EQ(piece.text(), "");
    static_cast<void>(piece.begin());
    piece.frame();
    EXPECT_EQ(piece.chunk(), "");
    EXPECT_EQ(piece.text(), "");
}

TEST(StreamPiece, ALaterTextReplacesTheEarlierOneWhateverTheirLengths) {
    StreamPiece piece;
    for (const std::size_t size : {100'000UL, 1UL, 15UL, 16UL, 4096UL}) {
        const std::string text(size, 'x');
        piece.begin() += text;
        piece.frame();
        EXPECT_EQ(piece.text(), text);
        std::string decoded;
        ChunkDecoder decoder;
        const std::string whole = std::string(piece.chunk()) + std::string(StreamPiece::kEnd);
        const auto fed = decoder.feed(whole, decoded, UINT64_MAX);
        EXPECT_EQ(fed.state, ChunkDecoder::State::done) << decoder.fault();
        EXPECT_EQ(fed.used, whole.size());
        EXPECT_EQ(decoded, text);
    }
}

}  // namespace
}  // namespace belfry
