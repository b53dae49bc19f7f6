// A token as its document says: who it is for, what it may do, until when, and the hash of its
// secret; the secret itself is kept nowhere. May be called from any thread.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "engine/kv.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

inline constexpr std::size_t kPoliciesPerToken = 64;
// Short, so that a Caller carries it without an allocation: "tk_" and 12 of 0-9 a-v.
inline constexpr std::size_t kTokenIdBytes = 15;
using TokenHash = std::array<std::byte, 32>;

struct Token {
    std::string id;
    std::string tenant = "default";
    TokenHash hash{};  // SHA-256 of the secret
    std::vector<std::string> policies;
    std::string description;
    std::optional<WallTime> expires;
    WallTime created;
    std::string created_by;  // a token's id, `open` or `bootstrap`
    Revision revision;       // of the document; set when read from the catalog
};

// What POST /api/v1/tokens asks for.
struct TokenRequest {
    std::vector<std::string> policies;
    std::string tenant;  // empty: the caller's
    std::string description;
    std::optional<Duration> expires;  // from now
};
[[nodiscard]] Result<TokenRequest> parse_token_request(std::string_view text, const Limits& limits);

// The document in Kv.
[[nodiscard]] Result<Token> parse_stored_token(std::string_view text);
[[nodiscard]] std::string stored_token_json(const Token& token);

}  // namespace belfry
