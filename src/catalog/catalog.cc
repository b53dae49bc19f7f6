#include "catalog/catalog.h"

#include "base/logging.h"

#include <utility>

namespace belfry {

namespace {

constexpr std::string_view kKeyPrefix = "subscriptions/";

std::string kv_key(const SubscriptionKey& key) {
    return std::string(kKeyPrefix) + key;
}

std::string name_of(const SubscriptionKey& key) {
    return key.substr(key.rfind('/') + 1);
}

std::unexpected<Error> no_subscription(const SubscriptionKey& key) {
    return fail(Errc::not_found, "there is no subscription named '" + name_of(key) + "'");
}

// Says what Kv said in the words of a caller, who knows nothing of keys.
Error in_our_words(Error error, const SubscriptionKey& key) {
    if (error.code == Errc::conflict) {
        error.detail = "a subscription named '" + name_of(key) + "' exists";
    } else if (error.code == Errc::precondition_failed) {
        error.detail = "the subscription '" + name_of(key) + "' has another revision";
    } else if (error.code == Errc::not_found) {
        error.detail = no_subscription(key).error().detail;
    }
    return error;
}

// What is wrong stands in `detail` as a whole.
Result<Subscription> read_stored(const SubscriptionKey& key, std::string_view document) {
    Result<Subscription> subscription = parse_stored_subscription(document);
    if (!subscription) {
        const Error& error = subscription.error();
        const std::string field = error.field.empty() ? "" : " (" + error.field + ")";
        return fail(Errc::unavailable, error.detail + field);
    }
    if (subscription->key() != key) {
        return fail(Errc::unavailable, "it names itself '" + subscription->key() + "'");
    }
    return subscription;
}

Result<std::string> document_of(const Subscription& subscription, const Limits& limits) {
    std::string document = stored_subscription_json(subscription);
    if (document.size() > limits.document_bytes) {
        return std::unexpected(Error{
            .code = Errc::too_large,
            .detail = "the document has " + std::to_string(document.size()) + " bytes, at most " +
                      std::to_string(limits.document_bytes) + " are allowed",
            .limit = limits.document_bytes
        });
    }
    // The next start would be refused.
    if (auto again = read_stored(subscription.key(), document); !again) {
        return fail(
            Errc::internal, "the document could not be read again: " + again.error().detail
        );
    }
    return document;
}

// A new document without a secret keeps the one it replaces; credentials it must name again.
void keep_secrets(Subscription& next, const Subscription& current) {
    auto* sink = std::get_if<WebhookSink>(&next.sink);
    const auto* before = std::get_if<WebhookSink>(&current.sink);
    if (sink != nullptr && before != nullptr && sink->secrets.empty()) {
        sink->secrets = before->secrets;
        sink->previous_until = before->previous_until;
    }
}

}  // namespace

Catalog::Catalog(Kv& kv, const Limits& limits) : kv_(kv), limits_(limits) {}

void Catalog::start(OnSubscription on_change, std::move_only_function<void(Result<void>)> done) {
    on_subscription_ = std::move(on_change);
    told_stored_ = false;
    stored_.clear();
    unreadable_.clear();
    kv_.watch(
        std::string(kKeyPrefix),
        [this](const KvChange& change) { changed(change); },
        [this, done = std::move(done)]() mutable { done(tell_stored()); }
    );
}

void Catalog::changed(const KvChange& change) {
    SubscriptionKey key = change.key.substr(kKeyPrefix.size());
    if (!change.value) {
        on_subscription_(key, nullptr);
        subscriptions_.erase(key);
        return;
    }
    Result<Subscription> parsed = read_stored(key, *change.value);
    if (!parsed) {
        log_error(
            "a subscription's document cannot be read",
            {{"subscription", key}, {"error", parsed.error().detail}}
        );
        if (!told_stored_) {
            unreadable_.push_back(
                "the document " + change.key + " cannot be read: " + parsed.error().detail
            );
        }
        return;
    }
    parsed->revision = change.revision;
    if (told_stored_) {
        tell(std::move(*parsed));
    } else {
        stored_.push_back(std::move(*parsed));
    }
}

// All or none.
Result<void> Catalog::tell_stored() {
    if (!unreadable_.empty()) {
        std::string detail = unreadable_.front();
        if (unreadable_.size() > 1) {
            detail += ", nor can " + std::to_string(unreadable_.size() - 1) + " more";
        }
        return fail(
            Errc::unavailable,
            detail + "; start the version of Belfry that wrote it, or remove it as " +
                "docs/state_format.md says"
        );
    }
    told_stored_ = true;
    for (Subscription& subscription : std::exchange(stored_, {})) {
        tell(std::move(subscription));
    }
    return {};
}

void Catalog::tell(Subscription subscription) {
    SubscriptionKey key = subscription.key();
    auto next = std::make_unique<Subscription>(std::move(subscription));
    on_subscription_(key, next.get());
    subscriptions_[key] = std::move(next);
}

const Subscription* Catalog::find(const SubscriptionKey& key) const {
    auto found = subscriptions_.find(key);
    return found == subscriptions_.end() ? nullptr : found->second.get();
}

std::vector<const Subscription*> Catalog::list(std::string_view tenant) const {
    std::string prefix = std::string(tenant) + "/";
    std::vector<const Subscription*> found;
    for (auto at = subscriptions_.lower_bound(prefix);
         at != subscriptions_.end() && at->first.starts_with(prefix);
         ++at) {
        if (at->second->tenant == tenant) {
            found.push_back(at->second.get());
        }
    }
    return found;
}

Result<Subscription> Catalog::stored(const SubscriptionKey& key) const {
    const Subscription* subscription = find(key);
    if (subscription == nullptr) {
        return no_subscription(key);
    }
    return *subscription;
}

void Catalog::create(const Subscription& subscription, Done done) {
    SubscriptionKey key = subscription.key();
    if (find(key) != nullptr) {
        done(std::unexpected(in_our_words(Error{.code = Errc::conflict}, key)));
        return;
    }
    if (list(subscription.tenant).size() >= limits_.subscriptions) {
        done(std::unexpected(Error{
            .code = Errc::rate_limited,
            .detail = "the tenant has as many subscriptions as it may",
            .limit = limits_.subscriptions
        }));
        return;
    }
    Result<std::string> document = document_of(subscription, limits_);
    if (!document) {
        done(std::unexpected(std::move(document.error())));
        return;
    }
    kv_.put(
        kv_key(key),
        std::move(*document),
        Expect{.kind = Expect::Kind::absent},
        [this, key, done = std::move(done)](Result<Revision> written) mutable {
            done(
                written ? stored(key)
                        : std::unexpected(in_our_words(std::move(written.error()), key))
            );
        }
    );
}

void Catalog::replace(Subscription subscription, Expect expect, Done done) {
    put(std::move(subscription), expect, std::move(done));
}

void Catalog::put(Subscription next, Expect expect, Done done) {
    SubscriptionKey key = next.key();
    const Subscription* current = find(key);
    if (current == nullptr) {
        done(no_subscription(key));
        return;
    }
    // What is kept comes from the current document, so the write is for exactly that one: a secret
    // that is being rotated at this moment is not lost.
    Subscription merged = next;
    keep_secrets(merged, *current);
    Result<std::string> document = document_of(merged, limits_);
    if (!document) {
        done(std::unexpected(std::move(document.error())));
        return;
    }
    bool any = expect.kind == Expect::Kind::any;
    Expect exactly = any ? Expect{Expect::Kind::revision, current->revision} : expect;
    kv_.put(
        kv_key(key),
        std::move(*document),
        exactly,
        [this, any, expect, key, next = std::move(next), done = std::move(done)](
            Result<Revision> written
        ) mutable {
            if (written) {
                done(stored(key));
            } else if (any && written.error().code == Errc::precondition_failed) {
                // Somebody else's write succeeded, and the catalog has heard it: judge again.
                put(std::move(next), expect, std::move(done));
            } else {
                done(std::unexpected(in_our_words(std::move(written.error()), key)));
            }
        }
    );
}

void Catalog::remove(
    const SubscriptionKey& key, Expect expect, std::move_only_function<void(Result<void>)> done
) {
    kv_.remove(
        kv_key(key),
        expect,
        [key, done = std::move(done)](Result<Revision> removed) mutable {
            if (!removed) {
                done(std::unexpected(in_our_words(std::move(removed.error()), key)));
                return;
            }
            done({});
        }
    );
}

}  // namespace belfry
