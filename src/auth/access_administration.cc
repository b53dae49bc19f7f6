#include "auth/access_administration.h"

#include "auth/token_access.h"
#include "auth/token_secret.h"
#include "base/logging.h"
#include "base/rfc3339.h"
#include "catalog/name.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

Error no_such(std::string_view what) {
    return Error{.code = Errc::not_found, .detail = "there is no such " + std::string(what)};
}

Error beyond_yours(const std::string& rule) {
    return Error{
        .code = Errc::denied, .detail = "it would allow more than you may yourself: " + rule
    };
}

Result<void> check_changeable(std::string_view policy) {
    if (policy == kOperatorPolicy) {
        return std::unexpected(Error{
            .code = Errc::conflict,
            .detail = "the policy `operator` is always there and cannot be changed",
            .field = "name"
        });
    }
    return {};
}

// Rules on every event type, of today and of later, are worth a line.
void note_wildcard(const Policy& policy) {
    const auto every = policy.rules.event_prefix.find("");
    if (every != policy.rules.event_prefix.end() && every->second != Permission::deny) {
        log_info(
            "a policy allows something on every event type",
            {{"policy", policy.name},
             {"tenant", policy.tenant},
             {"rule", permission_name(every->second)}}
        );
    }
}

// Who made it, for its document.
std::string author(const Caller& caller, bool closed) {
    if (!caller.token_id.empty()) {
        return caller.token_id;
    }
    return closed ? std::string(kAnonymousPolicy) : "open";
}

}  // namespace

AccessAdministration::AccessAdministration(Ports ports) : ports_(ports) {}

// A change ends when it calls `next`; the one after it is judged then.
void AccessAdministration::in_turn(Change change) {
    waiting_.push_back(std::move(change));
    run_next();
}

void AccessAdministration::run_next() {
    // A loop, so that changes that end at once do not pile up on the stack.
    while (!busy_ && !waiting_.empty()) {
        busy_ = true;
        Change change = std::move(waiting_.front());
        waiting_.pop_front();
        auto running = std::make_shared<bool>(true);
        change([this, running] {
            busy_ = false;
            if (!*running) {
                run_next();
            }
        });
        *running = false;
    }
}

Result<std::string> AccessAdministration::tenant_of(
    const Caller& caller, std::string_view named, Verb verb
) const {
    if (named.empty() || named == caller.tenant) {
        return caller.tenant;
    }
    if (!caller.may(Resource::op, verb)) {
        return std::unexpected(no_such("tenant"));
    }
    if (Result<void> good = check_name(named); !good) {
        good.error().field = "tenant";
        return std::unexpected(std::move(good.error()));
    }
    return std::string(named);
}

std::shared_ptr<const RuleSet> AccessAdministration::rules_of(const Caller& caller) const {
    const AccessDocuments& documents = ports_.documents;
    if (!documents.closed()) {
        return compile_policies(
            documents, caller.tenant, {std::string(kOperatorPolicy)}, ports_.default_policy
        );
    }
    if (caller.token_id.empty()) {
        std::vector<std::string> policies;
        if (documents.find_policy(caller.tenant, kAnonymousPolicy) != nullptr ||
            documents.is_broken(caller.tenant, kAnonymousPolicy)) {
            policies.emplace_back(kAnonymousPolicy);
        }
        return compile_policies(documents, caller.tenant, policies, ports_.default_policy);
    }
    const Token* token = documents.find_token(caller.token_id);
    return token == nullptr
               ? nullptr
               : compile_policies(documents, token->tenant, token->policies, ports_.default_policy);
}

// What the caller may do now, which need not be what it was when it asked.
Result<std::shared_ptr<const RuleSet>> AccessAdministration::rights_of(const Caller& caller) const {
    std::shared_ptr<const RuleSet> rules = rules_of(caller);
    const bool valid = caller.grant != nullptr && caller.grant->valid();
    if (!valid || rules == nullptr || !rules->allows(Resource::token, Verb::write, {})) {
        return fail(Errc::denied, "the token does not allow token:write here");
    }
    return rules;
}

// A token must not outlive the one that makes it, else an hour of rights would be rights for ever.
Result<std::optional<WallTime>> AccessAdministration::expiry_of(
    const Caller& caller, const TokenRequest& request
) const {
    const Token* maker = ports_.documents.find_token(caller.token_id);
    const std::optional<WallTime> end = maker == nullptr ? std::nullopt : maker->expires;
    if (!request.expires) {
        return end;
    }
    const WallTime asked = ports_.clock.wall() +
                           std::chrono::duration_cast<std::chrono::microseconds>(*request.expires);
    if (end && asked > *end) {
        return std::unexpected(Error{
            .code = Errc::denied,
            .detail = "it would outlive your own token, which expires at " + rfc3339(*end) +
                      "; leave `expires` out for the same",
            .field = "expires"
        });
    }
    return asked;
}

Result<Token> AccessAdministration::new_token(const Caller& caller, const TokenRequest& request)
    const {
    Result<std::shared_ptr<const RuleSet>> rights = rights_of(caller);
    if (!rights) {
        return std::unexpected(std::move(rights.error()));
    }
    Result<std::string> tenant = tenant_of(caller, request.tenant, Verb::write);
    if (!tenant) {
        return std::unexpected(std::move(tenant.error()));
    }
    for (std::size_t i = 0; i < request.policies.size(); ++i) {
        if (ports_.documents.find_policy(*tenant, request.policies[i]) == nullptr) {
            return std::unexpected(Error{
                .code = Errc::bad_request,
                .detail = "there is no policy of this name",
                .field = "policies[" + std::to_string(i) + "]"
            });
        }
    }
    std::shared_ptr<const RuleSet> asked =
        compile_policies(ports_.documents, *tenant, request.policies, ports_.default_policy);
    if (const std::string more = asked->beyond(**rights); !more.empty()) {
        return std::unexpected(beyond_yours(more));
    }
    const auto of_tenant = std::ranges::count_if(ports_.documents.tokens(), [&](const auto& entry) {
        return entry.second.tenant == *tenant;
    });
    if (static_cast<std::uint64_t>(of_tenant) >= ports_.limits.tokens) {
        return std::unexpected(Error{
            .code = Errc::rate_limited,
            .detail = "the tenant has as many tokens as it may; revoke some",
            .limit = ports_.limits.tokens
        });
    }
    Result<std::optional<WallTime>> expires = expiry_of(caller, request);
    if (!expires) {
        return std::unexpected(std::move(expires.error()));
    }
    Token token;
    token.id = new_token_id(ports_.rng);
    token.tenant = std::move(*tenant);
    token.policies = request.policies;
    token.description = request.description;
    token.created = ports_.clock.wall();
    token.created_by = author(caller, ports_.documents.closed());
    token.expires = *expires;
    return token;
}

void AccessAdministration::create_token(
    const Caller& caller, TokenRequest request, Done<IssuedToken> done
) {
    in_turn([this, caller, request = std::move(request), done = std::move(done)](Task next
            ) mutable {
        Result<Token> token = new_token(caller, request);
        if (!token) {
            done(std::unexpected(std::move(token.error())));
            return next();
        }
        IssuedToken issued{.token = std::move(*token), .secret = new_token_secret(ports_.rng)};
        issued.token.hash = token_hash(issued.secret);
        auto put = [this,
                    issued = std::move(issued),
                    done = std::move(done),
                    next = std::move(next)](Result<void> closed) mutable {
            if (!closed) {
                done(std::unexpected(std::move(closed.error())));
                return next();
            }
            const Token& made = issued.token;
            ports_.documents.put_token(
                made,
                [issued, done = std::move(done), next = std::move(next)](Result<void> written
                ) mutable {
                    written ? done(std::move(issued))
                            : done(std::unexpected(std::move(written.error())));
                    next();
                }
            );
        };
        // Closed before there is a token: whatever happens between, the hub is not open again.
        ports_.documents.closed() ? put({}) : ports_.documents.close(std::move(put));
    });
}

void AccessAdministration::revoke_token(const Caller& caller, AccessName name, Done<void> done) {
    in_turn([this, caller, name = std::move(name), done = std::move(done)](Task next) mutable {
        auto refuse = [&](Error error) {
            done(std::unexpected(std::move(error)));
            next();
        };
        const Token* token = ports_.documents.find_token(name.name);
        if (token == nullptr || token->tenant != name.tenant) {
            return refuse(no_such("token"));
        }
        Result<std::shared_ptr<const RuleSet>> rights = rights_of(caller);
        if (!rights) {
            return refuse(std::move(rights.error()));
        }
        std::shared_ptr<const RuleSet> its = compile_policies(
            ports_.documents, token->tenant, token->policies, ports_.default_policy
        );
        if (token->id != caller.token_id && its != nullptr && !its->is_within(**rights)) {
            return refuse({.code = Errc::denied, .detail = "this token may do more than yours"});
        }
        ports_.documents.remove_token(
            token->id,
            [done = std::move(done), next = std::move(next)](Result<void> removed) mutable {
                done(std::move(removed));
                next();
            }
        );
    });
}

// Every token that names the policy, and whoever has none if it is the anonymous one, must remain
// within the rights of who changes it.
Result<void> AccessAdministration::judge_users(
    const RuleSet& rights, const AccessName& name, const PolicyRules* after
) const {
    const AccessDocuments& documents = ports_.documents;
    auto is_within = [&](const std::string& tenant, const std::vector<std::string>& policies) {
        std::vector<const PolicyRules*> rules;
        for (const std::string& policy : policies) {
            if (policy == name.name) {
                if (after != nullptr) {
                    rules.push_back(after);
                }
                continue;
            }
            const Policy* found = documents.find_policy(tenant, policy);
            if (found == nullptr) {
                return true;  // it may do nothing, before and after
            }
            rules.push_back(&found->rules);
        }
        return RuleSet(rules, ports_.default_policy).is_within(rights);
    };
    bool good = name.name != kAnonymousPolicy || name.tenant != Policy().tenant ||
                is_within(name.tenant, {std::string(kAnonymousPolicy)});
    for (const auto& [id, token] : documents.tokens()) {
        good = good && (token.tenant != name.tenant ||
                        !std::ranges::binary_search(token.policies, name.name) ||
                        is_within(token.tenant, token.policies));
    }
    if (!good) {
        return fail(
            Errc::denied, "a token that names this policy could do more than you may yourself"
        );
    }
    return {};
}

Result<void> AccessAdministration::judge_policy(
    const Caller& caller, const AccessName& name, const PolicyRules* after
) const {
    if (Result<void> good = check_changeable(name.name); !good) {
        return good;
    }
    Result<std::shared_ptr<const RuleSet>> rights = rights_of(caller);
    if (!rights) {
        return std::unexpected(std::move(rights.error()));
    }
    if (after != nullptr) {
        const std::array<const PolicyRules*, 1> alone{after};
        if (const std::string more = RuleSet(alone, DefaultPolicy::deny).beyond(**rights);
            !more.empty()) {
            return std::unexpected(beyond_yours(more));
        }
    }
    return judge_users(**rights, name, after);
}

void AccessAdministration::write_policy(
    const Caller& caller, Policy policy, Expect expect, Done<Policy> done
) {
    in_turn([this, caller, policy = std::move(policy), expect, done = std::move(done)](Task next
            ) mutable {
        auto refuse = [&](Error error) {
            done(std::unexpected(std::move(error)));
            next();
        };
        AccessName name{.tenant = policy.tenant, .name = policy.name};
        const bool creates = expect.kind == Expect::Kind::absent;
        const bool exists = ports_.documents.find_policy(name.tenant, name.name) != nullptr ||
                            ports_.documents.is_broken(name.tenant, name.name);
        if (!creates && !exists) {
            return refuse(no_such("policy"));
        }
        if (creates && ports_.documents.policies(name.tenant).size() >= ports_.limits.policies) {
            return refuse(
                {.code = Errc::rate_limited,
                 .detail = "the tenant has as many policies as it may",
                 .limit = ports_.limits.policies}
            );
        }
        if (Result<void> good = judge_policy(caller, name, &policy.rules); !good) {
            return refuse(std::move(good.error()));
        }
        if (stored_policy_json(policy).size() > ports_.limits.document_bytes) {
            return refuse(
                {.code = Errc::too_large,
                 .detail = "the policy is too large",
                 .limit = ports_.limits.document_bytes}
            );
        }
        ports_.documents.put_policy(
            policy,
            expect,
            [this, name, done = std::move(done), next = std::move(next)](Result<void> written
            ) mutable {
                const Policy* stored = ports_.documents.find_policy(name.tenant, name.name);
                if (written && stored != nullptr) {
                    note_wildcard(*stored);
                    done(*stored);
                } else {
                    done(std::unexpected(written ? no_such("policy") : std::move(written.error())));
                }
                next();
            }
        );
    });
}

void AccessAdministration::create_policy(const Caller& caller, Policy policy, Done<Policy> done) {
    write_policy(caller, std::move(policy), {.kind = Expect::Kind::absent}, std::move(done));
}

void AccessAdministration::replace_policy(
    const Caller& caller, Policy policy, Expect expect, Done<Policy> done
) {
    write_policy(caller, std::move(policy), expect, std::move(done));
}

void AccessAdministration::remove_policy(
    const Caller& caller, AccessName name, Expect expect, Done<void> done
) {
    in_turn([this, caller, name = std::move(name), expect, done = std::move(done)](Task next
            ) mutable {
        auto refuse = [&](Error error) {
            done(std::unexpected(std::move(error)));
            next();
        };
        if (Result<void> good = judge_policy(caller, name, nullptr); !good) {
            return refuse(std::move(good.error()));
        }
        const bool used = std::ranges::any_of(ports_.documents.tokens(), [&](const auto& entry) {
            return entry.second.tenant == name.tenant &&
                   std::ranges::binary_search(entry.second.policies, name.name);
        });
        if (used) {
            return refuse(
                {.code = Errc::conflict,
                 .detail = "tokens name this policy; revoke them, or replace the policy"}
            );
        }
        ports_.documents.remove_policy(
            Policy{.tenant = name.tenant, .name = name.name},
            expect,
            [done = std::move(done), next = std::move(next)](Result<void> removed) mutable {
                done(std::move(removed));
                next();
            }
        );
    });
}

}  // namespace belfry
