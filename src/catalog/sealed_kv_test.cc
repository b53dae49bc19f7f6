#include "catalog/sealed_kv.h"

#include "engine/test_stores.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kCanary = "canary-7f3a-whsec";
const std::string kDocument = R"({"name":"a","secret":")" + kCanary + R"("})";

template <typename Stores>
class SealedKvTest : public testing::Test {
 protected:
    std::string get(Kv& kv, const std::string& key) {
        std::string text = "no answer";
        kv.get(key, [&](Result<KvEntry> entry) {
            text = entry ? entry->value : entry.error().detail;
        });
        stores_.settle();
        return text;
    }
    void put(Kv& kv, const std::string& key, const std::string& value) {
        bool written = false;
        kv.put(key, value, {}, [&](Result<Revision> done) { written = done.has_value(); });
        stores_.settle();
        ASSERT_TRUE(written);
    }
    // How many, or what went wrong.
    std::string reseal(SealedKv& kv) {
        std::string text = "no answer";
        kv.reseal([&](Result<std::size_t> count) {
            text = count ? std::to_string(*count) : count.error().detail;
        });
        stores_.settle();
        return text;
    }
    SealedKv sealed(const SecretBox& box) { return {stores_.kv(), box}; }

    Stores stores_;
    const std::string old_line_ = SecretBox::new_key_line();
    const std::string new_line_ = SecretBox::new_key_line();
    const SecretBox old_ = SecretBox::with(old_line_).value();
    const SecretBox new_ = SecretBox::with(new_line_).value();
    const SecretBox both_ = SecretBox::with(new_line_ + old_line_).value();
};

using Engines = testing::Types<MemoryStores, EmbeddedStores>;
TYPED_TEST_SUITE(SealedKvTest, Engines);

TYPED_TEST(SealedKvTest, ReadsBackWhatLiesSealedBelow) {
    SealedKv kv = this->sealed(this->old_);
    this->put(kv, "s/a", kDocument);
    EXPECT_EQ(this->get(kv, "s/a"), kDocument);
    EXPECT_THAT(this->get(this->stores_.kv(), "s/a"), Not(HasSubstr(kCanary)));
    std::string listed;
    kv.list("s/", [&](Result<std::vector<KvEntry>> entries) {
        for (const KvEntry& entry : entries.value()) {
            listed += entry.key + "=" + entry.value;
        }
    });
    this->stores_.settle();
    EXPECT_EQ(listed, "s/a=" + kDocument);
}

TYPED_TEST(SealedKvTest, WatchersHearThePlainText) {
    SealedKv kv = this->sealed(this->old_);
    this->put(kv, "s/a", "1");
    std::string heard;
    kv.watch(
        "s/",
        [&](const KvChange& change) { heard += change.value.value_or("gone") + " "; },
        [&] { heard += "| "; }
    );
    this->stores_.settle();
    this->put(kv, "s/b", "2");
    kv.remove("s/a", {}, [](const Result<Revision>&) {});
    this->stores_.settle();
    EXPECT_EQ(heard, "1 | 2 gone ");
}

TYPED_TEST(SealedKvTest, SealsWhatIsPlainOrOfAnOlderKey) {
    this->put(this->stores_.kv(), "s/plain", kDocument);
    SealedKv before = this->sealed(this->old_);
    this->put(before, "s/old", kDocument);
    SealedKv kv = this->sealed(this->both_);
    EXPECT_EQ(this->get(kv, "s/plain"), kDocument) << "readable before, too";
    EXPECT_EQ(this->reseal(kv), "2");
    EXPECT_EQ(this->reseal(kv), "0");
    SealedKv after = this->sealed(this->new_);
    EXPECT_EQ(this->get(after, "s/plain"), kDocument);
    EXPECT_EQ(this->get(after, "s/old"), kDocument);
    EXPECT_TRUE(this->new_.is_current(this->get(this->stores_.kv(), "s/plain")));
}

TYPED_TEST(SealedKvTest, TouchesNothingWhenAKeyIsMissing) {
    this->put(this->stores_.kv(), "a/plain", kDocument);
    SealedKv before = this->sealed(this->old_);
    this->put(before, "s/old", kDocument);
    SealedKv kv = this->sealed(this->new_);
    const std::string why = this->reseal(kv);
    EXPECT_THAT(why, HasSubstr("s/old"));
    EXPECT_THAT(why, HasSubstr(this->old_.key_id()));
    EXPECT_EQ(this->get(this->stores_.kv(), "a/plain"), kDocument);
    EXPECT_THAT(this->get(kv, "s/old"), HasSubstr("cannot be read"));
}

TYPED_TEST(SealedKvTest, ADocumentOpensOnlyUnderItsOwnKey) {
    SealedKv kv = this->sealed(this->old_);
    this->put(kv, "s/a", kDocument);
    this->put(this->stores_.kv(), "s/b", this->get(this->stores_.kv(), "s/a"));
    EXPECT_THAT(this->get(kv, "s/b"), HasSubstr("belongs elsewhere"));
}

// Every byte of the directory; the names of its files are not looked at.
std::string bytes_of(const std::string& directory) {
    std::string bytes;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        std::ifstream file(entry.path(), std::ios::binary);
        bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
}

TEST(SealedKvFile, AfterSealingNoByteOfAPlainDocumentIsLeft) {
    EmbeddedStores stores;
    auto put = [&](Kv& kv, const std::string& key, const std::string& value) {
        bool written = false;
        kv.put(key, value, {}, [&](Result<Revision> done) { written = done.has_value(); });
        stores.settle();
        ASSERT_TRUE(written);
    };
    // Small ones share a page, large ones have pages of their own.
    put(stores.kv(), "s/small", kDocument);
    put(stores.kv(), "s/large", kDocument + std::string(60'000, ' '));
    put(stores.kv(), "s/removed", kDocument);
    stores.restart();
    EXPECT_THAT(bytes_of(stores.directory()), HasSubstr(kCanary)) << "the search finds it";

    const SecretBox box = SecretBox::with(SecretBox::new_key_line()).value();
    std::size_t sealed = 0;
    {
        SealedKv kv(stores.kv(), box);
        kv.remove("s/removed", {}, [](const Result<Revision>&) {});
        kv.reseal([&](Result<std::size_t> count) { sealed = count.value(); });
        stores.settle();
    }
    EXPECT_EQ(sealed, 2U);
    stores.restart();
    const std::string bytes = bytes_of(stores.directory());
    EXPECT_THAT(bytes, HasSubstr("s/large")) << "the search finds what is there";
    EXPECT_EQ(bytes.find(kCanary), std::string::npos);
}

}  // namespace
}  // namespace belfry
