// Answers on one connection, whole and cut into pieces: the same reply or the same failure, within
// the limits. The first byte chooses the pieces and whether the request was HEAD.
#include "base/limits.h"
#include "net/response_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {
namespace {

struct Outcome {
    ResponseReader::State state = ResponseReader::State::more;
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string failure;
    bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view bytes, std::size_t piece, bool head_request) {
    Limits limits;
    limits.response_headers_bytes = 512;
    limits.response_body_bytes = 256;
    std::vector<HeaderField> fields;
    ResponseReader reader(limits, fields);
    reader.begin(head_request, nullptr);
    Outcome outcome;
    while (outcome.state == ResponseReader::State::more && !bytes.empty()) {
        outcome.state = reader.take(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    if (outcome.state == ResponseReader::State::more) {
        outcome.state = reader.end();
    }
    if (outcome.state == ResponseReader::State::failed) {
        outcome.failure = reader.failure();
    } else {
        HttpReply& reply = reader.reply();
        outcome.status = reply.status;
        outcome.headers = std::move(reply.headers);
        outcome.body = std::move(reply.body);
        if (outcome.body.size() > limits.response_body_bytes || outcome.status < 200) {
            std::abort();
        }
    }
    return outcome;
}

}  // namespace
}  // namespace belfry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const bool head_request = (data[0] & 0x80) != 0;
    const std::size_t piece = 1 + data[0] % 64U;
    if (belfry::run(bytes, std::string_view::npos, head_request) !=
        belfry::run(bytes, piece, head_request)) {
        std::abort();
    }
    return 0;
}
