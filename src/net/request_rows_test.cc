// Rows are cheap: add one for each new trick.
#include "net/request_rows.h"

#include <gtest/gtest.h>

#include <set>

namespace belfry {
namespace {

using std::string_literals::operator""s;

std::vector<RequestRow> length_rows() {
    return {
        {"length and chunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n")
        },
        {"chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 4", "0\r\n\r\n")
        },
        {"length 0 and chunked",
         post("Content-Length: 0\r\nTransfer-Encoding: chunked", "0\r\n\r\n")},
        {"length and gzip", post("Content-Length: 4\r\nTransfer-Encoding: gzip", "abcd")},
        {"length twice, same", post("Content-Length: 4\r\nContent-Length: 4", "abcd")},
        {"length twice, other", post("Content-Length: 4\r\nContent-Length: 5", "abcde")},
        {"length twice, apart", post("Content-Length: 4\r\nX: y\r\ncontent-length: 4", "abcd")},
        {"length three times",
         post("Content-Length: 1\r\nContent-Length: 1\r\nContent-Length: 1", "a")},
        {"length list, same", post("Content-Length: 4, 4", "abcd")},
        {"length list, other", post("Content-Length: 4, 5", "abcde")},
        {"length list, no blank", post("Content-Length: 4,4", "abcd")},
        {"length list, empty end", post("Content-Length: 4,", "abcd")},
        {"length list, empty start", post("Content-Length: ,4", "abcd")},
        {"length plus", post("Content-Length: +4", "abcd")},
        {"length minus", post("Content-Length: -4", "abcd")},
        {"length minus zero", post("Content-Length: -0")},
        {"length hexadecimal", post("Content-Length: 0x4", "abcd")},
        {"length hexadecimal digits", post("Content-Length: 1a", std::string(26, 'x'))},
        {"length underscore", post("Content-Length: 1_0", std::string(10, 'x'))},
        {"length inner blank", post("Content-Length: 1 0", std::string(10, 'x'))},
        {"length inner tab", post("Content-Length: 1\t0", std::string(10, 'x'))},
        {"length 20 digits", post("Content-Length: 00000000000000000004", "abcd")},
        {"length over 64 bits", post("Content-Length: 18446744073709551620", "abcd")},
        {"length empty", post("Content-Length:")},
        {"length blank", post("Content-Length:   ")},
        {"length fraction", post("Content-Length: 4.0", "abcd")},
        {"length exponent", post("Content-Length: 4e0", "abcd")},
        {"length word", post("Content-Length: four", "abcd")},
        {"length quoted", post("Content-Length: \"4\"", "abcd")},
        {"length semicolon", post("Content-Length: 4;x=y", "abcd")},
        {"length vertical tab", post("Content-Length: \v4", "abcd")},
        {"length form feed", post("Content-Length: \f4", "abcd")},
        {"length NUL", post("Content-Length: 4\0"s, "abcd")},
        {"length no-break space",
         post(
             "Content-Length: \xa0"
             "4",
             "abcd"
         )},
        {"length arabic digit", post("Content-Length: \xd9\xa4", "abcd")},
        {"length superscript", post("Content-Length: \xc2\xb2", "ab")},
        {"length colon twice", post("Content-Length:: 4", "abcd")},
        {"length blank before colon", post("Content-Length : 4", "abcd")},
        {"length tab before colon", post("Content-Length\t: 4", "abcd")},
        {"length by underscore name", post("Content_Length: 4", "abcd")},
        {"length with dash and underscore", post("Content-Length: 4\r\nContent_Length: 0", "abcd")},
    };
}

std::vector<RequestRow> coding_rows() {
    return {
        {"coding identity", post("Transfer-Encoding: identity")},
        {"coding gzip", post("Transfer-Encoding: gzip")},
        {"coding gzip then chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501},
        {"coding deflate then chunked", post("Transfer-Encoding: deflate,chunked", "0\r\n\r\n"), 501
        },
        {"coding chunked then gzip", post("Transfer-Encoding: chunked, gzip", "0\r\n\r\n")},
        {"coding chunked then identity", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")},
        {"coding identity then chunked",
         post("Transfer-Encoding: identity, chunked", "0\r\n\r\n"),
         501},
        {"coding chunked twice in a list",
         post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
         501},
        {"coding twice",
         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")},
        {"coding chunked and identity lines",
         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n")},
        {"coding identity and chunked lines",
         post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n")},
        {"coding empty", post("Transfer-Encoding:")},
        {"coding comma", post("Transfer-Encoding: ,")},
        {"coding trailing comma", post("Transfer-Encoding: chunked,", "0\r\n\r\n"), 501},
        {"coding leading comma", post("Transfer-Encoding: ,chunked", "0\r\n\r\n"), 501},
        {"coding xchunked", post("Transfer-Encoding: xchunked", "0\r\n\r\n")},
        {"coding chunkedx", post("Transfer-Encoding: chunkedx", "0\r\n\r\n")},
        {"coding chunk", post("Transfer-Encoding: chunk", "0\r\n\r\n")},
        {"coding quoted", post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n")},
        {"coding single quoted", post("Transfer-Encoding: 'chunked'", "0\r\n\r\n")},
        {"coding with parameter", post("Transfer-Encoding: chunked;q=1", "0\r\n\r\n")},
        {"coding with semicolon", post("Transfer-Encoding: chunked;", "0\r\n\r\n")},
        {"coding inner blank", post("Transfer-Encoding: chun ked", "0\r\n\r\n")},
        {"coding vertical tab before", post("Transfer-Encoding: \vchunked", "0\r\n\r\n")},
        {"coding vertical tab behind", post("Transfer-Encoding: chunked\v", "0\r\n\r\n")},
        {"coding form feed behind", post("Transfer-Encoding: chunked\f", "0\r\n\r\n")},
        {"coding NUL behind", post("Transfer-Encoding: chunked\0"s, "0\r\n\r\n")},
        {"coding no-break space",
         post(
             "Transfer-Encoding: \xa0"
             "chunked",
             "0\r\n\r\n"
         )},
        {"coding blank before colon", post("Transfer-Encoding : chunked", "0\r\n\r\n")},
        {"coding folded", post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n")},
        {"coding by underscore name", post("Transfer_Encoding: chunked", "0\r\n\r\n")},
        {"coding in HTTP/1.0",
         "POST /p HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"coding in HTTP/1.0, kept alive",
         "POST /p HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        },
        {"coding identity in HTTP/1.0", "POST /p HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n"},
        {"coding with bare CR", post("Transfer-Encoding: chunked\rX: y", "0\r\n\r\n")},
        {"coding with LF end",
         "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\n\r\n0\r\n\r\n"},
    };
}

std::vector<RequestRow> line_rows() {
    return {
        {"LF ends the request line", "GET /p HTTP/1.1\nHost: h\r\n\r\n"},
        {"LF ends a header", "GET /p HTTP/1.1\r\nHost: h\n\r\n"},
        {"LF ends the head", "GET /p HTTP/1.1\r\nHost: h\r\n\n"},
        {"LF everywhere", "GET /p HTTP/1.1\nHost: h\n\n"},
        {"LF before the request", "\n" + get("Host: h")},
        {"CR ends the request line", "GET /p HTTP/1.1\rHost: h\r\n\r\n"},
        {"CR ends a header", "GET /p HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"},
        {"CR CR LF", "GET /p HTTP/1.1\r\nHost: h\r\r\n\r\n"},
        {"CR in a value", get("Host: h\r\nX: a\rb")},
        {"CR at the start of a value", get("Host: h\r\nX:\ry")},
        {"CR in a name", get("Host: h\r\nX\rY: z")},
        {"CR alone as a line", "GET /p HTTP/1.1\r\nHost: h\r\n\rX: y\r\n\r\n"},
        {"two empty lines before", "\r\n\r\n" + get("Host: h")},
        {"blank before the request", " " + get("Host: h")},
        {"tab before the request", "\t" + get("Host: h")},
        {"NUL before the request", "\0"s + get("Host: h")},
        {"NUL in the method", "GE\0T /p HTTP/1.1\r\nHost: h\r\n\r\n"s},
        {"NUL in the target", target("/a\0b"s)},
        {"NUL in a name", get("Host: h\r\nX\0Y: z"s)},
        {"NUL in a value", get("Host: h\r\nX: a\0b"s)},
        {"NUL at the end of a value", get("Host: h\r\nX: a\0"s)},
        {"folded value", get("Host: h\r\nX: a\r\n b")},
        {"folded value by tab", get("Host: h\r\nX: a\r\n\tb")},
        {"folded Host", get("Host:\r\n h")},
        {"folded empty", get("Host: h\r\nX: a\r\n ")},
        {"blank before the first name", get(" Host: h")},
        {"tab before the first name", get("\tHost: h")},
        {"blank before a later name", get("Host: h\r\n X: y")},
        {"blank before the colon", get("Host : h")},
        {"tab before the colon", get("Host\t: h")},
        {"two blanks before the colon", get("Host: h\r\nX  : y")},
        {"blank in a name", get("Host: h\r\nX Y: z")},
        {"no colon", get("Host: h\r\nnonsense")},
        {"empty name", get("Host: h\r\n: y")},
        {"high byte in a name", get("Host: h\r\nX\xe9: y")},
        {"UTF-8 in a name", get("Host: h\r\nX\xc3\xa9: y")},
        {"byte ff in a name", get("Host: h\r\n\xff: y")},
        {"delete in a name", get("Host: h\r\nX\x7f: y")},
        {"control in a name", get("Host: h\r\nX\x01: y")},
        {"parenthesis in a name", get("Host: h\r\nX(Y): z")},
        {"slash in a name", get("Host: h\r\nX/Y: z")},
        {"quote in a name", get("Host: h\r\n\"X\": z")},
        {"brace in a name", get("Host: h\r\n{X}: z")},
        {"at in a name", get("Host: h\r\nX@Y: z")},
        {"comma in a name", get("Host: h\r\nX,Y: z")},
        {"equals in a name", get("Host: h\r\nX=Y: z")},
        {"backslash in a name", get("Host: h\r\nX\\Y: z")},
        {"underscore in a name", get("Host: h\r\nX_Y: z")},
        {"underscore forwarded", get("Host: h\r\nX_Forwarded_For: 1.2.3.4")},
        {"control in a value", get("Host: h\r\nX: a\x01z")},
        {"escape in a value", get("Host: h\r\nX: \x1b[31m")},
        {"delete in a value", get("Host: h\r\nX: a\x7fz")},
        {"vertical tab in a value", get("Host: h\r\nX: a\vz")},
        {"backspace in a value", get("Host: h\r\nX: a\bz")},
    };
}

std::vector<RequestRow> start_rows() {
    return {
        {"no version", line("GET /p")},
        {"HTTP/0.9", line("GET /p HTTP/0.9")},
        {"HTTP/1.2", line("GET /p HTTP/1.2")},
        {"HTTP/2.0", line("GET /p HTTP/2.0")},
        {"HTTP/2", line("GET /p HTTP/2")},
        {"HTTP/1", line("GET /p HTTP/1")},
        {"HTTP/1.", line("GET /p HTTP/1.")},
        {"HTTP/1.10", line("GET /p HTTP/1.10")},
        {"HTTP/01.1", line("GET /p HTTP/01.1")},
        {"HTTP/1.1 lower case", line("GET /p http/1.1")},
        {"HTTP 1.1", line("GET /p HTTP 1.1")},
        {"HTTPS/1.1", line("GET /p HTTPS/1.1")},
        {"ICE/1.1", line("GET /p ICE/1.1")},
        {"version and blank", line("GET /p HTTP/1.1 ")},
        {"version and word", line("GET /p HTTP/1.1 x")},
        {"two blanks before the target", line("GET  /p HTTP/1.1")},
        {"two blanks before the version", line("GET /p  HTTP/1.1")},
        {"tab before the target", line("GET\t/p HTTP/1.1")},
        {"tab before the version", line("GET /p\tHTTP/1.1")},
        {"blank in the target", target("/a b")},
        {"no target", line("GET HTTP/1.1")},
        {"method alone", line("GET")},
        {"no method", line("/p HTTP/1.1")},
        {"empty method", line(" /p HTTP/1.1")},
        {"colon in the method", line("GET: /p HTTP/1.1")},
        {"high byte in the method", line("G\xc9T /p HTTP/1.1")},
        {"parenthesis in the method", line("(GET) /p HTTP/1.1")},
        {"slash in the method", line("GET/ /p HTTP/1.1")},
        {"CONNECT", line("CONNECT h:80 HTTP/1.1"), 501},
        {"CONNECT to a path", line("CONNECT /p HTTP/1.1"), 501},
        {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"SMTP", "EHLO there\r\n\r\n"},
        {"a status line", "HTTP/1.1 200 OK\r\nHost: h\r\n\r\n"},
    };
}

std::vector<RequestRow> target_rows() {
    return {
        {"relative path", target("p")},
        {"dot", target("/.")},
        {"dot dot", target("/..")},
        {"dot dot inside", target("/a/../b")},
        {"dot inside", target("/a/./b")},
        {"dot dot at the end", target("/a/..")},
        {"encoded dot dot", target("/%2e%2e/a")},
        {"half encoded dot dot", target("/.%2E/a")},
        {"other half encoded dot dot", target("/%2e./a")},
        {"encoded dot", target("/a/%2e/b")},
        {"encoded NUL", target("/a%00b")},
        {"encoded NUL at the end", target("/a%00")},
        {"broken percent", target("/a%zz")},
        {"short percent", target("/a%2")},
        {"lone percent", target("/a%")},
        {"percent u", target("/%u002f")},
        {"fragment", target("/a#b")},
        {"high byte", target("/\xe9")},
        {"UTF-8", target("/\xc3\xa9")},
        {"control", target("/a\x01")},
        {"delete", target("/a\x7f")},
        {"backspace", target("/a\b")},
        {"tab", target("/a\tb")},
        {"asterisk with GET", target("*")},
        {"asterisk and more", line("OPTIONS *x HTTP/1.1")},
        {"authority with GET", target("h:80")},
        {"other scheme", target("ftp://h/p")},
        {"file scheme", target("file:///etc/passwd")},
        {"javascript", target("javascript:alert(1)")},
        {"absolute without host", target("http:///p")},
        {"absolute with user", target("http://u@h/p")},
        {"absolute with user and password", target("http://u:p@h/p")},
        {"absolute with broken port", target("http://h:x/p")},
        {"absolute with port over 65535", target("http://h:65536/p")},
        {"absolute against Host", target("http://other/p")},
        {"absolute against Host's port", target("http://h:81/p")},
        {"absolute with dot dot", target("http://h/../p")},
        {"absolute with one slash", target("http:/h/p")},
        {"query only", target("?a=b")},
    };
}

std::vector<RequestRow> host_rows() {
    return {
        {"no Host", get("X: y")},
        {"no header at all", "GET /p HTTP/1.1\r\n\r\n"},
        {"Host twice, same", get("Host: h\r\nHost: h")},
        {"Host twice, other", get("Host: h\r\nHost: i")},
        {"Host twice in other case", get("Host: h\r\nX: y\r\nhOST: h")},
        {"Host twice in HTTP/1.0", "GET /p HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n"},
        {"Host empty", host("")},
        {"Host only a port", host(":80")},
        {"Host with a path", host("h/p")},
        {"Host with a query", host("h?q")},
        {"Host with a fragment", host("h#f")},
        {"Host with a user", host("u@h")},
        {"Host list", host("h, i")},
        {"Host comma is no list but two names", host("h i")},
        {"Host with a scheme", host("http://h")},
        {"Host with backslash", host("h\\i")},
        {"Host with port word", host("h:http")},
        {"Host with port over 65535", host("h:65536")},
        {"Host with long port", host("h:000080")},
        {"Host with negative port", host("h:-1")},
        {"Host with two ports", host("h:80:80")},
        {"Host with open bracket", host("[::1")},
        {"Host with closed bracket", host("::1]")},
        {"Host IPv6 without brackets", host("::1")},
        {"Host brackets with a name", host("[name]")},
        {"Host brackets empty", host("[]")},
        {"Host with high byte", host("h\xe9")},
        {"Host with broken percent", host("h%zz")},
        {"Host with encoded NUL", host("h%00")},
        {"Host with NUL", host("h\0i"s)},
        {"Host quoted", host("\"h\"")},
        {"Host angle brackets", host("<h>")},
    };
}

std::vector<RequestRow> chunk_rows() {
    return {
        {"chunk size empty", chunked("\r\nhello\r\n0\r\n\r\n")},
        {"chunk size word", chunked("five\r\nhello\r\n0\r\n\r\n")},
        {"chunk size 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size plus", chunked("+5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size minus", chunked("-5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size underscore", chunked("0_5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size blank before", chunked(" 5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size blank behind", chunked("5 \r\nhello\r\n0\r\n\r\n")},
        {"chunk size tab behind", chunked("5\t\r\nhello\r\n0\r\n\r\n")},
        {"chunk size blank before extension", chunked("5 ;a\r\nhello\r\n0\r\n\r\n")},
        {"chunk size 17 digits", chunked("00000000000000005\r\nhello\r\n0\r\n\r\n")},
        {"chunk size over 64 bits", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n")},
        {"chunk size near 64 bits", chunked("fffffffffffffffe\r\nhello\r\n0\r\n\r\n"), 413},
        {"chunk size all f", chunked("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 413},
        {"chunk size comma", chunked("5,5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size point", chunked("5.\r\nhello\r\n0\r\n\r\n")},
        {"chunk size quoted", chunked("\"5\"\r\nhello\r\n0\r\n\r\n")},
        {"chunk size high digit", chunked("\xd9\xa5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size g", chunked("5g\r\nhello\r\n0\r\n\r\n")},
        {"chunk size NUL", chunked("5\0\r\nhello\r\n0\r\n\r\n"s)},
        {"chunk size LF", chunked("5\nhello\r\n0\r\n\r\n")},
        {"chunk size CR alone", chunked("5\rhello\r\n0\r\n\r\n")},
        {"chunk size CR CR LF", chunked("5\r\r\nhello\r\n0\r\n\r\n")},
        {"chunk data LF", chunked("5\r\nhello\n0\r\n\r\n")},
        {"chunk data too long", chunked("4\r\nhello\r\n0\r\n\r\n")},
        {"chunk data too short", chunked("6\r\nhello\r\n0\r\n\r\n")},
        {"chunk data without end", chunked("5\r\nhello0\r\n\r\n")},
        {"chunk data with two ends", chunked("5\r\nhello\r\n\r\n0\r\n\r\n")},
        {"extension LF", chunked("5;a\nhello\r\n0\r\n\r\n")},
        {"extension CR alone", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n")},
        {"extension NUL", chunked("5;a\0b\r\nhello\r\n0\r\n\r\n"s)},
        {"extension control", chunked("5;a\x01\r\nhello\r\n0\r\n\r\n")},
        {"extension too long", chunked("5;" + std::string(256, 'a') + "\r\nhello\r\n0\r\n\r\n")},
        {"extension LF in quotes", chunked("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n")},
        {"last chunk size LF", chunked("0\n\r\n")},
        {"last chunk end LF", chunked("0\r\n\n")},
        {"last chunk and junk", chunked("0\r\nX\r\n")},
        {"trailer without colon", chunked("0\r\nnonsense\r\n\r\n")},
        {"trailer blank before colon", chunked("0\r\nX : y\r\n\r\n")},
        {"trailer LF", chunked("0\r\nX: y\n\r\n")},
        {"trailer folded", chunked("0\r\nX: y\r\n z\r\n\r\n")},
        {"trailer leading blank", chunked("0\r\n X: y\r\n\r\n")},
        {"trailer underscore", chunked("0\r\nX_Y: z\r\n\r\n")},
        {"trailer NUL", chunked("0\r\nX: \0\r\n\r\n"s)},
        {"trailer empty name", chunked("0\r\n: y\r\n\r\n")},
        {"trailers too long", chunked("0\r\nX: " + std::string(8192, 'y') + "\r\n\r\n")},
        {"smuggled in chunk data", chunked("3\r\nabc\r\n0\r\n\rGET")},
    };
}

std::vector<RequestRow> limit_rows() {
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += "X: y\r\n";
    }
    std::string big;
    for (int i = 0; i < 5; ++i) {
        big += "X: " + std::string(7000, 'y') + "\r\n";
    }
    return {
        {"request line over 8 KiB", target("/" + std::string(8192 - 13, 'a')), 414},
        {"request line without end", "GET /" + std::string(9000, 'a'), 414},
        {"method without end", std::string(9000, 'A'), 414},
        {"header over 8 KiB", get("Host: h\r\nX: " + std::string(8190, 'y')), 431},
        {"header without end", "GET /p HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'y'), 431},
        {"header name without end", "GET /p HTTP/1.1\r\n" + std::string(9000, 'y'), 431},
        {"headers over 32 KiB", get("Host: h\r\n" + big + "Z: z"), 431},
        {"headers over 32 KiB by one", get(headers_of_32_kib() + "y"), 431},
        {"101 headers", get(many + "Host: h"), 431},
        {"body over the limit", post("Content-Length: 1048577"), 413},
        {"body over the limit by far", post("Content-Length: 9999999999999999999"), 413},
        {"chunk over the limit", chunked("100001\r\n"), 413},
        {"Expect unknown", post("Expect: 200-ok\r\nContent-Length: 1"), 417},
        {"Expect twice",
         post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1"),
         417},
    };
}

}  // namespace

std::vector<RequestRow> ambiguous_requests() {
    std::vector<RequestRow> rows;
    for (auto table :
         {length_rows,
          coding_rows,
          line_rows,
          start_rows,
          target_rows,
          host_rows,
          chunk_rows,
          limit_rows,
          framing_rows,
          head_rows}) {
        for (RequestRow& row : table()) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

TEST(RequestRows, HaveNamesOfTheirOwn) {
    std::set<std::string> names;
    for (const RequestRow& row : ambiguous_requests()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
    }
    EXPECT_GE(names.size(), 400U);
}

}  // namespace belfry
