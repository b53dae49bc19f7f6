// The rules against ambiguous requests, as one table: every row is refused with its status,
// answered once, and nothing behind it is interpreted; in one piece and byte by byte. Rows are
// cheap: add one for each new trick.
#include "net/direct_connection.h"
#include "net/request_rows.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace belfry {
namespace {

using std::string_literals::operator""s;

const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

// Empty if the row is refused as it should be, after a first piece of another size.
std::string trouble_with(const RequestRow& row, std::size_t first, std::size_t piece) {
    const Limits limits;
    TestService service;
    DirectConnection connection(service, limits);
    const std::string bytes = row.bytes + kSmuggled;
    connection.feed(std::string_view(bytes).substr(0, first));
    connection.feed_in_pieces(std::string_view(bytes).substr(std::min(first, bytes.size())), piece);
    connection.finish_sending();
    if (service.seen.size() != 1) {
        return std::to_string(service.seen.size()) + " requests were seen";
    }
    const TestService::Seen& seen = service.seen[0];
    if (seen.refused != row.status) {
        return "refused with " + std::to_string(seen.refused) + ": " + seen.detail;
    }
    if (seen.detail.empty()) {
        return "no reason given";
    }
    if (!connection.output().starts_with("HTTP/1.1 " + std::to_string(row.status)) ||
        ServerFixture::answers(connection.output()) != 1) {
        return "answered " + connection.output();
    }
    if (!connection.output().contains("Connection: close\r\n") || connection.is_open()) {
        return "the connection was not closed";
    }
    return "";
}

TEST(RequestRules, EveryAmbiguousRequestIsRefusedAndNothingBehindItIsRead) {
    const std::vector<RequestRow> rows = ambiguous_requests();
    for (const RequestRow& row : rows) {
        EXPECT_EQ(trouble_with(row, std::string::npos, 1), "") << row.name;
    }
}

TEST(RequestRules, TheSameByteByByte) {
    for (const RequestRow& row : ambiguous_requests()) {
        const std::size_t piece = row.bytes.size() > 4096 ? 1000 : 1;
        EXPECT_EQ(trouble_with(row, piece, piece), "") << row.name;
    }
}

TEST(RequestRules, TheSameCutInTwoAnywhere) {
    constexpr std::size_t kStep = 5;  // each row begins elsewhere, so that together they cut all
    std::size_t begin = 0;
    for (const RequestRow& row : ambiguous_requests()) {
        begin = begin % kStep + 1;
        for (std::size_t cut = begin; cut < std::min(row.bytes.size(), 200UL); cut += kStep) {
            EXPECT_EQ(trouble_with(row, cut, row.bytes.size()), "") << row.name << " at " << cut;
        }
    }
}

// What a client of the whole server sees.
struct RequestRulesServer : ServerFixture {
    std::string trouble_with_server(const RequestRow& row) {
        service.seen.clear();
        TestPeer peer = connect();
        const std::string bytes = row.bytes + kSmuggled;
        std::string_view rest = bytes;
        const bool ended = until([&] {
            rest.remove_prefix(peer.send(rest));
            if (rest.empty()) {
                peer.finish_sending();
            }
            return peer.ended();
        });
        if (!ended) {
            return "the connection was not closed";
        }
        if (!peer.received().starts_with("HTTP/1.1 " + std::to_string(row.status)) ||
            answers(peer.received()) != 1) {
            return "answered " + peer.received();
        }
        return service.seen.size() == 1 && service.seen[0].refused == row.status
                   ? ""
                   : "another request was seen";
    }
};

TEST_F(RequestRulesServer, EveryAmbiguousRequestIsAnsweredOnceAndTheConnectionCloses) {
    for (const RequestRow& row : ambiguous_requests()) {
        EXPECT_EQ(trouble_with_server(row), "") << row.name;
    }
    EXPECT_TRUE(until([&] { return server.status().connections == 0; }));
}

// The control: near neighbours of the rows above that must be taken, with what they carry.
struct GoodRow {
    std::string name;
    std::string bytes;
    std::string body;
    std::string path = "/p";
};

std::vector<GoodRow> good_rows() {
    std::string many;
    for (int i = 0; i < 99; ++i) {
        many += "X: y\r\n";
    }
    const std::string hello = "5\r\nhello\r\n0\r\n\r\n";
    return {
        {"plain", get("Host: h"), ""},
        {"one empty line before", "\r\n" + get("Host: h"), ""},
        {"length", post("Content-Length: 4", "abcd"), "abcd"},
        {"length without blank", post("Content-Length:4", "abcd"), "abcd"},
        {"length with blanks around", post("Content-Length: \t4 \t", "abcd"), "abcd"},
        {"length with zeros", post("Content-Length: 0000000000000000004", "abcd"), "abcd"},
        {"length lower case", post("content-length: 4", "abcd"), "abcd"},
        {"length zero", post("Content-Length: 0"), ""},
        {"length at the limit",
         post("Content-Length: 1048576", std::string(1048576, 'x')),
         std::string(1048576, 'x')},
        {"binary body", post("Content-Length: 4", "\0\r\n\xff"s), "\0\r\n\xff"s},
        {"coding", chunked(hello), "hello"},
        {"coding upper case", post("TRANSFER-ENCODING: CHUNKED", hello), "hello"},
        {"coding with blanks around", post("Transfer-Encoding: \tchunked \t", hello), "hello"},
        {"chunks", chunked("1\r\na\r\n00002\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n"), "abc0123456789"
        },
        {"chunk size 16 digits",
         chunked("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"),
         "hello"},
        {"extension", chunked("5;a=b;c=\"d e\"\r\nhello\r\n0;z\r\n\r\n"), "hello"},
        {"extension at the limit",
         chunked("5;" + std::string(255, 'a') + "\r\nhello\r\n0\r\n\r\n"),
         "hello"},
        {"trailers", chunked("5\r\nhello\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n"), "hello"},
        {"empty chunked", chunked("0\r\n\r\n"), ""},
        {"chunks with CRLF inside", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n"},
        {"high byte in a value", get("Host: h\r\nX: \xc3\xa9"), ""},
        {"tab in a value", get("Host: h\r\nX: a\tb"), ""},
        {"empty value", get("Host: h\r\nX:"), ""},
        {"unusual name", get("Host: h\r\n!#$%&'*+-.^`|~9a: y"), ""},
        {"Host with port", host("h:8420"), ""},
        {"Host IPv4", host("127.0.0.1:80"), ""},
        {"Host IPv6", host("[::1]:80"), ""},
        {"Host with empty port", host("h:"), ""},
        {"absolute", target("http://h/p"), ""},
        {"absolute in other case", target("HTTP://H:80/p"), ""},
        {"absolute without path", target("http://h"), "", "/"},
        {"absolute with query only", target("http://h?a"), "", "/"},
        {"asterisk", line("OPTIONS * HTTP/1.1"), "", "*"},
        {"dots in a name", target("/a..b/.c/d."), "", "/a..b/.c/d."},
        {"three dots", target("/.../a"), "", "/.../a"},
        {"encoded slash", target("/a%2Fb"), "", "/a%2Fb"},
        {"dot dot in the query", target("/p?x=../.."), ""},
        {"raw braces", target("/{a}|b"), "", "/{a}|b"},
        {"two slashes", target("//a//b"), "", "//a//b"},
        {"unknown method", line("BREW /p HTTP/1.1"), ""},
        {"HTTP/1.0 without Host", "GET /p HTTP/1.0\r\n\r\n", ""},
        {"HTTP/1.0 with length", "POST /p HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", "ab"},
        {"request line of 8 KiB",
         target("/" + std::string(8192 - 14, 'a')),
         "",
         "/" + std::string(8192 - 14, 'a')},
        {"header of 8 KiB", get("Host: h\r\nX: " + std::string(8189, 'y')), ""},
        {"100 headers", get(many + "Host: h"), ""},
        {"headers of 32 KiB", get(headers_of_32_kib()), ""},
        {"Upgrade is ignored", get("Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket"), ""},
        {"method override is ignored", post("X-HTTP-Method-Override: DELETE"), ""},
        {"another method override is ignored", post("X-HTTP-Method: PUT"), ""},
        {"a third method override is ignored", post("X-Method-Override: PATCH"), ""},
    };
}

// The first word of the request line.
std::string method_in(std::string_view bytes) {
    bytes.remove_prefix(bytes.starts_with("\r\n") ? 2 : 0);
    return std::string(bytes.substr(0, bytes.find(' ')));
}

std::string trouble_with(const GoodRow& row, std::size_t piece) {
    const Limits limits;
    TestService service;
    DirectConnection connection(service, limits);
    connection.feed_in_pieces(row.bytes, piece);
    if (service.seen.size() != 1) {
        return std::to_string(service.seen.size()) + " requests were seen";
    }
    const TestService::Seen& seen = service.seen[0];
    if (seen.refused != 0) {
        return "refused: " + seen.detail;
    }
    if (seen.path != row.path) {
        return "path " + seen.path;
    }
    if (seen.method != method_in(row.bytes)) {
        return "method " + seen.method;
    }
    return seen.body == row.body ? "" : "another body of " + std::to_string(seen.body.size());
}

TEST(RequestRules, TheirNeighboursAreTaken) {
    for (const GoodRow& row : good_rows()) {
        EXPECT_EQ(trouble_with(row, std::string::npos), "") << row.name;
        EXPECT_EQ(trouble_with(row, row.bytes.size() > 4096 ? 1000 : 1), "") << row.name;
    }
}

TEST(RequestRules, TrailersAreNotMergedIntoTheHeaders) {
    const Limits limits;
    TestService service;
    DirectConnection connection(service, limits);
    connection.feed(chunked("5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n"));
    ASSERT_EQ(service.seen.size(), 1U);
    EXPECT_THAT(
        service.seen[0].headers,
        testing::ElementsAre(
            testing::Pair("Host", "h"), testing::Pair("Transfer-Encoding", "chunked")
        )
    );
}

}  // namespace
}  // namespace belfry
