// More rows: where a body ends, in Content-Length, Transfer-Encoding and chunks (RFC 9112, 6 and
// 7).
#include "net/request_rows.h"

namespace belfry {
namespace {

using std::string_literals::operator""s;

const std::string kLast = "0\r\n\r\n";

RequestRow length(const std::string& name, const std::string& value, int status = 400) {
    return {"length " + name, post("Content-Length: " + value, "abcd"), status};
}
RequestRow coding(const std::string& name, const std::string& value, int status = 400) {
    return {"coding " + name, post("Transfer-Encoding: " + value, kLast), status};
}
RequestRow chunk(const std::string& name, const std::string& body, int status = 400) {
    return {"chunks: " + name, chunked(body), status};
}
// What follows a first chunk that is sound.
RequestRow after_chunk(const std::string& name, const std::string& rest) {
    return chunk(name, "5\r\nhello\r\n" + rest);
}
RequestRow last_chunk(const std::string& name, const std::string& rest) {
    return after_chunk("last " + name, rest);
}

// RFC 9112, 6.2; RFC 9110, 8.6.
std::vector<RequestRow> length_values() {
    return {
        length("form feed behind", "4\f"),
        length("CR inside", "4\r4"),
        length("CR before", "\r4"),
        length("comment", "4 (four)"),
        length("list of three", "4, 4, 4"),
        length("list with tab", "4\t,4"),
        length("comma alone", ","),
        length("list with an invalid member", "4, x"),
        length("percent", "%34"),
        length("infinity", "Infinity"),
        length("not a number", "NaN"),
        length("octal", "0o4"),
        length("binary", "0b100"),
        length("with unit", "4B"),
        length("with suffix", "4L"),
        length("hash", "#4"),
        length("thousands", "1,000"),
        length("apostrophes", "1'000"),
        length("fullwidth digit", "\xef\xbc\x94"),
        length(
            "byte order mark",
            "\xef\xbb\xbf"
            "4"
        ),
        length("narrow no-break space", "4\xe2\x80\xaf"),
        length("minus and blank", "- 4"),
        length("plus and blank", "+ 4"),
        length("plus behind", "4+"),
        length("plus zero", "+0"),
        length("two signs", "--4"),
        length("minus by far", "-9223372036854775808"),
        length("2^64", "18446744073709551616"),
        length("2^32 and 4", "4294967300", 413),
        length("2^63 - 1", "9223372036854775807", 413),
        length("hexadecimal without prefix", "a"),
        length(
            "NUL before",
            "\0"
            "4"s
        ),
        length("slash", "4/1"),
        length("range", "0-4"),
        length("equals", "=4"),
        length("brackets", "[4]"),
        length("point", "4."),
        length("backslash", "4\\"),
        length("escape", "\x1b[4m"),
        length("delete", "4\x7f"),
    };
}

std::vector<RequestRow> length_lines() {
    return {
        {"length twice, first empty", post("Content-Length:\r\nContent-Length: 4", "abcd")},
        {"length twice, second empty", post("Content-Length: 4\r\nContent-Length:", "abcd")},
        {"length twice, second invalid", post("Content-Length: 4\r\nContent-Length: x", "abcd")},
        {"length twice, zero and four", post("Content-Length: 0\r\nContent-Length: 4", "abcd")},
        {"length twice, same by other digits",
         post("Content-Length: 4\r\nContent-Length: 04", "abcd")},
        {"length name with NUL", post("Content-Length\0: 4"s, "abcd")},
        {"length name with no-break space", post("Content-Length\xa0: 4", "abcd")},
        {"length name with blank inside", post("Content Length: 4", "abcd")},
        {"length name with CR", post("Content-Length\r: 4", "abcd")},
        {"length name with LF", post("Content-Length\n: 4", "abcd")},
        {"length name with vertical tab before", post("\vContent-Length: 4", "abcd")},
        {"length name with semicolon", post("Content-Length;: 4", "abcd")},
        {"length name quoted", post("\"Content-Length\": 4", "abcd")},
        {"length folded before", post("Content-Length:\r\n 4", "abcd")},
        {"length folded behind", post("Content-Length: 4\r\n 0", "abcd")},
        {"length folded by tab", post("Content-Length: 1\r\n\t0", std::string(10, 'x'))},
        {"length as a fold of another", post("X: y\r\n Content-Length: 4", "abcd")},
        {"length behind a bare CR", post("X: y\rContent-Length: 4", "abcd")},
        {"length behind a bare LF", post("X: y\nContent-Length: 4", "abcd")},
        {"length twice in HTTP/1.0",
         "POST /p HTTP/1.0\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"},
        {"length and coding in HTTP/1.0",
         "POST /p HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"length twice in GET", get("Host: h\r\nContent-Length: 4\r\nContent-Length: 5")},
        {"length and coding in GET",
         get("Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked")},
        {"length list in DELETE", "DELETE /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 0\r\n\r\n"},
        {"length and coding in OPTIONS",
         "OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        },
    };
}

// RFC 9112, 6.1: the attacks by name, and spellings that one parser takes and another does not.
std::vector<RequestRow> coding_values() {
    return {
        {"classic CL.TE",
         post("Content-Length: 13\r\nTransfer-Encoding: chunked", "0\r\n\r\nSMUGGLED")},
        {"classic TE.CL",
         post("Transfer-Encoding: chunked\r\nContent-Length: 3", "8\r\nSMUGGLED\r\n0\r\n\r\n")},
        {"classic TE.TE", post("Transfer-Encoding: chunked\r\nTransfer-encoding: cow", "0\r\n\r\n")
        },
        {"classic TE.0", post("Transfer-Encoding: chunked\r\nContent-Length: 0", "0\r\n\r\n")},
        {"length and coding identity",
         post("Content-Length: 4\r\nTransfer-Encoding: identity", "abcd")},
        {"length and coding empty", post("Content-Length: 4\r\nTransfer-Encoding:", "abcd")},
        {"length and coding xchunked",
         post("Content-Length: 4\r\nTransfer-Encoding: xchunked", "abcd")},
        {"length and coding before a blank colon",
         post("Content-Length: 4\r\nTransfer-Encoding : chunked", "abcd")},
        {"length and coding before a tab colon",
         post("Content-Length: 4\r\nTransfer-Encoding\t: chunked", "abcd")},
        {"length and coding by underscore",
         post("Content-Length: 4\r\nTransfer_Encoding: chunked", "abcd")},
        coding("trailing comma and blank", "chunked, ", 501),
        coding("blank before trailing comma", "chunked ,", 501),
        coding("two commas", "chunked,,chunked", 501),
        coding("word twice", "chunked chunked"),
        coding("word twice by tab", "chunked\tchunked"),
        coding("chunked around gzip", "chunked, gzip, chunked", 501),
        coding("gzip with weight", "gzip;q=1, chunked", 501),
        coding("upper case then identity", "CHUNKED, identity"),
        coding("unknown", "cow"),
        coding("unknown then chunked", "cow, chunked", 501),
        coding("trailers", "trailers"),
        coding("x-chunked", "x-chunked"),
        coding("chunked-encoding", "chunked-encoding"),
        coding("NUL inside", "chun\0ked"s),
        coding("NUL before", "\0chunked"s),
        coding("high byte behind", "chunked\xff"),
        coding("backspace behind", "chunked\b"),
        coding("quoted then chunked", "\"chunked\", chunked", 501),
        coding("half quoted", "\"chunked"),
        coding("in parentheses", "(chunked)"),
        coding("comment behind", "chunked (really)"),
        coding("equals", "chunked=1"),
        coding("colon", ": chunked"),
        coding(
            "long s",
            "\xc5\xbf"
            "chunked"
        ),
        coding(
            "kelvin sign",
            "chun\xe2\x84\xaa"
            "ed"
        ),
        coding("percent encoded", "%63hunked"),
        coding("plus", "chunked+gzip"),
        coding("slash", "chunked/1.1"),
        coding("zero byte space", "chunked\xe2\x80\x8b"),
        coding("compress", "compress"),
        coding("only gzip and identity", "gzip, identity"),
    };
}

std::vector<RequestRow> coding_lines() {
    return {
        {"coding name with NUL", post("Transfer-Encoding\0: chunked"s, kLast)},
        {"coding name with vertical tab", post("Transfer-Encoding\v: chunked", kLast)},
        {"coding name with blank inside", post("Transfer Encoding: chunked", kLast)},
        {"coding name with CR", post("Transfer-Encoding\r: chunked", kLast)},
        {"coding name with LF", post("Transfer-Encoding\n: chunked", kLast)},
        {"coding name with no-break space", post("Transfer-Encoding\xa0: chunked", kLast)},
        {"coding name with tab inside", post("Transfer\t-Encoding: chunked", kLast)},
        {"coding behind a bare CR", post("X: y\rTransfer-Encoding: chunked", kLast)},
        {"coding behind a bare LF", post("X: y\nTransfer-Encoding: chunked", kLast)},
        {"coding behind LF CR", post("X: y\n\rTransfer-Encoding: chunked", kLast)},
        {"coding folded inside", post("Transfer-Encoding: chunk\r\n ed", kLast)},
        {"coding folded list", post("Transfer-Encoding: chunked\r\n , identity", kLast)},
        {"coding folded by tab", post("Transfer-Encoding:\r\n\tchunked", kLast)},
        {"coding as a fold of another", post("X: y\r\n Transfer-Encoding: chunked", kLast)},
        {"coding after a leading tab", post("\tTransfer-Encoding: chunked", kLast)},
        {"coding identity twice", post("Transfer-Encoding: identity\r\nTransfer-Encoding: identity")
        },
        {"coding gzip and chunked lines",
         post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", kLast)},
        {"coding empty and chunked lines",
         post("Transfer-Encoding:\r\nTransfer-Encoding: chunked", kLast)},
        {"coding in GET of HTTP/1.0", "GET /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"coding gzip, chunked in HTTP/1.0",
         "POST /p HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         501},
    };
}

// RFC 9112, 7.1.
std::vector<RequestRow> chunk_lines() {
    std::string many_extensions;
    for (int i = 0; i < 17; ++i) {
        many_extensions += "1;" + std::string(255, 'a') + "\r\nx\r\n";
    }
    return {
        chunk("size with h", "5h\r\nhello\r\n" + kLast),
        chunk("size with tab before", "\t5\r\nhello\r\n" + kLast),
        chunk("size with vertical tab", "5\v\r\nhello\r\n" + kLast),
        chunk("size with form feed", "5\f\r\nhello\r\n" + kLast),
        chunk("size with no-break space", "5\xa0\r\nhello\r\n" + kLast),
        chunk("size fullwidth", "\xef\xbc\x95\r\nhello\r\n" + kLast),
        chunk("size with hash", "5#\r\nhello\r\n" + kLast),
        chunk("size with colon", "5:\r\nhello\r\n" + kLast),
        chunk("size with equals", "5=a\r\nhello\r\n" + kLast),
        chunk("size of two words", "5 5\r\nhello\r\n" + kLast),
        chunk("size in single quotes", "'5'\r\nhello\r\n" + kLast),
        chunk("size percent encoded", "%35\r\nhello\r\n" + kLast),
        chunk("size with upper X", "0X5\r\nhello\r\n" + kLast),
        chunk("size with backslash x", "\\x5\r\nhello\r\n" + kLast),
        chunk("extension without size", ";a=b\r\nhello\r\n" + kLast),
        chunk("size minus zero", "-0\r\n\r\n"),
        chunk("size of f's over the limit", "7fffffffffffffff\r\nhello\r\n", 413),
        chunk("size 2^32 and 5", "100000005\r\nhello\r\n", 413),
        chunk("sum over the limit", "80000\r\n" + std::string(0x80000, 'x') + "\r\n80001\r\n", 413),
        chunk("extension and LF alone", "5;\nhello\r\n" + kLast),
        chunk("extension and CR then more", "5;a\rX\nhello\r\n" + kLast),
        chunk("extension and CR CR LF", "5;a\r\r\nhello\r\n" + kLast),
        chunk("extension with delete", "5;a\x7f\r\nhello\r\n" + kLast),
        chunk("extension with escape", "5;\x1b[1m\r\nhello\r\n" + kLast),
        chunk("extension with CR in quotes", "5;a=\"\r\"\r\nhello\r\n" + kLast),
        chunk("extension with line in quotes", "5;a=\"\r\n\"\r\nhello\r\n" + kLast),
        chunk("extensions together over 4 KiB", many_extensions + kLast),
        chunk("data ends in CR CR LF", "5\r\nhello\r\r\n" + kLast),
        chunk("data ends in LF CR", "5\r\nhello\n\r" + kLast),
        chunk("data ends in blank CRLF", "5\r\nhello \r\n" + kLast),
        chunk("data ends in CR alone", "5\r\nhello\r" + kLast),
        chunk("data ends in NUL", "5\r\nhello\0\r\n"s + kLast),
        after_chunk("second size a word", "Z\r\n"),
        after_chunk("second size after blank", " 5\r\nhello\r\n" + kLast),
        after_chunk("second size missing", "hello\r\n" + kLast),
        after_chunk("second size 0x", "0x5\r\nhello\r\n" + kLast),
        chunk("second size over the limit", "5\r\nhello\r\n100000\r\n", 413),
        after_chunk("request in place of a size", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    };
}

std::vector<RequestRow> last_chunks() {
    const std::string end = "\r\n\r\n";
    return {
        last_chunk("minus zero", "-0" + end),
        last_chunk("plus zero", "+0" + end),
        last_chunk("0x", "0x" + end),
        last_chunk("0x0", "0x0" + end),
        last_chunk("blank before", " 0" + end),
        last_chunk("blank behind", "0 " + end),
        last_chunk("tab behind", "0\t" + end),
        last_chunk("of 17 zeros", std::string(17, '0') + end),
        last_chunk("extension with control", "0;\x01" + end),
        last_chunk("extension too long", "0;" + std::string(256, 'a') + end),
        last_chunk("CR CR LF", "0\r\r\n\r\n"),
        last_chunk("CR alone", "0\r\r\n"),
        last_chunk("then CR and junk", "0\r\n\rX"),
        last_chunk("then CR CR LF", "0\r\n\r\r\n"),
        last_chunk("then a blank line end", "0\r\n \r\n"),
        last_chunk("then a request", "0\r\nGET / HTTP/1.1\r\n\r\n"),
        last_chunk("trailer with CR", "0\r\nX: a\rb" + end),
        last_chunk("trailer name with CR", "0\r\nX\r: a" + end),
        last_chunk("trailer name with LF", "0\r\nX\n: a" + end),
        last_chunk("trailer name with high byte", "0\r\nX\xe9: a" + end),
        last_chunk("trailer name with tab", "0\r\nX\t: a" + end),
        last_chunk("trailer name with parentheses", "0\r\n(X): a" + end),
        last_chunk("trailer folded by tab", "0\r\nX: y\r\n\tz" + end),
        last_chunk("trailer with delete", "0\r\nX: \x7f" + end),
        last_chunk("trailer with vertical tab", "0\r\nX: \v" + end),
        last_chunk("trailer by equals", "0\r\nX=y" + end),
        last_chunk("second trailer broken", "0\r\nX: y\r\nnonsense" + end),
        last_chunk("trailer of a coding by underscore", "0\r\nTransfer_Encoding: chunked" + end),
        last_chunk(
            "trailers of many lines",
            "0\r\n" +
                [] {
                    std::string lines;
                    for (int i = 0; i < 2000; ++i) {
                        lines += "X: y\r\n";
                    }
                    return lines;
                }() +
                "\r\n"
        ),
    };
}

}  // namespace

std::vector<RequestRow> framing_rows() {
    std::vector<RequestRow> rows;
    for (auto table :
         {length_values, length_lines, coding_values, coding_lines, chunk_lines, last_chunks}) {
        for (RequestRow& row : table()) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

}  // namespace belfry
