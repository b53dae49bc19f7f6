// AccessAdministration: who may give which rights to whom. Nobody hands out more than he has: a
// token or policy that would allow anything its maker is not allowed is refused, a token that would
// outlive its maker's too, and so is a change that would let any token do more than the one who
// makes it, or take a right from one that has more. Changes run one after another, each judged by
// what the one before left. Owned by the wiring; the documents, clock, generator and limits must
// outlive it. I/O thread only.
#pragma once

#include "auth/rule_set.h"
#include "base/rng.h"
#include "catalog/access_documents.h"
#include "hub/access.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct IssuedToken {
    Token token;
    std::string secret;  // shown this once
};
// A document by its tenant and name; of tokens the id.
struct AccessName {
    std::string tenant;
    std::string name;
};

class AccessAdministration {
 public:
    struct Ports {
        AccessDocuments& documents;
        const Clock& clock;
        Rng& rng;
        const Limits& limits;
        DefaultPolicy default_policy = DefaultPolicy::deny;
    };
    template <typename T>
    using Done = std::move_only_function<void(Result<T>)>;

    explicit AccessAdministration(Ports ports);

    // Whose documents a caller means: its own tenant's, or with `operator` those of the one named.
    // Another tenant is not_found otherwise, as if it had nothing.
    [[nodiscard]] Result<std::string> tenant_of(
        const Caller& caller, std::string_view named, Verb verb
    ) const;

    // Durable when `done` runs. denied: more than the caller may, or for longer. Without a time it
    // expires with the caller's token, if that does. The first token closes the hub.
    void create_token(const Caller& caller, TokenRequest request, Done<IssuedToken> done);
    void revoke_token(const Caller& caller, AccessName name, Done<void> done);
    // `policy.tenant` as tenant_of() gave it. conflict, precondition_failed; conflict for one that
    // tokens name when it is removed.
    void create_policy(const Caller& caller, Policy policy, Done<Policy> done);
    void replace_policy(const Caller& caller, Policy policy, Expect expect, Done<Policy> done);
    void remove_policy(const Caller& caller, AccessName name, Expect expect, Done<void> done);

    [[nodiscard]] const AccessDocuments& documents() const { return ports_.documents; }
    [[nodiscard]] const Clock& clock() const { return ports_.clock; }

 private:
    using Change = std::move_only_function<void(Task next)>;
    void in_turn(Change change);
    void run_next();

    [[nodiscard]] std::shared_ptr<const RuleSet> rules_of(const Caller& caller) const;
    [[nodiscard]] Result<std::shared_ptr<const RuleSet>> rights_of(const Caller& caller) const;
    [[nodiscard]] Result<std::optional<WallTime>> expiry_of(
        const Caller& caller, const TokenRequest& request
    ) const;
    [[nodiscard]] Result<Token> new_token(const Caller& caller, const TokenRequest& request) const;
    [[nodiscard]] Result<void> judge_policy(
        const Caller& caller, const AccessName& name, const PolicyRules* after
    ) const;
    [[nodiscard]] Result<void> judge_users(
        const RuleSet& rights, const AccessName& name, const PolicyRules* after
    ) const;
    void write_policy(const Caller& caller, Policy policy, Expect expect, Done<Policy> done);

    // Constant after construction.
    const Ports ports_;
    // I/O thread.
    std::deque<Change> waiting_;
    bool busy_ = false;
};

}  // namespace belfry
