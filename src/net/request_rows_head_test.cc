// More rows: request line, targets, names, values and Host (RFC 9112, 2, 3 and 5; RFC 9110, 7.2).
#include "net/request_rows.h"

namespace belfry {
namespace {

using std::string_literals::operator""s;

RequestRow version(const std::string& name, const std::string& text) {
    return {"version " + name, line("GET /p " + text)};
}
RequestRow method(const std::string& name, const std::string& text, int status = 400) {
    return {"method " + name, line(text + " /p HTTP/1.1"), status};
}
RequestRow path(const std::string& name, const std::string& text) {
    return {"target " + name, target(text)};
}
RequestRow field(const std::string& name, const std::string& text) {
    return {"field " + name, get("Host: h\r\n" + text)};
}
RequestRow host_value(const std::string& name, const std::string& value) {
    return {"Host value " + name, host(value)};
}

std::vector<RequestRow> versions() {
    return {
        version("and tab", "HTTP/1.1\t"),
        version("blank before slash", "HTTP /1.1"),
        version("blank behind slash", "HTTP/ 1.1"),
        version("blank in number", "HTTP/1 .1"),
        version("and NUL", "HTTP/1.1\0"s),
        version("comma", "HTTP/1,1"),
        version("of three", "HTTP/1.1.1"),
        version("without point", "HTTP/11"),
        version("minus", "HTTP/-1.1"),
        version("plus", "HTTP/+1.1"),
        version("plus minor", "HTTP/1.+1"),
        version("parameter", "HTTP/1.1;x"),
        version("3", "HTTP/3"),
        version("backslash", "HTTP\\1.1"),
        version("short name", "HTT/1.1"),
        version("long name", "HTTPP/1.1"),
        version("mixed case", "Http/1.1"),
        version("letter", "HTTP/1.a"),
        version("letter first", "HTTP/a.1"),
        version("hexadecimal", "HTTP/0x1.1"),
        version("huge", "HTTP/1.99999999999999999999"),
        version("wraps to 1", "HTTP/257.1"),
        version("empty", ""),
        version("quoted", "\"HTTP/1.1\""),
        {"version on a folded line", "GET /p\r\n HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"version behind vertical tab", line("GET /p\vHTTP/1.1")},
        {"version behind no-break space", line("GET /p\xa0HTTP/1.1")},
        {"request line with CR inside", line("GET /a\rb HTTP/1.1")},
        {"request line twice", "GET /a HTTP/1.1\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"request line after CR", "\r" + get("Host: h")},
        {"request line after CR CR LF", "\r\r\n" + get("Host: h")},
        {"request line after LF LF", "\n\n" + get("Host: h")},
        {"request line after a blank line", "\r\n \r\n" + get("Host: h")},
        {"request line after CRLF LF", "\r\n\n" + get("Host: h")},
    };
}

std::vector<RequestRow> methods() {
    return {
        method("with tab", "G\tET"),
        method("and NUL", "GET\0"s),
        method("quoted", "\"GET\""),
        method("and comma", "GET,"),
        method("and semicolon", "GET;"),
        method("in braces", "{GET}"),
        method("in brackets", "[GET]"),
        method("and at", "GET@"),
        method("and equals", "G=T"),
        method("and delete", "GET\x7f"),
        method("in angles", "<GET>"),
        method("and question", "GET?"),
        method("behind a byte order mark", "\xef\xbb\xbfGET"),
        method("behind backspace", "\bGET"),
        method("with backslash", "G\\T"),
        {"method and vertical tab", line("GET\v/p HTTP/1.1")},
        {"method and form feed", line("GET\f/p HTTP/1.1")},
        {"method and no-break space", line("GET\xa0/p HTTP/1.1")},
        {"method CONNECT in absolute form", line("CONNECT http://h/ HTTP/1.1"), 501},
        {"method CONNECT with a body",
         "CONNECT h:80 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd",
         501},
    };
}

// RFC 9112, 3.2; RFC 3986, 5.2.4.
std::vector<RequestRow> targets() {
    return {
        path("dot and encoded dot", "/.%2e"),
        path("upper encoded dots", "/%2E%2E"),
        path("encoded dots inside", "/a/%2e%2E/b"),
        path("encoded dot and slash", "/%2e/"),
        path("dot and slash", "/./"),
        path("dots behind two slashes", "//../"),
        path("dots twice", "/../../etc/passwd"),
        path("absolute with encoded dots", "http://h/%2e%2e"),
        path("percent g", "/%g0"),
        path("percent one digit", "/%0"),
        path("two percents", "/%%"),
        path("percent minus", "/%-1"),
        path("percent plus", "/%+1"),
        path("percent high byte", "/%\xff\xff"),
        path("encoded NUL in a name", "/a%00.json"),
        path("encoded NUL alone", "/%00"),
        path("fragment behind a query", "/p?x#y"),
        path("fragment alone", "#"),
        path("absolute with fragment", "http://h#f"),
        path("absolute with hexadecimal port", "http://h:0x50/p"),
        path("absolute with two ports", "http://h:80:80/p"),
        path("absolute with open bracket", "http://[::1/p"),
        path("absolute with bracket alone", "http://]/p"),
        path("absolute with backslash", "http://h\\i/p"),
        path("absolute with a port only", "http://:80/p"),
        path("absolute with empty user", "http://@h/p"),
        path("absolute with user and no host", "http://h@/p"),
        path("absolute with host in host", "http://h,i/p"),
        path("absolute with encoded NUL in host", "http://h%00/p"),
        path("absolute with a dot more", "http://h./p"),
        path("scheme without slashes", "http:p"),
        path("scheme without colon", "http//h/p"),
        path("scheme ws", "ws://h/p"),
        path("scheme urn", "urn:x:y"),
        path("scheme mailto", "mailto:a@h"),
        path("backslash first", "\\p"),
        path("backslashes as a share", "\\\\h\\p"),
        path("vertical tab", "/a\vb"),
        path("form feed", "/a\fb"),
        path("continuation byte", "/\x80"),
        path("overlong slash", "/\xc0\xaf"),
        path("authority alone", "h"),
        path("at alone", "@"),
        path("query with control", "/p?a\x01"),
        path("query with high byte", "/p?\xe9"),
        path("query with blank", "/p?a b"),
        path("query with NUL", "/p?a\0b"s),
        {"target asterisk with POST", line("POST * HTTP/1.1")},
        {"target asterisk with HEAD", line("HEAD * HTTP/1.1")},
        {"target asterisks", line("OPTIONS ** HTTP/1.1")},
        {"target asterisk and slash", line("OPTIONS */ HTTP/1.1")},
        {"target relative with OPTIONS", line("OPTIONS p HTTP/1.1")},
    };
}

// RFC 9112, 5.
std::vector<RequestRow> fields() {
    return {
        field("name with less", "X<Y: z"),
        field("name with greater", "X>Y: z"),
        field("name with question", "X?Y: z"),
        field("name with bracket", "X[Y: z"),
        field("name with closing bracket", "X]Y: z"),
        field("name with semicolon", "X;Y: z"),
        field("name with no-break space", "X\xa0: z"),
        field("name with vertical tab", "X\vY: z"),
        field("name with form feed", "X\fY: z"),
        field("name with tab", "X\tY: z"),
        field("name with escape", "X\x1b: z"),
        field("name with byte order mark", "\xef\xbb\xbfX: y"),
        field("name of one underscore", "_: y"),
        field("name ends in underscore", "Host_: h"),
        field("name of content type by underscore", "Content_Type: text/plain"),
        field("name half by underscore", "X-Forwarded_For: 1.2.3.4"),
        field("by equals", "X=y"),
        field("of one colon", ":"),
        field("of two colons", "::"),
        field("of blanks", "   "),
        field("of one tab", "\t"),
        field("folded twice", "X: a\r\n b\r\n c"),
        field("folded to a blank line", "X: a\r\n \t"),
        field("folded with a name", "X: a\r\n Y: b"),
        field("value with 1f", "X: a\x1fz"),
        field("value with 1a", "X: a\x1az"),
        field("value with LF CR", "X: a\n\rY: b"),
        field("value with LF", "X: a\nb"),
        field("value with CR LF NUL", "X: a\r\n\0: b"s),
        field("value with bell", "X: \a"),
        field("value ends in CR", "X: a\r"),
        field("is a request line", "GET /x HTTP/1.1"),
        field("is a status line", "HTTP/1.1 200 OK"),
        {"field Expect empty", post("Expect:\r\nContent-Length: 1"), 417},
        {"field Expect list", post("Expect: 100-continue, x\r\nContent-Length: 1"), 417},
        {"field Expect without dash", post("Expect: 100 continue\r\nContent-Length: 1"), 417},
        {"field Expect with parameter", post("Expect: 100-continue;q=1\r\nContent-Length: 1"), 417},
        {"field Expect unknown in GET", get("Host: h\r\nExpect: payment"), 417},
        {"field name over 8 KiB", get("Host: h\r\n" + std::string(8192, 'x') + ": y"), 431},
    };
}

std::vector<RequestRow> hosts() {
    return {
        host_value("with plus port", "h:+80"),
        host_value("with blank before the port", "h: 80"),
        host_value("with blank before the colon", "h :80"),
        host_value("with tab", "h\ti"),
        host_value("with pipe", "h|i"),
        host_value("with caret", "h^"),
        host_value("with backquote", "h`"),
        host_value("in braces", "{h}"),
        host_value("behind brackets", "[::1]x"),
        host_value("brackets and port word", "[::1]:x"),
        host_value("brackets and port over 65535", "[::1]:65536"),
        host_value("brackets with g", "[::g]"),
        host_value("brackets doubled", "[[::1]]"),
        host_value("brackets with zone", "[fe80::1%eth0]"),
        host_value("brackets of the future", "[v1.x]"),
        host_value("with port of six digits", "h:000000"),
        host_value("with lone percent", "h%"),
        host_value("with short percent", "h%0"),
        host_value("with delete", "h\x7f"),
        host_value("with control", "h\x01"),
        host_value("with slashes", "//h"),
        host_value("with a path behind the port", "h:80/p"),
        host_value("of at", "@"),
        host_value("of a user with password", "u:p@h"),
        host_value("with UTF-8", "h\xc3\xa4"),
        {"Host folded to two", get("Host: h\r\n i")},
        {"Host twice, one empty", get("Host: h\r\nHost:")},
        {"Host three times", get("Host: h\r\nHost: h\r\nHost: h")},
        {"Host behind a bare CR", get("X: y\rHost: h")},
        {"Host by underscore only", get("Host_: h")},
        {"Host with a user in HTTP/1.0", "GET /p HTTP/1.0\r\nHost: u@h\r\n\r\n"},
        {"Host against an absolute target in HTTP/1.0",
         "GET http://other/p HTTP/1.0\r\nHost: h\r\n\r\n"},
        {"Host against an https target", "GET https://other/p HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"Host empty with an absolute target", "GET http://h/p HTTP/1.1\r\nHost:\r\n\r\n"},
        {"Host missing with an absolute target", "GET http://h/p HTTP/1.1\r\n\r\n"},
    };
}

}  // namespace

std::vector<RequestRow> head_rows() {
    std::vector<RequestRow> rows;
    for (auto table : {versions, methods, targets, fields, hosts}) {
        for (RequestRow& row : table()) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

}  // namespace belfry
