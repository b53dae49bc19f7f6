#include "catalog/kept_index.h"

#include "base/manual_clock.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

KeptIndex an_index() {
    using Restrict = SteadybitListener::Restrict;
    KeptIndex kept{
        .identity = "http://h/p?token=\"1\"", .etag = "W/\"1\", 2", .index = {}, .findings = {}
    };
    kept.index.listeners = {
        {.path = "/a?k=v", .method = "POST", .listen_to = {"*"}, .restrict_to = Restrict::any},
        {.path = "/b", .method = "DELETE", .listen_to = {}, .restrict_to = Restrict::aws},
        {.path = "/c", .method = "PUT", .listen_to = {"ü", "deploy"}},
    };
    kept.index.refusals = {
        {.method = "GET", .path = "/d", .listen_to = {"x", "y"}, .reason = "\"method\" is …"},
        {.method = "", .path = "", .listen_to = {}, .reason = "a listener must be an object"},
    };
    kept.index.refusals_beyond = 3;
    kept.findings = {
        {}, {.from = Offset{1UL << 60U}, .refused = "it answered 410: \"gone\"\n"}, {}
    };
    return kept;
}

class KeptIndexesTest : public testing::Test {
 protected:
    Result<void> put(const std::string& key, const KeptIndex& kept) {
        std::optional<Result<void>> result;
        indexes_.put(key, kept, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result.value();
    }
    Result<void> remove(const std::string& key) {
        std::optional<Result<void>> result;
        indexes_.remove(key, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result.value();
    }
    KeptIndexes::ByKey load() {
        std::optional<KeptIndexes::ByKey> result;
        indexes_.load([&](KeptIndexes::ByKey all) { result = std::move(all); });
        loop_.run_all();
        return result.value();
    }

    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    Limits limits_;
    KeptIndexes indexes_{kv_, limits_};
};

TEST_F(KeptIndexesTest, ComeBackAsTheyWerePut) {
    KeptIndex other = an_index();
    other.index = {};
    other.findings.clear();
    ASSERT_TRUE(put("default/a", an_index()));
    ASSERT_TRUE(put("acme/a", other));
    EXPECT_EQ(load(), (KeptIndexes::ByKey{{"default/a", an_index()}, {"acme/a", other}}));
    ASSERT_TRUE(put("default/a", other));
    ASSERT_TRUE(remove("acme/a"));
    EXPECT_TRUE(remove("acme/a")) << "it is gone already";
    EXPECT_EQ(load(), (KeptIndexes::ByKey{{"default/a", other}}));
}

TEST_F(KeptIndexesTest, OneThatIsTooLargeIsNotKeptNorTheOneBeforeIt) {
    ASSERT_TRUE(put("default/a", an_index()));
    KeptIndex large = an_index();
    large.index.listeners[0].listen_to = {std::string(64 * 1024, 'x')};
    const Result<void> refused = put("default/a", large);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_large);
    EXPECT_EQ(refused.error().limit, 64U * 1024);
    EXPECT_TRUE(load().empty());
}

TEST_F(KeptIndexesTest, AnEtagThatIsNoTextIsLeftOut) {
    KeptIndex odd = an_index();
    odd.etag = "\xff";
    ASSERT_TRUE(put("default/a", odd));
    odd.etag = "";
    EXPECT_EQ(load().at("default/a"), odd);
}

TEST_F(KeptIndexesTest, WhatCannotBeReadCountsAsAbsent) {
    const std::string good = kept_index_json(an_index());
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    for (const std::string& text :
         {std::string(),
          std::string("{}"),
          with("\"identity\"", "\"identitx\""),
          with("\"findings\":[{\"from\":0},", "\"findings\":["),
          with("\"from\":0", "\"from\":-1"),
          with("\"method\":\"DELETE\"", "\"method\":\"GET\""),
          with("\"refused\":", "\"refusee\":"),
          with("\"reason\":\"a ", "\"reason\":7,\"b\":\"a "),
          with("\"eventListeners\":[", "\"eventListeners\":[7,")}) {
        EXPECT_FALSE(parse_kept_index(text, limits_)) << text;
        kv_.put("extension-indexes/default/bad", text, Expect{}, [](const Result<Revision>&) {});
        ASSERT_TRUE(put("default/good", an_index()));
        EXPECT_EQ(load(), (KeptIndexes::ByKey{{"default/good", an_index()}})) << text;
    }
}

TEST_F(KeptIndexesTest, AStoreThatFailsIsTold) {
    kv_.device().fail_writes({.code = Errc::disk_full, .detail = "full"}, 2);
    EXPECT_EQ(put("default/a", an_index()).error().code, Errc::disk_full);
    EXPECT_EQ(remove("default/a").error().code, Errc::disk_full);
}

}  // namespace
}  // namespace belfry
