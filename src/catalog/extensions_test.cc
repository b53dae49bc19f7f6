#include "catalog/extensions.h"

#include "base/manual_clock.h"
#include "catalog/extension_document.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

class ExtensionsTest : public testing::Test {
 protected:
    ExtensionsTest() { start(extensions_); }

    void start(Extensions& extensions) {
        bool ready = false;
        extensions.start([&] { ready = true; });
        loop_.run_all();
        EXPECT_TRUE(ready);
    }
    static RegisteredExtension extension(
        const std::string& url, const std::string& tenant = "default"
    ) {
        RegisteredExtension made =
            parse_extension(R"({"url":")" + url + "\"}", ExtensionDefaults{}, Limits()).value();
        made.tenant = tenant;
        return made;
    }
    Result<void> put(const RegisteredExtension& extension) {
        std::optional<Result<void>> result;
        extensions_.put(extension, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result.value();
    }
    Result<void> remove(const std::string& key) {
        std::optional<Result<void>> result;
        extensions_.remove(key, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result.value();
    }

    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    Limits limits_;
    Extensions extensions_{kv_, limits_};
};

TEST_F(ExtensionsTest, AreFoundByNameAndByIdentityOfTheirTenant) {
    const RegisteredExtension mine = extension("http://a/p");
    ASSERT_TRUE(put(mine));
    ASSERT_TRUE(put(extension("http://a/q", "acme")));
    ASSERT_NE(extensions_.find("default/a:80"), nullptr);
    EXPECT_EQ(*extensions_.find("default/a:80"), mine);
    EXPECT_EQ(extensions_.find("default/b:80"), nullptr);
    EXPECT_NE(extensions_.find_identity("default", "http://a/p"), nullptr);
    EXPECT_EQ(extensions_.find_identity("acme", "http://a/p"), nullptr);
    EXPECT_EQ(extensions_.list("acme").size(), 1U);
    EXPECT_EQ(extensions_.all().size(), 2U);
}

TEST_F(ExtensionsTest, SurviveARestart) {
    ASSERT_TRUE(put(extension("http://a")));
    Extensions again(kv_, limits_);
    start(again);
    ASSERT_NE(again.find("default/a:80"), nullptr);
}

TEST_F(ExtensionsTest, WhatIsRemovedIsGone) {
    ASSERT_TRUE(put(extension("http://a")));
    ASSERT_TRUE(remove("default/a:80"));
    EXPECT_EQ(extensions_.find("default/a:80"), nullptr);
    const Result<void> again = remove("default/a:80");
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, Errc::not_found);
    EXPECT_EQ(again.error().detail, "there is no extension named 'a:80'");
}

TEST_F(ExtensionsTest, ATenantHasAtMostSoMany) {
    limits_.extensions = 1;
    ASSERT_TRUE(put(extension("http://a")));
    const Result<void> second = put(extension("http://b"));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::rate_limited);
    EXPECT_EQ(second.error().limit, 1U);
    EXPECT_TRUE(put(extension("http://a"))) << "one that is there may change";
    EXPECT_TRUE(put(extension("http://b", "acme"))) << "each tenant has its own";
}

TEST_F(ExtensionsTest, ADocumentThatIsTooLargeIsRefused) {
    limits_.document_bytes = 100;
    const Result<void> written = put(extension("http://a"));
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, Errc::too_large);
}

TEST_F(ExtensionsTest, ADocumentThatCannotBeReadIsLeftOut) {
    kv_.put("extensions/default/x", "{}", Expect{}, [](const Result<Revision>&) {});
    kv_.put(
        "extensions/default/y",
        stored_extension_json(extension("http://a")),
        Expect{},
        [](const Result<Revision>&) {}
    );
    loop_.run_all();
    EXPECT_TRUE(extensions_.all().empty()) << "the second one stands under another's name";
    ASSERT_TRUE(put(extension("http://a")));
    EXPECT_EQ(extensions_.all().size(), 1U);
}

}  // namespace
}  // namespace belfry
