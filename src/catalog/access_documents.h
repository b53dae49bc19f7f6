// AccessDocuments: tokens, policies and the mark that a hub is closed, kept in Kv and watched into
// memory. Judges nothing; auth/ does. Keys: `tokens/<id>`, `policies/<tenant>/<name>`,
// `access/closed`, `access/bootstrap`. Owned by the wiring; the Kv must outlive it. I/O thread
// only.
#pragma once

#include "catalog/policy.h"
#include "catalog/token.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace belfry {

class AccessDocuments {
 public:
    using Done = std::move_only_function<void(Result<void>)>;

    explicit AccessDocuments(Kv& kv) : kv_(kv) {}

    // Begins to watch; `on_change` runs after every later change and once per document that exists,
    // `on_ready` when all were heard.
    void start(Task on_change, Task on_ready);

    // A token that cannot be read is logged and is none. nullptr if there is none; valid until the
    // next change.
    [[nodiscard]] const Token* find_token(std::string_view id) const;
    [[nodiscard]] const std::map<std::string, Token, std::less<>>& tokens() const {
        return tokens_;
    }
    // The same, but a document that is there and cannot be read `is_broken`: it may hold a `deny`,
    // so it must not count as absent. The operator policy exists in every tenant.
    [[nodiscard]] const Policy* find_policy(std::string_view tenant, std::string_view name) const;
    [[nodiscard]] bool is_broken(std::string_view tenant, std::string_view name) const;
    // The tenant's, by name, the operator policy left out.
    [[nodiscard]] std::vector<const Policy*> policies(std::string_view tenant) const;

    // A token exists or existed: nobody is served without one any more.
    [[nodiscard]] bool closed() const { return closed_ || !tokens_.empty(); }
    // The token that `token bootstrap` made; empty: none yet.
    [[nodiscard]] const std::string& bootstrap_token() const { return bootstrap_token_; }

    // Durable, and heard by the watch, when `done` runs. conflict, precondition_failed, not_found.
    void put_token(const Token& token, Done done);
    void remove_token(const std::string& id, Done done);
    void put_policy(const Policy& policy, Expect expect, Done done);
    void remove_policy(const Policy& policy, Expect expect, Done done);
    void close(Done done);
    void put_bootstrap(const std::string& token_id, Done done);

 private:
    void token_changed(const KvChange& change);
    void policy_changed(const KvChange& change);
    void mark_changed(const KvChange& change);

    // Constant after construction.
    Kv& kv_;
    Task on_change_;
    // I/O thread.
    std::map<std::string, Token, std::less<>> tokens_;
    std::map<std::string, std::unique_ptr<Policy>, std::less<>> policies_;  // nullptr: broken
    bool closed_ = false;
    std::string bootstrap_token_;
};

}  // namespace belfry
