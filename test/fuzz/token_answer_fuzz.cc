// Answers to requests for an access token. A token that is taken can stand in a header, and its
// lifetime is bounded.
#include "auth/oauth2_tokens.h"
#include "base/assert.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const auto answer = parse_token_answer({reinterpret_cast<const char*>(data), size}, Limits{});
    if (!answer) {
        ASSERT(!answer.error().detail.empty());
        return 0;
    }
    ASSERT(!answer->token.empty());
    ASSERT(std::ranges::all_of(answer->token, [](char c) { return c > 0x20 && c < 0x7f; }));
    ASSERT(answer->lifetime.count() > 0 && answer->lifetime.count() <= 86'400);
    return 0;
}
