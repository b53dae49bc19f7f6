// The small pure parts: targets, addresses, chunks, response heads, dates.
#include "net/chunk_decoder.h"
#include "net/http_syntax.h"
#include "net/request_target.h"
#include "net/response_head.h"
#include "net/response_writer.h"
#include "net/socket_address.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

TEST(HttpSyntax, ListsAreSplitAndTrimmed) {
    std::vector<std::string> members;
    for_each_member(" a ,,\tb,", [&](std::string_view member) { members.emplace_back(member); });
    EXPECT_THAT(members, testing::ElementsAre("a", "b"));
}

TEST(RequestTarget, IsTakenApart) {
    const auto origin = parse_request_target("/a/b?c=/../?d");
    ASSERT_TRUE(origin.has_value());
    EXPECT_EQ(origin->path, "/a/b");
    EXPECT_EQ(origin->query, "c=/../?d");
    const auto absolute = parse_request_target("http://h:81/a?b");
    ASSERT_TRUE(absolute.has_value());
    EXPECT_EQ(absolute->authority, "h:81");
    EXPECT_EQ(absolute->path, "/a");
    EXPECT_EQ(absolute->query, "b");
    EXPECT_EQ(parse_request_target(""), std::nullopt);
}

TEST(RequestTarget, AuthoritiesAgreeUpToCaseAndTheDefaultPort) {
    EXPECT_TRUE(same_authority("Host", "hOST:80"));
    EXPECT_TRUE(same_authority("[::1]", "[::1]:80"));
    EXPECT_FALSE(same_authority("[::1]:80", "[::2]:80"));
    EXPECT_FALSE(same_authority("h:8", "h:80"));
}

TEST(SocketAddress, IsReadAndWritten) {
    EXPECT_EQ(parse_listen_address("127.0.0.1:80")->text(), "127.0.0.1:80");
    EXPECT_EQ(parse_listen_address("[::1]:0")->text(), "[::1]:0");
    EXPECT_TRUE(parse_listen_address("127.9.9.9:1")->is_loopback());
    EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback());
    const auto mapped = parse_literal("::ffff:127.0.0.1", 1);
    ASSERT_TRUE(mapped.has_value());
    EXPECT_EQ(mapped->host(), "127.0.0.1");
    EXPECT_TRUE(mapped->is_loopback());
    for (const char* bad :
         {"",
          "80",
          ":80",
          "127.0.0.1",
          "127.0.0.1:",
          "127.0.0.1:65536",
          "127.0.0.1:-1",
          "127.0.0.1:8x",
          "::1:80",
          "[::1]",
          "[127.0.0.1]:80",
          "localhost:80",
          "127.0.0.1:80 "}) {
        EXPECT_FALSE(parse_listen_address(bad).has_value()) << bad;
    }
}

TEST(ChunkDecoder, GivesTheSameInAnyPieces) {
    const std::string bytes =
        "4;a=b\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX: y\r\n\r\nrest";
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        ChunkDecoder decoder;
        std::string body;
        std::size_t used = 0;
        auto state = ChunkDecoder::State::more;
        while (state == ChunkDecoder::State::more && used < bytes.size()) {
            const auto fed = decoder.feed(std::string_view(bytes).substr(used, piece), body, 100);
            used += fed.used;
            state = fed.state;
        }
        EXPECT_EQ(state, ChunkDecoder::State::done);
        EXPECT_EQ(body, "Wikipedia in \r\n\r\nchunks.");
        EXPECT_EQ(bytes.substr(used), "rest");
    }
}

TEST(ChunkDecoder, StopsAtTheLimitBeforeTheDataComes) {
    ChunkDecoder decoder;
    std::string body;
    EXPECT_EQ(decoder.feed("a\r\n0123456789\r\n", body, 10).state, ChunkDecoder::State::more);
    EXPECT_EQ(decoder.feed("1\r\n", body, 10).state, ChunkDecoder::State::too_large);
    EXPECT_EQ(body.size(), 10U);
}

TEST(ChunkDecoder, ExtensionsAreBoundedTogether) {
    ChunkDecoder decoder;
    std::string body;
    const std::string chunk = "1;" + std::string(250, 'x') + "\r\na\r\n";
    int chunks = 0;
    while (decoder.feed(chunk, body, 1000).state == ChunkDecoder::State::more) {
        ASSERT_LT(++chunks, 20);
    }
    EXPECT_EQ(chunks, 16) << "4 KiB of 251 bytes each";
}

TEST(ResponseHead, IsRead) {
    std::vector<HeaderField> fields;
    ResponseHead head;
    const auto fault = parse_response_head(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nX_Y: z\r\nConnection: close\r\n\r\n",
        fields,
        head
    );
    EXPECT_EQ(fault, std::nullopt);
    EXPECT_EQ(head.status, 404);
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_FALSE(head.keep_alive);
    EXPECT_EQ(fields.size(), 3U);
}

TEST(ResponseHead, AmbiguousOnesAreRefused) {
    const std::vector<std::string> bad = {
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 600 High\r\n\r\n",
        "HTTP/1.1 20 Short\r\n\r\n",
        "HTTP/1.1 2000 Long\r\n\r\n",
        "HTTP/1.1 abc Word\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1200 OK\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "220 smtp.example ESMTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        std::string("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 27),
    };
    for (const std::string& bytes : bad) {
        std::vector<HeaderField> fields;
        ResponseHead head;
        EXPECT_NE(parse_response_head(bytes, fields, head), std::nullopt) << bytes;
    }
}

TEST(ResponseWriter, WritesTheDateOfRfc9110) {
    using namespace std::chrono;
    EXPECT_EQ(
        make_date_line(sys_days(year(1994) / 11 / 15) + hours(8) + minutes(12) + seconds(31)),
        "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
    );
}

TEST(ResponseWriter, KnowsNoPhraseForAnUnknownStatus) {
    std::string out;
    append_response_head(out, {299, {}, {}, "ab", false}, {});
    EXPECT_EQ(out, "HTTP/1.1 299 Unknown\r\nContent-Length: 2\r\n\r\n");
}

}  // namespace
}  // namespace belfry
