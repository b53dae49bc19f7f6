#include "catalog/services.h"

#include "base/manual_clock.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace belfry {
namespace {

class ServicesTest : public testing::Test {
 protected:
    ServicesTest() { start(); }

    void start(std::vector<Service> configured = {}) {
        services_ = std::make_unique<Services>(kv_, limits_, std::move(configured));
        bool ready = false;
        services_->start([&] { ready = true; });
        loop_.run_all();
        EXPECT_TRUE(ready);
    }
    // The process dies and starts again.
    void restart(std::vector<Service> configured = {}) {
        kv_.crash();
        start(std::move(configured));
    }
    Result<void> put(const Service& service) {
        std::optional<Result<void>> result;
        services_->put(service, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result.value();
    }
    Result<void> remove(const std::string& id) {
        std::optional<Result<void>> result;
        services_->remove(id, [&](Result<void> done) { result = std::move(done); });
        loop_.run_all();
        return result.value();
    }
    [[nodiscard]] std::string ids() const {
        std::string ids;
        for (const auto& [id, service] : services_->all()) {
            ids += id + " ";
        }
        return ids;
    }

    Limits limits_;
    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    std::unique_ptr<Services> services_;
};

TEST_F(ServicesTest, AreGivenInTheOrderOfTheirIds) {
    EXPECT_EQ(ids(), "");
    EXPECT_TRUE(put({.id = "b", .name = "two"}));
    EXPECT_TRUE(put({.id = "a", .name = "one"}));
    EXPECT_TRUE(put({.id = "a/b c", .name = "three"}));
    EXPECT_EQ(ids(), "a a/b c b ");
    EXPECT_EQ(services_->find("a")->name, "one");
    EXPECT_EQ(services_->find("c"), nullptr);
}

TEST_F(ServicesTest, AreThereAfterARestart) {
    const Service service{.id = "a", .name = "n", .tags = {"t"}, .port = 7, .meta = {{"k", "v"}}};
    EXPECT_TRUE(put(service));
    EXPECT_TRUE(put({.id = "b", .name = "n"}));
    EXPECT_TRUE(remove("b"));
    restart();
    EXPECT_EQ(ids(), "a ");
    EXPECT_EQ(*services_->find("a"), service);
}

TEST_F(ServicesTest, ASecondRegistrationReplacesTheFirst) {
    EXPECT_TRUE(put({.id = "a", .name = "n", .tags = {"old"}}));
    EXPECT_TRUE(put({.id = "a", .name = "m"}));
    EXPECT_EQ(services_->find("a")->name, "m");
    EXPECT_TRUE(services_->find("a")->tags.empty());
    EXPECT_EQ(ids(), "a ");
}

TEST_F(ServicesTest, WhatIsNotThereCannotBeRemoved) {
    const Result<void> removed = remove("x");
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, Errc::not_found);
    EXPECT_EQ(
        removed.error().detail,
        "Unknown service ID \"x\". Ensure that the service ID is passed, not the service name."
    );
}

TEST_F(ServicesTest, OfTwoRemovalsUnderWayOneFindsNothing) {
    EXPECT_TRUE(put({.id = "a", .name = "n"}));
    std::vector<std::string> heard;
    for (int i = 0; i < 2; ++i) {
        services_->remove("a", [&](Result<void> done) {
            heard.push_back(done ? "gone" : done.error().detail.substr(0, 18));
        });
    }
    loop_.run_all();
    EXPECT_EQ(heard, (std::vector<std::string>{"gone", "Unknown service ID"}));
}

TEST_F(ServicesTest, TheIndexChangesWithEveryChangeAndIsNeverZero) {
    EXPECT_GE(services_->index(), 1U);
    std::uint64_t last = 0;
    EXPECT_TRUE(put({.id = "a", .name = "n"}));
    EXPECT_TRUE(put({.id = "b", .name = "n"}));
    for (const auto& change :
         {std::string("put"), std::string("put again"), std::string("remove")}) {
        last = services_->index();
        EXPECT_TRUE(change == "remove" ? remove("a") : put({.id = "a", .name = change}));
        EXPECT_NE(services_->index(), last) << change;
    }
    EXPECT_FALSE(remove("a"));
    last = services_->index();
    EXPECT_EQ(services_->index(), last);
}

TEST_F(ServicesTest, ConfiguredOnesCannotBeChanged) {
    restart({{.id = "db", .name = "mysql"}});
    EXPECT_EQ(ids(), "db ");
    const std::string sentence =
        "the service 'db' is in the hub's configuration (node.services); change it there";
    for (const Result<void>& tried : {put({.id = "db", .name = "other"}), remove("db")}) {
        ASSERT_FALSE(tried);
        EXPECT_EQ(tried.error().code, Errc::conflict);
        EXPECT_EQ(tried.error().detail, sentence);
    }
    EXPECT_EQ(services_->find("db")->name, "mysql");
}

TEST_F(ServicesTest, AConfiguredOneCoversARegisteredOneWhileItIsThere) {
    EXPECT_TRUE(put({.id = "db", .name = "registered"}));
    restart({{.id = "db", .name = "configured"}});
    EXPECT_EQ(services_->find("db")->name, "configured");
    restart();
    EXPECT_EQ(services_->find("db")->name, "registered");
}

TEST_F(ServicesTest, AreBoundedButTheOnesThatAreThereCanChange) {
    limits_.services = 2;
    restart({{.id = "c", .name = "configured"}});
    EXPECT_TRUE(put({.id = "a", .name = "n"}));
    const Result<void> third = put({.id = "b", .name = "n"});
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Errc::rate_limited);
    EXPECT_EQ(third.error().limit, 2U);
    EXPECT_TRUE(put({.id = "a", .name = "m"}));
    EXPECT_TRUE(remove("a"));
    EXPECT_TRUE(put({.id = "b", .name = "n"}));
}

TEST_F(ServicesTest, RegistrationsUnderWayCountToo) {
    limits_.services = 1;
    int taken = 0;
    for (const char* id : {"a", "b", "c"}) {
        services_->put({.id = id, .name = "n"}, [&](Result<void> done) { taken += done ? 1 : 0; });
    }
    loop_.run_all();
    EXPECT_EQ(taken, 1);
    EXPECT_EQ(ids(), "a ");
    EXPECT_FALSE(put({.id = "d", .name = "n"}));
    EXPECT_TRUE(remove("a"));
    EXPECT_TRUE(put({.id = "d", .name = "n"}));
}

TEST_F(ServicesTest, WhatFiltersSearchInIsBounded) {
    limits_.services_bytes = 20;
    EXPECT_TRUE(put({.id = "a", .name = "0123456789", .tags = {"01234"}}));
    EXPECT_EQ(put({.id = "b", .name = "012345"}).error().limit, 20U);
    EXPECT_TRUE(put({.id = "b", .name = "01234"}));
    EXPECT_TRUE(put({.id = "a", .name = "0123456789", .tags = {"54321"}}));
    EXPECT_FALSE(put({.id = "a", .name = "0123456789", .tags = {"012345"}}));
    EXPECT_EQ(services_->find("a")->tags, std::vector<std::string>{"54321"});
}

TEST_F(ServicesTest, ADocumentThatIsTooLargeIsRefused) {
    limits_.document_bytes = 100;
    const Result<void> put_it = put({.id = "a", .name = std::string(100, 'n')});
    ASSERT_FALSE(put_it);
    EXPECT_EQ(put_it.error().code, Errc::too_large);
    EXPECT_EQ(ids(), "");
}

TEST_F(ServicesTest, AFailedWriteIsToldAndChangesNothing) {
    EXPECT_TRUE(put({.id = "a", .name = "n"}));
    kv_.device().fail_writes({.code = Errc::unavailable, .detail = "the disk is gone"}, 2);
    EXPECT_FALSE(put({.id = "b", .name = "n"}));
    EXPECT_FALSE(remove("a"));
    EXPECT_EQ(ids(), "a ");
    EXPECT_TRUE(put({.id = "b", .name = "n"}));
    EXPECT_EQ(ids(), "a b ");
}

TEST_F(ServicesTest, ADocumentThatCannotBeReadIsLeftOut) {
    EXPECT_TRUE(put({.id = "good", .name = "n"}));
    for (const auto& [key, value] : std::initializer_list<std::pair<std::string, std::string>>{
             {"services/broken", "{"}, {"services/other", R"({"ID":"x","Name":"n"})"}
         }) {
        kv_.put(key, value, Expect{}, [](const Result<Revision>& written) {
            EXPECT_TRUE(written);
        });
    }
    loop_.run_all();
    EXPECT_EQ(ids(), "good ");
    restart();
    EXPECT_EQ(ids(), "good ");
}

}  // namespace
}  // namespace belfry
