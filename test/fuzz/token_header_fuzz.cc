// What callers show as a token, in the headers and the query of each kind of door: only a token
// that was issued lets anybody in, and whatever else comes is refused in the same words.
#include "auth/token_access.h"
#include "auth/token_secret.h"
#include "base/assert.h"
#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "doors/credentials.h"
#include "engine/memory_kv.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace belfry;

// A closed hub with one token.
struct ClosedHub {
    ManualExecutor loop;
    ManualClock clock;
    SeededRng rng{5};
    MemoryKv kv{loop};
    AccessDocuments documents{kv};
    TokenAccess access{
        documents, clock, rng, TokenAccessOptions{.bad_tokens_per_minute = 1'000'000'000}
    };
    std::string secret = new_token_secret(rng);

    ClosedHub() {
        documents.start([this] { access.documents_changed(); }, [] {});
        Token token{.id = new_token_id(rng), .hash = token_hash(secret), .policies = {"operator"}};
        token.created_by = "fuzz";
        documents.put_token(token, [](auto) {});
        loop.run_all();
        ASSERT(access.identify({.token = secret, .peer = "10.0.0.1"}));
    }
};

// Whoever comes in shows the secret; whoever shows none may do nothing, and whoever shows something
// else is told one thing.
void check_identified(ClosedHub& hub, Credentials credentials) {
    credentials.peer = "10.0.0.1";
    credentials.peer_is_loopback = true;
    const std::string_view token = credentials.token;
    auto caller = hub.access.identify(credentials);
    if (token.empty()) {
        ASSERT(!caller || !caller->may(Resource::event, Verb::write, "x"));
        ASSERT(caller || caller.error().code == Errc::denied);
    } else if (token == hub.secret) {
        ASSERT(caller && caller->may(Resource::event, Verb::write, "x"));
    } else {
        ASSERT(!caller && caller.error().detail == "the token is not valid");
    }
}

Door door_with(Door::TokenPlaces places) {
    Door door;
    door.token_places = places;
    door.token_header = "x-consul-token";
    return door;
}

// Lines `name: value` as the server hands them on; the first line is the query.
void check_request(ClosedHub& hub, std::string_view text) {
    static const Door kDoors[] = {
        door_with(Door::TokenPlaces::authorization),
        door_with(Door::TokenPlaces::query_header_authorization),
        door_with(Door::TokenPlaces::bearer_or_basic_password),
    };
    const std::size_t first = std::min(text.find('\n'), text.size());
    std::vector<HeaderField> fields;
    for (std::size_t begin = first + 1; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        if (const std::size_t colon = line.find(": "); colon != std::string_view::npos) {
            fields.push_back({line.substr(0, colon), line.substr(colon + 2)});
        }
        begin = end + 1;
    }
    HttpRequest request;
    request.headers = fields;
    for (const Door& door : kDoors) {
        Query query;
        if (!query.parse(text.substr(0, first), door.repeated_parameter)) {
            continue;
        }
        std::string memory;
        const Result<Credentials> shown = credentials_of(request, door, query, memory);
        if (!shown) {
            ASSERT(!shown.error().detail.contains(hub.secret));
            continue;
        }
        check_identified(hub, *shown);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static ClosedHub hub;
    std::string_view shown(reinterpret_cast<const char*>(data), size);
    // `!` stands for the good one, so that what is near it is tried too.
    std::string text(shown);
    if (std::size_t at = text.find('!'); at != std::string::npos) {
        text.replace(at, 1, hub.secret);
    }
    check_identified(hub, {.token = text, .host = "localhost"});
    check_request(hub, text);
    return 0;
}
