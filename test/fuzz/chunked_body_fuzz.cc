// A chunked body, whole and cut into pieces: the same bytes, the same end, the same fault, never
// over the limit. The first byte chooses the pieces.
#include "net/chunk_decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace belfry {
namespace {

constexpr std::uint64_t kLimit = 1000;

struct Outcome {
    std::string body;
    ChunkDecoder::State state = ChunkDecoder::State::more;
    std::size_t used = 0;
    std::string fault;
    bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view bytes, std::size_t piece) {
    ChunkDecoder decoder(16);
    Outcome outcome;
    while (outcome.state == ChunkDecoder::State::more && outcome.used < bytes.size()) {
        const auto fed = decoder.feed(bytes.substr(outcome.used, piece), outcome.body, kLimit);
        outcome.used += fed.used;
        outcome.state = fed.state;
    }
    outcome.fault = decoder.fault();
    return outcome;
}

}  // namespace
}  // namespace belfry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = belfry::run(bytes, std::string_view::npos);
    const bool broken = whole.state == belfry::ChunkDecoder::State::broken;
    if (whole.body.size() > belfry::kLimit || broken == whole.fault.empty() ||
        whole != belfry::run(bytes, 1 + data[0] % 16U)) {
        std::abort();
    }
    return 0;
}
