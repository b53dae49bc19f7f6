// The contract of engine/kv.h, held by every engine.
#include "engine/test_stores.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

template <typename Stores>
class KvContract : public testing::Test {
 protected:
    Result<KvEntry> get(const std::string& key) {
        Result<KvEntry> result = fail(Errc::internal, "no answer");
        stores_.kv().get(key, [&](Result<KvEntry> entry) { result = std::move(entry); });
        stores_.settle();
        return result;
    }
    Result<Revision> put(const std::string& key, const std::string& value, Expect expect = {}) {
        Result<Revision> result = fail(Errc::internal, "no answer");
        stores_.kv().put(key, value, expect, [&](Result<Revision> done) { result = done; });
        stores_.settle();
        return result;
    }
    Result<Revision> remove(const std::string& key, Expect expect = {}) {
        Result<Revision> result = fail(Errc::internal, "no answer");
        stores_.kv().remove(key, expect, [&](Result<Revision> done) { result = done; });
        stores_.settle();
        return result;
    }
    std::string list(const std::string& prefix) {
        std::string text = "no answer";
        stores_.kv().list(prefix, [&](Result<std::vector<KvEntry>> entries) {
            text.clear();
            for (const KvEntry& entry : entries.value()) {
                text += entry.key + "=" + entry.value + "@" + std::to_string(entry.revision.value) +
                        " ";
            }
        });
        stores_.settle();
        return text;
    }
    void watch(const std::string& prefix, std::string& heard) {
        stores_.kv().watch(
            prefix,
            [&heard](const KvChange& change) {
                heard += change.key + (change.value ? "=" + *change.value : " gone") + "@" +
                         std::to_string(change.revision.value) + " ";
            },
            [&heard] { heard += "| "; }
        );
    }
    static Errc code(const Result<Revision>& result) { return result.error().code; }

    Stores stores_;
    static constexpr Expect kAbsent{.kind = Expect::Kind::absent, .revision = {}};
    static Expect revision(std::uint64_t value) {
        return {.kind = Expect::Kind::revision, .revision = Revision{value}};
    }
};

using KvEngines = testing::Types<MemoryStores, EmbeddedStores>;
TYPED_TEST_SUITE(KvContract, KvEngines);

TYPED_TEST(KvContract, ReadsBackWhatWasWritten) {
    EXPECT_EQ(this->get("a").error().code, Errc::not_found);
    EXPECT_EQ(this->put("a", "1").value().value, 1U);
    EXPECT_EQ(this->put("a", "2").value().value, 2U);
    EXPECT_EQ(this->get("a").value().value, "2");
    EXPECT_EQ(this->get("a").value().revision.value, 2U);
    EXPECT_EQ(this->remove("a").value().value, 3U);
    EXPECT_EQ(this->get("a").error().code, Errc::not_found);
    EXPECT_EQ(this->code(this->remove("a")), Errc::not_found);
}

TYPED_TEST(KvContract, KeepsBytesExactly) {
    std::string odd("a\0b\xff\"é", 7);
    ASSERT_TRUE(this->put(odd, odd).has_value());
    ASSERT_TRUE(this->put("empty", "").has_value());
    EXPECT_EQ(this->get(odd).value().value, odd);
    EXPECT_EQ(this->get("empty").value().value, "");
    this->stores_.restart();
    EXPECT_EQ(this->get(odd).value().value, odd);
    EXPECT_EQ(this->get("empty").value().value, "");
}

TYPED_TEST(KvContract, HoldsWritersToWhatTheyExpect) {
    ASSERT_TRUE(this->put("a", "1", this->kAbsent).has_value());
    EXPECT_EQ(this->code(this->put("a", "2", this->kAbsent)), Errc::conflict);
    EXPECT_EQ(this->code(this->put("a", "2", this->revision(7))), Errc::precondition_failed);
    EXPECT_EQ(this->code(this->put("b", "2", this->revision(1))), Errc::precondition_failed);
    EXPECT_EQ(this->code(this->remove("a", this->revision(7))), Errc::precondition_failed);
    EXPECT_EQ(this->code(this->remove("b", this->revision(1))), Errc::precondition_failed);
    EXPECT_EQ(this->list(""), "a=1@1 ") << "refused writes change nothing";
    EXPECT_EQ(this->put("a", "2", this->revision(1)).value().value, 2U) << "and take no revision";
    EXPECT_EQ(this->remove("a", this->revision(2)).value().value, 3U);
    EXPECT_EQ(this->put("a", "3", this->kAbsent).value().value, 4U);
}

TYPED_TEST(KvContract, ListsByPrefixAndKey) {
    for (const char* key : {"b/2", "a/1", "b/10", "c", "b", "b0", "b\xff\xff"}) {
        ASSERT_TRUE(this->put(key, "x").has_value());
    }
    EXPECT_EQ(this->list("b/"), "b/10=x@3 b/2=x@1 ");
    EXPECT_EQ(this->list("c"), "c=x@4 ");
    EXPECT_EQ(this->list("d"), "");
    EXPECT_EQ(this->list("b\xff"), "b\xff\xff=x@7 ");
    EXPECT_EQ(this->list(""), "a/1=x@2 b=x@5 b/10=x@3 b/2=x@1 b0=x@6 b\xff\xff=x@7 c=x@4 ");
}

TYPED_TEST(KvContract, SurvivesARestartAndNeverRepeatsARevision) {
    ASSERT_TRUE(this->put("a", "1").has_value());
    ASSERT_TRUE(this->put("b", "2").has_value());
    ASSERT_TRUE(this->remove("b").has_value());
    ASSERT_TRUE(this->remove("a").has_value());
    this->stores_.restart();
    EXPECT_EQ(this->list(""), "");
    EXPECT_EQ(this->put("a", "1").value().value, 5U);
    this->stores_.restart();
    EXPECT_EQ(this->list(""), "a=1@5 ");
}

TYPED_TEST(KvContract, WatchTellsWhatExistsThenReadyThenEveryChangeInOrder) {
    ASSERT_TRUE(this->put("s/a", "1").has_value());
    ASSERT_TRUE(this->put("t/a", "1").has_value());
    std::string heard;
    this->watch("s/", heard);
    this->stores_.settle();
    EXPECT_EQ(heard, "s/a=1@1 | ");
    heard.clear();
    ASSERT_TRUE(this->put("s/b", "2").has_value());
    ASSERT_TRUE(this->put("t/b", "2").has_value());
    ASSERT_TRUE(this->put("s/a", "3").has_value());
    ASSERT_TRUE(this->remove("s/b").has_value());
    EXPECT_FALSE(this->put("s/a", "4", this->kAbsent).has_value());
    EXPECT_EQ(heard, "s/b=2@3 s/a=3@5 s/b gone@6 ");
}

TYPED_TEST(KvContract, WatchMissesAndRepeatsNothingBesideWritesUnderWay) {
    std::string heard;
    auto ignore = [](Result<Revision>) {};
    this->stores_.kv().put("a", "1", {}, ignore);
    this->watch("", heard);
    this->stores_.kv().put("b", "2", {}, ignore);
    this->stores_.kv().remove("a", {}, ignore);
    this->stores_.settle();
    EXPECT_EQ(heard, "a=1@1 | b=2@2 a gone@3 ");
}

TYPED_TEST(KvContract, WatchersHearAChangeBeforeItsWriter) {
    std::string heard;
    this->watch("", heard);
    this->stores_.settle();
    this->stores_.kv().put("a", "1", {}, [&](Result<Revision>) { heard += "done "; });
    this->stores_.kv().remove("a", {}, [&](Result<Revision>) { heard += "done "; });
    this->stores_.settle();
    EXPECT_EQ(heard, "| a=1@1 done a gone@2 done ");
}

TYPED_TEST(KvContract, AWatcherMayWriteAndWatchFromWithin) {
    std::string inner;
    std::string outer;
    this->stores_.kv().watch(
        "",
        [&](const KvChange& change) {
            outer += change.key + " ";
            if (change.key == "a") {
                this->watch("", inner);
                this->stores_.kv().put("b", "2", {}, [](Result<Revision>) {});
            }
        },
        [] {}
    );
    this->stores_.settle();
    ASSERT_TRUE(this->put("a", "1").has_value());
    EXPECT_EQ(outer, "a b ");
    EXPECT_EQ(inner, "a=1@1 | b=2@2 ");
}

}  // namespace
}  // namespace belfry
