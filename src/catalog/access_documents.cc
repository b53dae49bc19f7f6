#include "catalog/access_documents.h"

#include "base/json.h"
#include "base/logging.h"

#include <boost/json.hpp>

#include <utility>

namespace belfry {

namespace {

constexpr std::string_view kTokens = "tokens/";
constexpr std::string_view kPolicies = "policies/";
constexpr std::string_view kMarks = "access/";
constexpr std::string_view kClosed = "access/closed";
constexpr std::string_view kBootstrap = "access/bootstrap";

std::string key_of(std::string_view tenant, std::string_view name) {
    return std::string(tenant) + "/" + std::string(name);
}

// Says what Kv said in the words of a caller, who knows nothing of keys.
Error in_our_words(Error error, std::string_view what) {
    const std::string thing(what);
    if (error.code == Errc::conflict) {
        error.detail = thing + " exists";
    } else if (error.code == Errc::precondition_failed) {
        error.detail = thing + " has another revision";
    } else if (error.code == Errc::not_found) {
        error.detail = "there is no such " + thing.substr(thing.rfind(' ') + 1);
    }
    return error;
}

Kv::RevisionDone written(AccessDocuments::Done done, std::string_view what) {
    return [done = std::move(done), what = std::string(what)](Result<Revision> result) mutable {
        done(
            result ? Result<void>() : std::unexpected(in_our_words(std::move(result.error()), what))
        );
    };
}

}  // namespace

void AccessDocuments::start(Task on_change, Task on_ready) {
    on_change_ = std::move(on_change);
    auto ready = std::make_shared<std::pair<int, Task>>(3, std::move(on_ready));
    auto one_ready = [ready] {
        if (--ready->first == 0) {
            ready->second();
        }
    };
    kv_.watch(
        std::string(kTokens), [this](const KvChange& change) { token_changed(change); }, one_ready
    );
    kv_.watch(
        std::string(kPolicies),
        [this](const KvChange& change) { policy_changed(change); },
        one_ready
    );
    kv_.watch(
        std::string(kMarks), [this](const KvChange& change) { mark_changed(change); }, one_ready
    );
}

void AccessDocuments::token_changed(const KvChange& change) {
    const std::string id = change.key.substr(kTokens.size());
    tokens_.erase(id);
    if (change.value) {
        // Whether it can be read or not: this hub has had a token.
        closed_ = true;
        Result<Token> token = parse_stored_token(*change.value);
        if (token && token->id == id) {
            token->revision = change.revision;
            tokens_.emplace(id, std::move(*token));
        } else {
            log_error(
                "a token's document cannot be read; nobody can use it",
                {{"token", id}, {"error", token ? "it names another" : token.error().detail}}
            );
        }
    }
    on_change_();
}

void AccessDocuments::policy_changed(const KvChange& change) {
    const std::string key = change.key.substr(kPolicies.size());
    if (!change.value) {
        policies_.erase(key);
        return on_change_();
    }
    Result<Policy> policy = parse_stored_policy(*change.value);
    if (policy && policy->key() == key) {
        policy->revision = change.revision;
        policies_[key] = std::make_unique<Policy>(std::move(*policy));
    } else {
        log_error(
            "a policy's document cannot be read; tokens that name it may do nothing",
            {{"policy", key}, {"error", policy ? "it names another" : policy.error().detail}}
        );
        policies_[key] = nullptr;
    }
    on_change_();
}

void AccessDocuments::mark_changed(const KvChange& change) {
    closed_ = closed_ || change.value.has_value();
    if (change.key == kBootstrap) {
        bootstrap_token_.clear();
        if (change.value) {
            Result<boost::json::value> document = parse_json(*change.value, Limits{});
            const auto* object = document ? document->if_object() : nullptr;
            const auto* id = object != nullptr ? object->if_contains("token") : nullptr;
            // Something that cannot be read was a bootstrap all the same.
            bootstrap_token_ = id != nullptr && id->is_string() ? id->get_string().c_str() : "?";
        }
    }
    on_change_();
}

const Token* AccessDocuments::find_token(std::string_view id) const {
    const auto found = tokens_.find(id);
    return found == tokens_.end() ? nullptr : &found->second;
}

const Policy* AccessDocuments::find_policy(std::string_view tenant, std::string_view name) const {
    if (name == kOperatorPolicy) {
        static const Policy kOperator{
            .name = std::string(kOperatorPolicy),
            .description = "everything; always there",
            .rules = operator_rules()
        };
        return &kOperator;
    }
    const auto found = policies_.find(key_of(tenant, name));
    return found == policies_.end() ? nullptr : found->second.get();
}

bool AccessDocuments::is_broken(std::string_view tenant, std::string_view name) const {
    const auto found = policies_.find(key_of(tenant, name));
    return found != policies_.end() && found->second == nullptr;
}

std::vector<const Policy*> AccessDocuments::policies(std::string_view tenant) const {
    std::vector<const Policy*> found;
    const std::string prefix = key_of(tenant, "");
    for (auto at = policies_.lower_bound(prefix);
         at != policies_.end() && at->first.starts_with(prefix);
         ++at) {
        if (at->second != nullptr) {
            found.push_back(at->second.get());
        }
    }
    return found;
}

void AccessDocuments::put_token(const Token& token, Done done) {
    kv_.put(
        std::string(kTokens) + token.id,
        stored_token_json(token),
        Expect{.kind = Expect::Kind::absent},
        written(std::move(done), "a token of this id")
    );
}

void AccessDocuments::remove_token(const std::string& id, Done done) {
    kv_.remove(std::string(kTokens) + id, Expect{}, written(std::move(done), "the token"));
}

void AccessDocuments::put_policy(const Policy& policy, Expect expect, Done done) {
    kv_.put(
        std::string(kPolicies) + policy.key(),
        stored_policy_json(policy),
        expect,
        written(std::move(done), "this policy")
    );
}

void AccessDocuments::remove_policy(const Policy& policy, Expect expect, Done done) {
    kv_.remove(
        std::string(kPolicies) + policy.key(), expect, written(std::move(done), "this policy")
    );
}

void AccessDocuments::close(Done done) {
    kv_.put(std::string(kClosed), "{}", Expect{}, written(std::move(done), "the mark"));
}

void AccessDocuments::put_bootstrap(const std::string& token_id, Done done) {
    kv_.put(
        std::string(kBootstrap),
        "{\"token\":\"" + token_id + "\"}",
        Expect{},
        written(std::move(done), "the mark")
    );
}

}  // namespace belfry
