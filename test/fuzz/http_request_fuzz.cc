// The bytes of one connection, whole and cut into pieces: the service must see the same requests
// and the peer the same answers. The first byte chooses the pieces.
#include "base/limits.h"
#include "net/direct_connection.h"
#include "net/http.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {
namespace {

// Everything a handler can see, as text; and the same as the answer.
class Recorder final : public HttpService {
 public:
    Admission admit(const HttpRequest&) override { return {2048, false}; }
    void handle(const HttpRequest& request, Exchange exchange) override {
        note(200, request);
        exchange.respond({200, "text/plain", {}, request.body, false});
    }
    void refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange)
        override {
        note(status, head);
        seen += error.detail;
        exchange.respond({status, "text/plain", {}, error.detail, false});
    }

    std::string seen;

 private:
    void note(int status, const HttpRequest& request) {
        seen += std::to_string(status) + '\n';
        for (const std::string_view part :
             {request.method_text, request.target, request.path, request.query, request.body}) {
            seen.append(part).append("\n");
        }
        for (const HeaderField& field : request.headers) {
            seen.append(field.name).append("=").append(field.value).append("\n");
        }
    }
};

struct Outcome {
    std::string seen;
    std::string answered;
    bool open = false;
    bool operator==(const Outcome&) const = default;
};

// 100 Continue is sent only while a body is awaited, which depends on the pieces.
std::string without_continue(std::string text) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    for (std::size_t at = text.find(kContinue); at != std::string::npos;
         at = text.find(kContinue)) {
        text.erase(at, kContinue.size());
    }
    return text;
}

Outcome run(std::string_view bytes, unsigned pieces_seed) {
    Limits limits;
    limits.request_line_bytes = 128;
    limits.header_bytes = 128;
    limits.headers_bytes = 512;
    limits.headers = 8;
    Recorder service;
    Outcome outcome;
    DirectConnection connection(service, limits);
    std::minstd_rand random(pieces_seed);
    while (!bytes.empty()) {
        const std::size_t piece = pieces_seed == 0
                                      ? bytes.size()
                                      : std::min<std::size_t>(1 + random() % 40, bytes.size());
        connection.feed(bytes.substr(0, piece));
        bytes.remove_prefix(piece);
    }
    outcome.open = connection.is_open();
    connection.finish_sending();
    outcome.seen = service.seen;
    outcome.answered = without_continue(connection.output());
    return outcome;
}

}  // namespace
}  // namespace belfry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (belfry::run(bytes, 0) != belfry::run(bytes, 1U + data[0])) {
        std::abort();
    }
    return 0;
}
