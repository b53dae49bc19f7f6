#include "auth/token_access.h"

#include "auth/token_secret.h"
#include "base/logging.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <sodium.h>
#include <utility>

namespace belfry {

namespace {

// Tokens known by their fingerprint; past it all are forgotten and come back one by one.
constexpr std::size_t kCacheMax = 16'384;

std::shared_ptr<const RuleSet> nothing() {
    return std::make_shared<const RuleSet>(
        std::span<const PolicyRules* const>(), DefaultPolicy::deny
    );
}

// Takes the same time wherever the two differ. Of libsodium's comparison, byte by byte, an event
// would feel the length of a token.
bool are_equal_secrets(std::string_view a, const std::array<char, kTokenSecretBytes>& b) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    static_assert(kTokenSecretBytes >= kWord);
    if (a.size() != b.size()) {
        return false;
    }
    std::uint64_t difference = 0;
    for (std::size_t at = 0; at < b.size(); at += kWord) {
        const std::size_t begin = std::min(at, b.size() - kWord);  // the last two words overlap
        std::uint64_t left = 0;
        std::uint64_t right = 0;
        std::memcpy(&left, a.data() + begin, kWord);
        std::memcpy(&right, b.data() + begin, kWord);
        difference |= left ^ right;
    }
    return difference == 0;
}

}  // namespace

std::shared_ptr<const RuleSet> compile_policies(
    const AccessDocuments& documents,
    std::string_view tenant,
    const std::vector<std::string>& policies,
    DefaultPolicy default_policy
) {
    std::vector<const PolicyRules*> rules;
    for (const std::string& name : policies) {
        const Policy* policy = documents.find_policy(tenant, name);
        if (policy == nullptr) {
            return nullptr;
        }
        rules.push_back(&policy->rules);
    }
    return std::make_shared<const RuleSet>(rules, default_policy);
}

// What all grants share: the documents, how often they changed, and the rules compiled since, one
// set for all tokens of the same policies.
class TokenAccess::Table {
 public:
    Table(const AccessDocuments& documents, const Clock& clock, DefaultPolicy default_policy)
        : documents(documents), clock(clock), default_policy_(default_policy) {}

    void changed() {
        ++generation;
        compiled_.clear();
    }

    std::shared_ptr<const RuleSet> rules(
        const std::string& tenant, const std::vector<std::string>& policies
    ) {
        auto key = std::pair(tenant, policies);
        if (auto found = compiled_.find(key); found != compiled_.end()) {
            return found->second;
        }
        std::shared_ptr<const RuleSet> set =
            compile_policies(documents, tenant, policies, default_policy_);
        return compiled_.emplace(std::move(key), std::move(set)).first->second;
    }

    const AccessDocuments& documents;
    const Clock& clock;
    std::uint64_t generation = 1;

 private:
    const DefaultPolicy default_policy_;
    std::map<std::pair<std::string, std::vector<std::string>>, std::shared_ptr<const RuleSet>>
        compiled_;
};

class TokenAccess::TokenGrant final : public Grant {
 public:
    TokenGrant(std::shared_ptr<Table> table, const Token& token)
        : table_(std::move(table)),
          id(token.id),
          tenant(token.tenant),
          policies_(token.policies),
          expires_(token.expires) {}

    bool allows(Resource resource, Verb verb, std::string_view name) const override {
        const RuleSet* rules = current();
        if (rules == nullptr) {
            return false;
        }
        const Asked asked{.resource = resource, .verb = verb, .generation = generation_};
        if (asked == last_asked_ && name == last_name_) {
            return last_answer_;
        }
        // Whoever publishes asks the same again and again.
        last_answer_ = rules->allows(resource, verb, name);
        last_asked_ = asked;
        last_name_ = name;
        return last_answer_;
    }
    bool covers(Verb verb, const TypePattern& types) const override {
        const RuleSet* rules = current();
        return rules != nullptr && rules->covers(verb, types);
    }
    std::shared_ptr<const Rights> rights() const override {
        return current() != nullptr ? rules_ : nothing();
    }
    bool valid() const override {
        // Once expired it stays so, whatever the clock does.
        expired_ = expired_ || (expires_ && table_->clock.wall() >= *expires_);
        refresh();
        return !expired_ && !revoked_;
    }
    std::uint64_t revision() const override { return table_->generation; }

 private:
    struct Asked {
        Resource resource = Resource::none;
        Verb verb = Verb::read;
        std::uint64_t generation = 0;
        bool operator==(const Asked&) const = default;
    };
    const RuleSet* current() const {
        refresh();
        return expired_ || revoked_ ? nullptr : rules_.get();
    }
    void refresh() const {
        if (generation_ == table_->generation) {
            return;
        }
        generation_ = table_->generation;
        revoked_ = table_->documents.find_token(id) == nullptr;
        rules_ = revoked_ ? nullptr : table_->rules(tenant, policies_);
    }

    // Constant after construction.
    const std::shared_ptr<Table> table_;

 public:
    const std::string id;
    const std::string tenant;

 private:
    const std::vector<std::string> policies_;
    const std::optional<WallTime> expires_;
    // As of generation_.
    mutable std::uint64_t generation_ = 0;
    mutable std::shared_ptr<const RuleSet> rules_;
    mutable bool revoked_ = false;
    mutable bool expired_ = false;
    // What allows() was asked last.
    mutable Asked last_asked_;
    mutable std::string last_name_;
    mutable bool last_answer_ = false;
};

// Of callers without a token: everything while the hub is open, what `anonymous` says from then on.
// One for each, so that whoever was let in by the first does not stay by the second.
class TokenAccess::TokenlessGrant final : public Grant {
 public:
    enum class Of : bool { open, closed };
    TokenlessGrant(std::shared_ptr<Table> table, Of of) : table_(std::move(table)), of_(of) {}

    bool allows(Resource resource, Verb verb, std::string_view name) const override {
        if (of_ == Of::open) {
            return valid();
        }
        const RuleSet* rules = current();
        return rules != nullptr && rules->allows(resource, verb, name);
    }
    bool covers(Verb verb, const TypePattern& types) const override {
        if (of_ == Of::open) {
            return valid();
        }
        const RuleSet* rules = current();
        return rules != nullptr && rules->covers(verb, types);
    }
    std::shared_ptr<const Rights> rights() const override {
        if (of_ == Of::open) {
            return valid() ? nullptr : nothing();
        }
        return current() != nullptr ? rules_ : nothing();
    }
    bool valid() const override { return table_->documents.closed() == (of_ == Of::closed); }
    std::uint64_t revision() const override { return table_->generation; }

 private:
    const RuleSet* current() const {
        if (generation_ != table_->generation) {
            generation_ = table_->generation;
            const Policy tenant;  // its default
            const std::string name(kAnonymousPolicy);
            const bool named = table_->documents.find_policy(tenant.tenant, name) != nullptr ||
                               table_->documents.is_broken(tenant.tenant, name);
            rules_ = table_->rules(
                tenant.tenant, named ? std::vector<std::string>{name} : std::vector<std::string>()
            );
        }
        return rules_.get();
    }

    const std::shared_ptr<Table> table_;
    const Of of_;
    mutable std::uint64_t generation_ = 0;
    mutable std::shared_ptr<const RuleSet> rules_;
};

std::size_t TokenAccess::FingerprintHash::operator()(const Fingerprint& fingerprint) const {
    std::size_t hash = 0;
    std::memcpy(&hash, fingerprint.data(), sizeof hash);
    return hash;
}

TokenAccess::TokenAccess(
    const AccessDocuments& documents, const Clock& clock, Rng& rng, TokenAccessOptions options
)
    : options_(options),
      documents_(documents),
      table_(std::make_shared<Table>(documents, clock, options.default_policy)),
      open_(std::make_shared<TokenlessGrant>(table_, TokenlessGrant::Of::open)),
      anonymous_(std::make_shared<TokenlessGrant>(table_, TokenlessGrant::Of::closed)),
      guard_(options.exposure),
      bad_(clock, options.bad_tokens_per_minute) {
    rng.fill(std::as_writable_bytes(std::span(key_)));
}

TokenAccess::~TokenAccess() {
    sodium_memzero(last_secret_.data(), last_secret_.size());
}

void TokenAccess::documents_changed() {
    table_->changed();
    cache_.clear();
    last_grant_ = nullptr;
    sodium_memzero(last_secret_.data(), last_secret_.size());
}

TokenAccess::Fingerprint TokenAccess::fingerprint_of(std::string_view bytes) const {
    Fingerprint fingerprint{};
    static_assert(sizeof fingerprint == crypto_shorthash_siphashx24_BYTES);
    static_assert(sizeof key_ == crypto_shorthash_siphashx24_KEYBYTES);
    crypto_shorthash_siphashx24(
        reinterpret_cast<unsigned char*>(fingerprint.data()),
        reinterpret_cast<const unsigned char*>(bytes.data()),
        bytes.size(),
        key_.data()
    );
    return fingerprint;
}

// The look-up goes by a keyed fingerprint, whose timing tells nothing, and the hash itself is
// compared in constant time.
const Token* TokenAccess::token_of(const TokenHash& hash) {
    const auto fingerprint = [this](const TokenHash& of) {
        return fingerprint_of({reinterpret_cast<const char*>(of.data()), of.size()});
    };
    if (ids_generation_ != table_->generation) {
        ids_.clear();
        for (const auto& [id, token] : documents_.tokens()) {
            ids_.emplace(fingerprint(token.hash), id);
        }
        ids_generation_ = table_->generation;
    }
    auto found = ids_.find(fingerprint(hash));
    const Token* token = found == ids_.end() ? nullptr : documents_.find_token(found->second);
    if (token == nullptr || sodium_memcmp(token->hash.data(), hash.data(), hash.size()) != 0) {
        return nullptr;
    }
    return token;
}

std::shared_ptr<TokenAccess::TokenGrant> TokenAccess::grant_of(std::string_view secret) {
    if (last_grant_ != nullptr && are_equal_secrets(secret, last_secret_)) {
        return last_grant_;
    }
    std::shared_ptr<TokenGrant> grant = look_up(secret);
    if (grant != nullptr && secret.size() == last_secret_.size()) {
        std::ranges::copy(secret, last_secret_.begin());
        last_grant_ = grant;
    }
    return grant;
}

std::shared_ptr<TokenAccess::TokenGrant> TokenAccess::look_up(std::string_view secret) {
    const Fingerprint fingerprint = fingerprint_of(secret);
    if (auto found = cache_.find(fingerprint); found != cache_.end()) {
        return found->second;
    }
    if (!has_token_form(secret)) {
        return nullptr;
    }
    const Token* token = token_of(token_hash(secret));
    if (token == nullptr) {
        return nullptr;
    }
    if (cache_.size() >= kCacheMax) {
        cache_.clear();
    }
    auto grant = std::make_shared<TokenGrant>(table_, *token);
    cache_.emplace(fingerprint, grant);
    return grant;
}

Error TokenAccess::refuse_token(std::string_view peer) {
    switch (bad_.count(peer)) {
        case BadCredentials::Verdict::counted:
            break;
        case BadCredentials::Verdict::last:
            log_warn(
                "many requests with tokens that are not valid; the next ones of this address are "
                "answered 429 for up to a minute",
                {{"peer", peer}}
            );
            break;
        case BadCredentials::Verdict::too_many:
            return Error{
                .code = Errc::rate_limited,
                .detail = "too many requests with tokens that are not valid"
            };
    }
    return Error{.code = Errc::unauthenticated, .detail = "the token is not valid"};
}

Result<Caller> TokenAccess::identify(const Credentials& credentials) {
    const bool closed = documents_.closed();
    if (!closed || credentials.token.empty()) {
        Result<Caller> caller = guard_.identify(credentials);
        if (caller) {
            caller->grant = closed ? anonymous_ : open_;
        }
        return caller;
    }
    std::shared_ptr<TokenGrant> grant = grant_of(credentials.token);
    if (grant == nullptr || !grant->valid()) {
        return std::unexpected(refuse_token(credentials.peer));
    }
    Caller caller{.tenant = grant->tenant, .token_id = grant->id, .grant = nullptr};
    caller.grant = std::move(grant);
    return caller;
}

}  // namespace belfry
