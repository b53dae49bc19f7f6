// The table of ambiguous requests that request_rules_test.cc runs: a row is a trick and the status
// it gets.
#pragma once

#include <string>
#include <vector>

namespace belfry {

struct RequestRow {
    std::string name;
    std::string bytes;
    int status = 400;
};

// A request with these header lines (beside Host) and this body.
inline std::string post(const std::string& lines, const std::string& body = "") {
    return "POST /p HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n\r\n" + body;
}
inline std::string get(const std::string& lines) {
    return "GET /p HTTP/1.1\r\n" + lines + "\r\n\r\n";
}
inline std::string line(const std::string& request_line) {
    return request_line + "\r\nHost: h\r\n\r\n";
}
inline std::string target(const std::string& text) {
    return line("GET " + text + " HTTP/1.1");
}
inline std::string chunked(const std::string& body) {
    return post("Transfer-Encoding: chunked", body);
}
inline std::string host(const std::string& value) {
    return get("Host: " + value);
}

// Lines that make the headers as long as they may be.
inline std::string headers_of_32_kib() {
    std::string lines = "Host: h";
    for (std::size_t size : {8188UZ, 8188UZ, 8188UZ, 8187UZ}) {
        lines += "\r\nX: " + std::string(size - 3, 'y');
    }
    return lines;
}

// All of them.
[[nodiscard]] std::vector<RequestRow> ambiguous_requests();

// Parts of it, from files of their own.
[[nodiscard]] std::vector<RequestRow> framing_rows();
[[nodiscard]] std::vector<RequestRow> head_rows();

}  // namespace belfry
