// What a token looks like: `belfry_`, 48 hex digits of 192 random bits, 8 hex digits of their
// CRC-32C. The fixed beginning is for programs that search for leaked secrets; the checksum tells
// them, and us, a token from a string that only looks like one. May be called from any thread.
#pragma once

#include "base/rng.h"
#include "catalog/token.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace belfry {

inline constexpr std::size_t kTokenSecretBytes = 63;

[[nodiscard]] std::string new_token_secret(Rng& rng);
// "tk_…"; no secret.
[[nodiscard]] std::string new_token_id(Rng& rng);
// Everything but whether it was ever issued.
[[nodiscard]] bool has_token_form(std::string_view text);
// SHA-256: the secret has 192 random bits, so nobody can search for it, slow hash or not.
[[nodiscard]] TokenHash token_hash(std::string_view secret);

}  // namespace belfry
