// What callers show as a token: only a token that was issued lets anybody in, and whatever else
// comes is refused in the same words.
#include "auth/token_access.h"
#include "auth/token_secret.h"
#include "base/assert.h"
#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "engine/memory_kv.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace belfry;

// A closed hub with one token.
struct Door {
    ManualExecutor loop;
    ManualClock clock;
    SeededRng rng{5};
    MemoryKv kv{loop};
    AccessDocuments documents{kv};
    TokenAccess access{
        documents, clock, rng, TokenAccessOptions{.bad_tokens_per_minute = 1'000'000'000}
    };
    std::string secret = new_token_secret(rng);

    Door() {
        documents.start([this] { access.documents_changed(); }, [] {});
        Token token{.id = new_token_id(rng), .hash = token_hash(secret), .policies = {"operator"}};
        token.created_by = "fuzz";
        documents.put_token(token, [](auto) {});
        loop.run_all();
        ASSERT(access.identify({.token = secret, .peer = "10.0.0.1"}));
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Door door;
    std::string_view shown(reinterpret_cast<const char*>(data), size);
    // `!` stands for the good one, so that what is near it is tried too.
    std::string text(shown);
    if (std::size_t at = text.find('!'); at != std::string::npos) {
        text.replace(at, 1, door.secret);
    }
    auto caller = door.access.identify(
        {.token = text, .peer = "10.0.0.1", .peer_is_loopback = true, .host = "localhost"}
    );
    if (text.empty()) {
        ASSERT(caller && !caller->may(Resource::event, Verb::read, "x"));
    } else if (text == door.secret) {
        ASSERT(caller && caller->may(Resource::event, Verb::write, "x"));
    } else {
        ASSERT(!caller && caller.error().detail == "the token is not valid");
    }
    return 0;
}
