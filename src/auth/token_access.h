// TokenAccess: the Access of a hub. As long as no token was ever made it is open as OpenAccess
// says; from then on a caller is its token, or anonymous. A token counts by the hash of its secret;
// of plain secrets only the one shown last is kept, so that who publishes many events is known by a
// comparison. Policies are compiled when they are first asked after a change.
#pragma once

#include "auth/bad_credentials.h"
#include "auth/open_access.h"
#include "auth/rule_set.h"
#include "auth/token_secret.h"
#include "base/rng.h"
#include "catalog/access_documents.h"
#include "hub/access.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace belfry {

struct TokenAccessOptions {
    DefaultPolicy default_policy = DefaultPolicy::deny;
    Exposure exposure = Exposure::loopback_only;  // of callers without a token
    std::uint64_t bad_tokens_per_minute = 30;
};

// Owned by the wiring. The documents, the clock and the generator must outlive it and every Caller
// it made. I/O thread only. Known tokens are identified without an allocation.
class TokenAccess final : public Access {
 public:
    TokenAccess(
        const AccessDocuments& documents, const Clock& clock, Rng& rng, TokenAccessOptions options
    );
    ~TokenAccess() override;

    // Whatever the documents hold may have changed; cheap.
    void documents_changed();

    // unauthenticated, in the same words for a token that is malformed, unknown, revoked or
    // expired; rate_limited after too many of them from one address. A good token is never held up
    // by wrong ones. Without a token: as OpenAccess, and then anonymous unless the hub is open.
    [[nodiscard]] Result<Caller> identify(const Credentials& credentials) override;

    [[nodiscard]] DefaultPolicy default_policy() const { return options_.default_policy; }
    [[nodiscard]] std::size_t cached_tokens() const { return cache_.size(); }

 private:
    class Table;
    class TokenGrant;
    class TokenlessGrant;
    using Fingerprint = std::array<std::byte, 16>;
    struct FingerprintHash {
        std::size_t operator()(const Fingerprint& fingerprint) const;
    };

    [[nodiscard]] Fingerprint fingerprint_of(std::string_view bytes) const;
    [[nodiscard]] std::shared_ptr<TokenGrant> grant_of(std::string_view secret);
    [[nodiscard]] std::shared_ptr<TokenGrant> look_up(std::string_view secret);
    [[nodiscard]] const Token* token_of(const TokenHash& hash);
    [[nodiscard]] Error refuse_token(std::string_view peer);

    // Constant after construction.
    const TokenAccessOptions options_;
    const AccessDocuments& documents_;
    const std::shared_ptr<Table> table_;
    std::array<unsigned char, 16> key_{};  // of the fingerprints; nobody can aim at a bucket
    std::shared_ptr<const Grant> open_;
    std::shared_ptr<const Grant> anonymous_;
    // I/O thread.
    OpenAccess guard_;
    BadCredentials bad_;
    std::unordered_map<Fingerprint, std::shared_ptr<TokenGrant>, FingerprintHash> cache_;
    std::array<char, kTokenSecretBytes> last_secret_{};  // last_grant_'s
    std::shared_ptr<TokenGrant> last_grant_;             // nullptr: none
    // Ids by the fingerprint of their hash; made anew after a change.
    std::unordered_map<Fingerprint, std::string, FingerprintHash> ids_;
    std::uint64_t ids_generation_ = 0;
};

// What the named policies of a tenant allow together. nullptr if one of them is missing or cannot
// be read: it may have denied something.
[[nodiscard]] std::shared_ptr<const RuleSet> compile_policies(
    const AccessDocuments& documents,
    std::string_view tenant,
    const std::vector<std::string>& policies,
    DefaultPolicy default_policy
);

}  // namespace belfry
