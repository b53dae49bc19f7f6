#include "catalog/catalog.h"

#include "base/manual_clock.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

Subscription make(const std::string& name, const std::string& tenant = "default") {
    Subscription subscription;
    subscription.tenant = tenant;
    subscription.name = name;
    subscription.sink = WebhookSink{.url = "http://127.0.0.1:9/in"};
    return subscription;
}

Subscription with_secret(const std::string& name, char letter) {
    Subscription subscription = make(name);
    std::get<WebhookSink>(subscription.sink).secrets = {"whsec_" + std::string(32, letter)};
    return subscription;
}

std::vector<std::string> secrets_of(const Subscription& subscription) {
    return std::get<WebhookSink>(subscription.sink).secrets;
}

class CatalogTest : public testing::Test {
 protected:
    CatalogTest() { start(catalog_); }

    void start(Catalog& catalog) {
        catalog.start(
            [&](const SubscriptionKey& key, const Subscription* subscription) {
                const Subscription* old = catalog.find(key);
                heard_ += key + (subscription == nullptr ? " gone" : " set") +
                          (old == nullptr ? " " : " (was set) ");
            },
            [&](const Result<void>& started) {
                heard_ += started ? "| " : "refused: " + started.error().detail;
            }
        );
        loop_.run_all();
    }
    Catalog::Done keep(Result<Subscription>& result) {
        return [&result](Result<Subscription> done) { result = std::move(done); };
    }
    Result<Subscription> create(Subscription subscription) {
        Result<Subscription> result = fail(Errc::internal, "no answer");
        catalog_.create(std::move(subscription), keep(result));
        loop_.run_all();
        return result;
    }
    Result<Subscription> replace(Subscription subscription, Expect expect = {}) {
        Result<Subscription> result = fail(Errc::internal, "no answer");
        catalog_.replace(std::move(subscription), expect, keep(result));
        loop_.run_all();
        return result;
    }
    Result<void> remove(const SubscriptionKey& key, Expect expect = {}) {
        Result<void> result = fail(Errc::internal, "no answer");
        catalog_.remove(key, expect, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result;
    }

    Limits limits_;
    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    Catalog catalog_{kv_, limits_};
    std::string heard_;
};

TEST_F(CatalogTest, TellsEveryChangeWithTheOldValueStillThere) {
    EXPECT_EQ(heard_, "| ");
    heard_.clear();
    Subscription created = create(make("a")).value();
    EXPECT_EQ(created.revision.value, 1U);
    EXPECT_EQ(heard_, "default/a set ");
    Subscription changed = make("a");
    changed.delivery.max_in_flight = 3;
    EXPECT_EQ(replace(changed).value().revision.value, 2U);
    EXPECT_EQ(catalog_.find("default/a")->delivery.max_in_flight, 3U);
    EXPECT_TRUE(remove("default/a").has_value());
    EXPECT_EQ(heard_, "default/a set default/a set (was set) default/a gone (was set) ");
    EXPECT_EQ(catalog_.find("default/a"), nullptr);
}

TEST_F(CatalogTest, ServesWhatTheLastRunStored) {
    ASSERT_TRUE(create(with_secret("b", 'A')).has_value());
    ASSERT_TRUE(create(make("a", "acme")).has_value());
    kv_.crash();
    heard_.clear();
    Catalog next(kv_, limits_);
    start(next);
    EXPECT_EQ(heard_, "acme/a set default/b set | ");
    EXPECT_EQ(secrets_of(*next.find("default/b")).size(), 1U);
    EXPECT_EQ(next.find("default/b")->revision.value, 1U);
}

TEST_F(CatalogTest, DoesNotStartOnADocumentThatCannotBeRead) {
    ASSERT_TRUE(create(make("good")).has_value());
    std::string newer = stored_subscription_json(make("newer"));
    newer.insert(1, R"("later":1,)");
    kv_.put("subscriptions/default/newer", newer, {}, [](auto) {});
    kv_.put("subscriptions/default/other", stored_subscription_json(make("name")), {}, [](auto) {});
    loop_.run_all();
    kv_.crash();
    heard_.clear();
    Catalog next(kv_, limits_);
    start(next);
    EXPECT_EQ(
        heard_,
        "refused: the document subscriptions/default/newer cannot be read: \"later\" is not known "
        "here (later), nor can 1 more; start the version of Belfry that wrote it, or remove it as "
        "docs/state_format.md says"
    ) << "and nobody heard of the good one";
    kv_.remove("subscriptions/default/newer", {}, [](auto) {});
    loop_.run_all();
    kv_.crash();
    heard_.clear();
    Catalog third(kv_, limits_);
    start(third);
    EXPECT_EQ(
        heard_,
        "refused: the document subscriptions/default/other cannot be read: it names itself "
        "'default/name'; start the version of Belfry that wrote it, or remove it as "
        "docs/state_format.md says"
    );
}

TEST_F(CatalogTest, KeepsServingADocumentThatCannotBeReadAnyMore) {
    ASSERT_TRUE(create(make("a")).has_value());
    heard_.clear();
    kv_.put("subscriptions/default/a", "{", {}, [](auto) {});
    loop_.run_all();
    EXPECT_EQ(heard_, "");
    EXPECT_NE(catalog_.find("default/a"), nullptr);
}

TEST_F(CatalogTest, WritesNoDocumentThatItCouldNotReadAgain) {
    Subscription subscription = make("a");
    subscription.delivery.max_in_flight = 0;  // no request may say this
    EXPECT_EQ(create(subscription).error().code, Errc::internal);
    ASSERT_TRUE(create(make("a")).has_value());
    EXPECT_EQ(replace(subscription).error().code, Errc::internal);
    EXPECT_EQ(catalog_.find("default/a")->revision.value, 1U);
}

TEST_F(CatalogTest, ListsATenantByName) {
    for (const char* name : {"b", "a", "c"}) {
        ASSERT_TRUE(create(make(name)).has_value());
    }
    ASSERT_TRUE(create(make("d", "default2")).has_value());
    std::string names;
    for (const Subscription* subscription : catalog_.list("default")) {
        names += subscription->name;
    }
    EXPECT_EQ(names, "abc");
    EXPECT_TRUE(catalog_.list("nobody").empty());
}

TEST_F(CatalogTest, RefusesASecondOfTheSameName) {
    ASSERT_TRUE(create(make("a")).has_value());
    Result<Subscription> again = create(make("a"));
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_EQ(again.error().detail, "a subscription named 'a' exists");
    EXPECT_TRUE(create(make("a", "acme")).has_value()) << "another tenant's is another";
    // Two at once: the store decides.
    Result<Subscription> first = fail(Errc::internal, "no answer");
    Result<Subscription> second = fail(Errc::internal, "no answer");
    catalog_.create(make("b"), keep(first));
    catalog_.create(make("b"), keep(second));
    loop_.run_all();
    EXPECT_TRUE(first.has_value());
    EXPECT_EQ(second.error().code, Errc::conflict);
}

TEST_F(CatalogTest, HoldsLimits) {
    limits_.subscriptions = 2;
    ASSERT_TRUE(create(make("a")).has_value());
    ASSERT_TRUE(create(make("b")).has_value());
    Result<Subscription> third = create(make("c"));
    EXPECT_EQ(third.error().code, Errc::rate_limited);
    EXPECT_EQ(third.error().limit, 2U);
    EXPECT_TRUE(create(make("c", "acme")).has_value());
    limits_.document_bytes = 400;
    Subscription large = make("a");
    std::get<WebhookSink>(large.sink).headers = {{"X-A", std::string(400, 'x')}};
    EXPECT_EQ(replace(large).error().code, Errc::too_large);
    EXPECT_EQ(replace(large).error().limit, 400U);
    large.tenant = "fresh";
    EXPECT_EQ(create(large).error().code, Errc::too_large);
}

TEST_F(CatalogTest, ReplaceKeepsASecretThatIsLeftOut) {
    ASSERT_TRUE(create(with_secret("a", 'A')).has_value());
    Subscription next = replace(make("a")).value();
    EXPECT_EQ(secrets_of(next), secrets_of(with_secret("a", 'A')));
    next = replace(with_secret("a", 'B')).value();
    EXPECT_EQ(secrets_of(next), secrets_of(with_secret("a", 'B')));
    EXPECT_EQ(secrets_of(*catalog_.find("default/a")), secrets_of(next));
}

TEST_F(CatalogTest, ReplaceForgetsCredentialsThatAreLeftOut) {
    Subscription subscription = make("a");
    std::get<WebhookSink>(subscription.sink).auth = BearerAuth{"t"};
    ASSERT_TRUE(create(subscription).has_value());
    Subscription next = replace(make("a")).value();
    EXPECT_TRUE(std::holds_alternative<std::monostate>(std::get<WebhookSink>(next.sink).auth));
}

TEST_F(CatalogTest, TwoWritersAtOnceLoseNoSecret) {
    ASSERT_TRUE(create(with_secret("a", 'A')).has_value());
    Result<Subscription> rotated = fail(Errc::internal, "no answer");
    Result<Subscription> replaced = fail(Errc::internal, "no answer");
    catalog_.replace(with_secret("a", 'B'), {}, keep(rotated));
    Subscription other = make("a");
    other.delivery.max_in_flight = 3;
    catalog_.replace(other, {}, keep(replaced));
    loop_.run_all();
    ASSERT_TRUE(rotated.has_value());
    ASSERT_TRUE(replaced.has_value());
    EXPECT_EQ(secrets_of(*replaced), secrets_of(with_secret("a", 'B')));
    EXPECT_EQ(replaced->delivery.max_in_flight, 3U);
}

TEST_F(CatalogTest, HonoursIfMatch) {
    Expect first{.kind = Expect::Kind::revision, .revision = Revision{1}};
    ASSERT_TRUE(create(make("a")).has_value());
    EXPECT_TRUE(replace(make("a"), first).has_value());
    EXPECT_EQ(replace(make("a"), first).error().code, Errc::precondition_failed);
    EXPECT_EQ(remove("default/a", first).error().code, Errc::precondition_failed);
    EXPECT_EQ(
        remove("default/a", {.kind = Expect::Kind::revision, .revision = Revision{2}}).has_value(),
        true
    );
}

TEST_F(CatalogTest, DoesNotMakeWhatIsNotThere) {
    EXPECT_EQ(replace(make("a")).error().code, Errc::not_found);
    EXPECT_EQ(remove("default/a").error().code, Errc::not_found);
    // Removed while a replacement is under way: it does not come back.
    ASSERT_TRUE(create(make("a")).has_value());
    Result<Subscription> replaced = fail(Errc::internal, "no answer");
    catalog_.remove("default/a", {}, [](auto) {});
    catalog_.replace(make("a"), {}, keep(replaced));
    loop_.run_all();
    EXPECT_EQ(replaced.error().code, Errc::not_found);
    EXPECT_EQ(catalog_.find("default/a"), nullptr);
}

TEST_F(CatalogTest, PassesOnWhatTheDiskSays) {
    kv_.device().fail_writes({.code = Errc::disk_full, .detail = "no room"}, 1);
    heard_.clear();
    EXPECT_EQ(create(make("a")).error().code, Errc::disk_full);
    EXPECT_EQ(heard_, "");
    EXPECT_TRUE(create(make("a")).has_value());
}

}  // namespace
}  // namespace belfry
