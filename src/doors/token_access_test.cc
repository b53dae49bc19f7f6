#include "auth/token_access.h"

#include "auth/access_administration.h"
#include "auth/token_secret.h"
#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using enum Permission;

PolicyRules rules(std::string_view json) {
    Result<Policy> policy =
        parse_policy(R"({"name":"x","rules":)" + std::string(json) + "}", Limits{});
    EXPECT_TRUE(policy) << policy.error().detail;
    return policy->rules;
}

class TokenAccessTest : public testing::Test {
 protected:
    TokenAccessTest() { make(DefaultPolicy::deny); }

    void make(DefaultPolicy default_policy) {
        access_ = std::make_unique<TokenAccess>(
            documents_,
            clock_,
            rng_,
            TokenAccessOptions{.default_policy = default_policy, .bad_tokens_per_minute = 4}
        );
        administration_ = std::make_unique<AccessAdministration>(AccessAdministration::Ports{
            .documents = documents_,
            .clock = clock_,
            .rng = rng_,
            .limits = limits_,
            .default_policy = default_policy
        });
        if (!started_) {
            documents_.start([this] { access_->documents_changed(); }, [this] { started_ = true; });
            loop_.run_all();
        }
    }

    Result<Caller> identify(std::string_view token, std::string_view peer = "10.0.0.9") {
        return access_->identify(
            {.token = token, .peer = peer, .peer_is_loopback = true, .host = "localhost:8420"}
        );
    }
    Caller caller(std::string_view token) {
        Result<Caller> found = identify(token);
        EXPECT_TRUE(found) << found.error().detail;
        return found.value_or(Caller{});
    }
    Errc error_of(std::string_view token, std::string_view peer = "10.0.0.9") {
        Result<Caller> found = identify(token, peer);
        EXPECT_FALSE(found);
        return found ? Errc::internal : found.error().code;
    }

    // Makes one change and gives what came of it.
    template <typename T, typename... Arguments>
    Result<T> run(auto change, const Caller& by, Arguments... arguments) {
        Result<T> result = fail(Errc::internal, "no answer");
        ((*administration_).*
         change)(by, std::move(arguments)..., [&](Result<T> done) { result = std::move(done); });
        loop_.run_all();
        return result;
    }
    Result<Policy> policy(
        const Caller& by, std::string name, std::string_view json, std::string tenant = "default"
    ) {
        Policy made{.tenant = std::move(tenant), .name = std::move(name)};
        made.rules = rules(json);
        return run<Policy>(&AccessAdministration::create_policy, by, made);
    }
    Result<Policy> replace(const Caller& by, std::string name, std::string_view json) {
        Policy made{.name = std::move(name)};
        made.rules = rules(json);
        return run<Policy>(&AccessAdministration::replace_policy, by, made, Expect{});
    }
    Result<IssuedToken> token(
        const Caller& by, std::vector<std::string> policies, std::optional<Duration> expires = {}
    ) {
        std::ranges::sort(policies);
        return run<IssuedToken>(
            &AccessAdministration::create_token,
            by,
            TokenRequest{.policies = std::move(policies), .expires = expires}
        );
    }
    Result<void> revoke(const Caller& by, std::string id, std::string tenant = "default") {
        return run<void>(
            &AccessAdministration::revoke_token, by, AccessName{std::move(tenant), std::move(id)}
        );
    }
    // The first token: everything. Closes the hub.
    Caller operator_caller() {
        Result<IssuedToken> made = token(caller(""), {"operator"});
        EXPECT_TRUE(made) << made.error().detail;
        operator_secret_ = made->secret;
        return caller(made->secret);
    }
    // A token of a policy made for it.
    IssuedToken with_rules(const Caller& by, const std::string& name, std::string_view json) {
        EXPECT_TRUE(policy(by, name, json));
        Result<IssuedToken> made = token(by, {name});
        EXPECT_TRUE(made) << made.error().detail;
        return made.value_or(IssuedToken{});
    }

    ManualClock clock_;
    ManualExecutor loop_;
    SeededRng rng_{3};
    Limits limits_;
    MemoryKv kv_{loop_};
    AccessDocuments documents_{kv_};
    bool started_ = false;
    std::unique_ptr<TokenAccess> access_;
    std::unique_ptr<AccessAdministration> administration_;
    std::string operator_secret_;
};

bool writes(const Caller& caller, std::string_view type) {
    return caller.may(Resource::event, Verb::write, type);
}
bool reads(const Caller& caller, std::string_view type) {
    return caller.may(Resource::event, Verb::read, type);
}

TEST(TokenSecret, HasAFormThatScannersKnowAndAChecksum) {
    SeededRng rng{1};
    const std::string secret = new_token_secret(rng);
    EXPECT_TRUE(has_token_form(secret)) << secret;
    EXPECT_EQ(secret.size(), 63U);
    EXPECT_NE(secret, new_token_secret(rng));
    for (std::size_t i = 0; i < secret.size(); ++i) {
        std::string other = secret;
        other[i] = other[i] == '0' ? '1' : '0';
        EXPECT_FALSE(has_token_form(other)) << "a change at " << i;
    }
    EXPECT_FALSE(has_token_form(""));
    EXPECT_FALSE(has_token_form(secret + "0"));
    EXPECT_EQ(new_token_id(rng).size(), kTokenIdBytes);
}

TEST_F(TokenAccessTest, WithoutTokensAProgramOnThisMachineMayDoEverything) {
    Caller open = caller("");
    EXPECT_TRUE(writes(open, "deploy"));
    EXPECT_TRUE(open.may(Resource::token, Verb::write));
    EXPECT_TRUE(open.grant->valid());
    Result<Caller> page = access_->identify(
        {.peer_is_loopback = true, .host = "localhost:8420", .origin = "http://evil.example"}
    );
    EXPECT_FALSE(page);
}

TEST_F(TokenAccessTest, TheFirstTokenClosesTheHubAndItStaysClosed) {
    Caller before = caller("");
    Caller op = operator_caller();
    EXPECT_FALSE(before.grant->valid());
    EXPECT_FALSE(writes(before, "deploy")) << "whoever was let in before";
    Caller stranger = caller("");
    EXPECT_FALSE(reads(stranger, "deploy"));
    EXPECT_EQ(
        stranger.check(Resource::event, Verb::read, "deploy").error().code, Errc::unauthenticated
    );
    EXPECT_TRUE(stranger.may(Resource::none, Verb::read));
    ASSERT_TRUE(revoke(op, op.token_id));
    EXPECT_FALSE(reads(caller(""), "deploy")) << "revoking the last token opens nothing";
}

TEST_F(TokenAccessTest, AWrongARevokedAndAnExpiredTokenAreRefusedInTheSameWords) {
    Caller op = operator_caller();
    IssuedToken revoked = token(op, {"operator"}).value();
    IssuedToken expired = token(op, {"operator"}, 1h).value();
    ASSERT_TRUE(revoke(op, revoked.token.id));
    clock_.advance(1h - 1us);
    EXPECT_TRUE(identify(expired.secret));
    clock_.advance(1us);
    std::vector<std::string> words;
    const std::string never_issued = new_token_secret(rng_);
    for (std::string_view secret :
         {std::string_view(revoked.secret),
          std::string_view(expired.secret),
          std::string_view(never_issued),
          std::string_view("x")}) {
        Result<Caller> refused = identify(secret, "peer of " + std::string(secret));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::unauthenticated);
        EXPECT_EQ(refused.error().detail, "the token is not valid");
    }
    clock_.jump_wall(-2h);
    EXPECT_FALSE(identify(expired.secret)) << "the clock went back, the token stays expired";
}

TEST_F(TokenAccessTest, ATokenThatDiffersInOneByteFromTheOneShownLastIsRefused) {
    const Caller op = operator_caller();
    const std::string secret = operator_secret_;
    ASSERT_EQ(secret.size(), kTokenSecretBytes);
    for (std::size_t at = 0; at < secret.size(); ++at) {
        for (const unsigned bit : {0x01U, 0x80U}) {
            std::string other = secret;
            other[at] = static_cast<char>(static_cast<unsigned char>(other[at]) ^ bit);
            // An address for each: none is held up for the others.
            const std::string peer = std::to_string(at) + "." + std::to_string(bit);
            EXPECT_EQ(error_of(other, peer), Errc::unauthenticated) << "a change at " << at;
            EXPECT_EQ(caller(secret).token_id, op.token_id) << "shown last again";
        }
    }
    EXPECT_EQ(error_of(secret.substr(1), "shorter"), Errc::unauthenticated);
    EXPECT_EQ(error_of(secret + secret.back(), "longer"), Errc::unauthenticated);
}

TEST_F(TokenAccessTest, WhoeverIsInsideLosesWhatItsTokenAndPoliciesLose) {
    Caller op = operator_caller();
    IssuedToken made = with_rules(op, "ci", R"({"event_prefix":{"dep":"write"}})");
    Caller inside = caller(made.secret);
    EXPECT_TRUE(writes(inside, "deploy"));
    ASSERT_TRUE(replace(op, "ci", R"({"event_prefix":{"dep":"read"}})"));
    EXPECT_FALSE(writes(inside, "deploy"));
    EXPECT_TRUE(reads(inside, "deploy"));
    EXPECT_TRUE(inside.grant->valid());
    ASSERT_TRUE(revoke(op, made.token.id));
    EXPECT_FALSE(reads(inside, "deploy"));
    EXPECT_FALSE(inside.grant->valid());
    IssuedToken brief = token(op, {"ci"}, 1h).value();
    inside = caller(brief.secret);
    clock_.advance(1h);
    EXPECT_FALSE(inside.grant->valid());
    EXPECT_FALSE(reads(inside, "deploy"));
}

TEST_F(TokenAccessTest, TooManyWrongTokensAreTurnedAwayButNeverAGoodOne) {
    Caller op = operator_caller();
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(error_of("wrong"), Errc::unauthenticated);
    }
    EXPECT_EQ(error_of("wrong"), Errc::rate_limited);
    EXPECT_EQ(error_of("wrong", "10.0.0.10"), Errc::unauthenticated);
    EXPECT_TRUE(identify(operator_secret_)) << "of the same address";
    clock_.advance(1min);
    EXPECT_EQ(error_of("wrong"), Errc::unauthenticated);
}

TEST_F(TokenAccessTest, AnonymousMayWhatItsPolicySaysButNotFromAForeignPage) {
    Caller op = operator_caller();
    ASSERT_TRUE(policy(op, "anonymous", R"({"event":{"public":"read"}})"));
    EXPECT_TRUE(reads(caller(""), "public"));
    EXPECT_FALSE(reads(caller(""), "private"));
    EXPECT_FALSE(access_->identify(
        {.peer_is_loopback = true, .host = "localhost", .origin = "http://evil.example"}
    ));
    EXPECT_FALSE(access_->identify({.peer_is_loopback = true, .host = "evil.example"}));
}

TEST_F(TokenAccessTest, APolicyThatIsLostOrDamagedAllowsNothing) {
    Caller op = operator_caller();
    IssuedToken made = with_rules(op, "ci", R"({"event_prefix":{"":"write"}})");
    ASSERT_TRUE(policy(op, "less", R"({"event":{"secret":"deny"}})"));
    IssuedToken both = token(op, {"ci", "less"}).value();
    Caller inside = caller(both.secret);
    EXPECT_TRUE(reads(inside, "x"));
    kv_.put("policies/default/less", "{", Expect{}, [](auto) {});
    loop_.run_all();
    EXPECT_FALSE(reads(inside, "x")) << "what it denied is not known any more";
    EXPECT_TRUE(reads(caller(made.secret), "x"));
    kv_.remove("policies/default/less", Expect{}, [](auto) {});
    loop_.run_all();
    EXPECT_FALSE(reads(inside, "secret"));
    kv_.put("tokens/" + made.token.id, "{", Expect{}, [](auto) {});
    loop_.run_all();
    EXPECT_EQ(error_of(made.secret), Errc::unauthenticated);
}

TEST_F(TokenAccessTest, NobodyMakesATokenOrPolicyThatMayMoreThanHimself) {
    Caller op = operator_caller();
    IssuedToken made = with_rules(
        op,
        "lead",
        R"({"event_prefix":{"dep":"write"},"event":{"deploy.x":"deny"},"token":"write"})"
    );
    Caller lead = caller(made.secret);
    auto refused = [](const auto& result) {
        return !result && result.error().code == Errc::denied;
    };
    EXPECT_TRUE(policy(lead, "a", R"({"event_prefix":{"deploy.a":"write"}})"));
    EXPECT_TRUE(refused(policy(lead, "b", R"({"event_prefix":{"de":"read"}})")));
    EXPECT_TRUE(refused(policy(lead, "b", R"({"event_prefix":{"deploy.":"read"}})")))
        << "deploy.x would be in it";
    EXPECT_TRUE(refused(policy(lead, "b", R"({"subscription":"read"})")));
    EXPECT_TRUE(refused(token(lead, {"operator"})));
    EXPECT_TRUE(token(lead, {"a"}));
    EXPECT_TRUE(token(lead, {"lead"})) << "as much as himself";
    EXPECT_TRUE(refused(token(caller(token(lead, {"a"})->secret), {"a"}))) << "no token:write";
    EXPECT_TRUE(refused(revoke(lead, op.token_id))) << "of one who may more";
}

TEST_F(TokenAccessTest, NobodyMakesATokenThatOutlivesHisOwn) {
    Caller op = operator_caller();
    ASSERT_TRUE(policy(op, "lead", R"({"event_prefix":{"":"write"},"token":"write"})"));
    IssuedToken brief = token(op, {"lead"}, 1h).value();
    Caller lead = caller(brief.secret);
    Result<IssuedToken> longer = token(lead, {"lead"}, 1h + 1s);
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().code, Errc::denied);
    EXPECT_EQ(longer.error().field, "expires");
    EXPECT_TRUE(longer.error().detail.contains("2026-01-01T01:00:00")) << longer.error().detail;
    EXPECT_TRUE(token(lead, {"lead"}, 1h));
    clock_.advance(59min);
    EXPECT_FALSE(token(lead, {"lead"}, 61s)) << "an hour that began earlier";
    EXPECT_TRUE(token(lead, {"lead"}, 1min));
    Result<IssuedToken> same = token(lead, {"lead"});
    ASSERT_TRUE(same) << same.error().detail;
    EXPECT_EQ(same->token.expires, brief.token.expires) << "not for ever";
    Result<IssuedToken> next = token(caller(same->secret), {"lead"});
    ASSERT_TRUE(next) << next.error().detail;
    EXPECT_EQ(next->token.expires, brief.token.expires) << "nor by way of a third";
    EXPECT_FALSE(token(op, {"lead"})->token.expires) << "he who has no end gives none";
    clock_.advance(1min);
    EXPECT_FALSE(token(lead, {"lead"})) << "its time is over";
    EXPECT_FALSE(identify(same->secret));
    EXPECT_FALSE(identify(next->secret));
}

TEST_F(TokenAccessTest, NobodyWidensAnotherTokenThroughItsPolicies) {
    Caller op = operator_caller();
    ASSERT_TRUE(policy(op, "wide", R"({"event_prefix":{"":"write"}})"));
    ASSERT_TRUE(policy(op, "but", R"({"event":{"secret":"deny"}})"));
    ASSERT_TRUE(policy(op, "tokens", R"({"token":"write"})"));
    IssuedToken made = token(op, {"but", "tokens", "wide"}).value();
    Caller lead = caller(made.secret);
    EXPECT_FALSE(reads(lead, "secret"));
    auto refused = [](const auto& result) {
        return !result && result.error().code == Errc::denied;
    };
    EXPECT_TRUE(refused(replace(lead, "but", "{}"))) << "would give himself `secret`";
    EXPECT_TRUE(refused(token(lead, {"wide"}))) << "would have what he has not";
    EXPECT_TRUE(replace(lead, "but", R"({"event":{"secret":"deny","more":"deny"}})"));
    EXPECT_FALSE(reads(lead, "more"));
    Result<void> removed =
        run<void>(&AccessAdministration::remove_policy, op, AccessName{"default", "but"}, Expect{});
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, Errc::conflict) << "tokens name it";
    EXPECT_EQ(replace(op, "operator", "{}").error().code, Errc::conflict);
}

TEST_F(TokenAccessTest, ATenantSeesNothingOfAnother) {
    Caller op = operator_caller();
    ASSERT_TRUE(policy(op, "lead", R"({"event_prefix":{"":"write"},"token":"write"})", "acme"));
    Result<IssuedToken> made = run<IssuedToken>(
        &AccessAdministration::create_token,
        op,
        TokenRequest{.policies = {"lead"}, .tenant = "acme"}
    );
    ASSERT_TRUE(made) << made.error().detail;
    Caller acme = caller(made->secret);
    EXPECT_EQ(acme.tenant, "acme");
    EXPECT_EQ(
        administration_->tenant_of(acme, "default", Verb::read).error().code, Errc::not_found
    );
    EXPECT_EQ(administration_->tenant_of(acme, "", Verb::write).value(), "acme");
    EXPECT_EQ(administration_->tenant_of(op, "acme", Verb::write).value(), "acme");
    EXPECT_EQ(revoke(acme, op.token_id, "acme").error().code, Errc::not_found);
    Result<IssuedToken> foreign = run<IssuedToken>(
        &AccessAdministration::create_token,
        acme,
        TokenRequest{.policies = {"lead"}, .tenant = "default"}
    );
    EXPECT_EQ(foreign.error().code, Errc::not_found);
}

TEST_F(TokenAccessTest, ChangesAreJudgedOneAfterAnother) {
    Caller op = operator_caller();
    IssuedToken made = with_rules(op, "lead", R"({"event_prefix":{"":"write"},"token":"write"})");
    Caller lead = caller(made.secret);
    Result<void> revoked = fail(Errc::internal, "no answer");
    Result<IssuedToken> late = fail(Errc::internal, "no answer");
    administration_->revoke_token(op, {"default", made.token.id}, [&](auto result) {
        revoked = std::move(result);
    });
    administration_->create_token(lead, {.policies = {"lead"}}, [&](auto result) {
        late = std::move(result);
    });
    loop_.run_all();
    EXPECT_TRUE(revoked);
    ASSERT_FALSE(late) << "the maker was revoked before its turn";
    EXPECT_EQ(late.error().code, Errc::denied);
}

TEST_F(TokenAccessTest, AStoreThatFailsMakesNoTokenAndTheNextChangeGoesOn) {
    Caller op = operator_caller();
    kv_.device().fail_writes({.code = Errc::disk_full, .detail = "full"});
    EXPECT_FALSE(token(op, {"operator"}));
    EXPECT_TRUE(token(op, {"operator"}));
}

TEST_F(TokenAccessTest, TheDefaultPolicyMayAllow) {
    make(DefaultPolicy::allow);
    documents_.start([this] { access_->documents_changed(); }, [] {});
    loop_.run_all();
    Caller op = operator_caller();
    EXPECT_TRUE(writes(caller(""), "deploy"));
    EXPECT_FALSE(caller("").may(Resource::token, Verb::read));
    ASSERT_TRUE(policy(op, "anonymous", R"({"event":{"secret":"deny"}})"));
    EXPECT_FALSE(reads(caller(""), "secret"));
}

TEST_F(TokenAccessTest, KnowsATokenByItsFingerprintUntilSomethingChanges) {
    Caller op = operator_caller();
    access_->documents_changed();
    EXPECT_EQ(access_->cached_tokens(), 0U);
    EXPECT_TRUE(identify(operator_secret_));
    EXPECT_TRUE(identify(operator_secret_));
    EXPECT_EQ(access_->cached_tokens(), 1U);
    static_cast<void>(identify("wrong"));
    EXPECT_EQ(access_->cached_tokens(), 1U) << "a wrong one takes no room";
    ASSERT_TRUE(revoke(op, op.token_id));
    EXPECT_EQ(error_of(operator_secret_), Errc::unauthenticated);
}

}  // namespace
}  // namespace belfry
