#include "base/memory_file_system.h"

#include "base/bytes_of_text.h"

#include <gtest/gtest.h>

#include <string_view>

namespace belfry {
namespace {

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class MemoryFileSystemTest : public testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(files_.make_directory("d"));
        file_ = files_.open("d/f", OpenMode::create).value();
    }
    MemoryFileSystem files_;
    std::unique_ptr<File> file_;
};

TEST_F(MemoryFileSystemTest, PowerCutKeepsSyncedBytesAndSometimesLosesTheRest) {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        MemoryFileSystem copy;
        ASSERT_TRUE(copy.make_directory("d"));
        auto file = copy.open("d/f", OpenMode::create).value();
        ASSERT_TRUE(file->write_durable(0, bytes_of("synced")));
        ASSERT_TRUE(copy.sync_directory("d"));
        ASSERT_TRUE(file->write_at(512, bytes_of("loose")));
        auto before = copy.contents("d/f");
        copy.crash(seed);
        ASSERT_TRUE(text_of(copy.contents("d/f")).starts_with("synced"));
        lost += copy.contents("d/f") != before ? 1 : 0;
        EXPECT_FALSE(file->sync()) << "a file of the dead process must not work";
    }
    EXPECT_GT(lost, 0);
    EXPECT_LT(lost, 20);
}

TEST_F(MemoryFileSystemTest, PowerCutMayLoseANameThatNoDirectorySyncCovered) {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        MemoryFileSystem copy;
        ASSERT_TRUE(copy.make_directory("d"));
        auto file = copy.open("d/f", OpenMode::create).value();
        ASSERT_TRUE(file->write_durable(0, bytes_of("synced")));
        copy.crash(seed);
        lost += copy.exists("d/f") ? 0 : 1;
    }
    EXPECT_GT(lost, 0);
    EXPECT_LT(lost, 20);
}

TEST_F(MemoryFileSystemTest, KillKeepsWhatWasWritten) {
    ASSERT_TRUE(file_->write_at(0, bytes_of("loose")));
    files_.kill();
    EXPECT_EQ(text_of(files_.contents("d/f")), "loose");
    EXPECT_FALSE(file_->size());
    EXPECT_TRUE(files_.open("d/f", OpenMode::read));
}

TEST_F(MemoryFileSystemTest, SyncThatLiesLosesData) {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        MemoryFileSystem liar;
        ASSERT_TRUE(liar.make_directory("d"));
        auto file = liar.open("d/f", OpenMode::create).value();
        ASSERT_TRUE(liar.sync_directory("d"));
        liar.set_sync_lies(true);
        ASSERT_TRUE(file->write_durable(0, bytes_of("synced")));
        liar.crash(seed);
        lost += text_of(liar.contents("d/f")) == "synced" ? 0 : 1;
    }
    EXPECT_GT(lost, 0);
}

TEST_F(MemoryFileSystemTest, PlannedCallFailsOnceOrForGood) {
    files_.reset_counts();
    files_.plan({.call = 2, .fault = MemoryFileSystem::Fault::io_error});
    EXPECT_TRUE(file_->write_at(0, bytes_of("1")));
    EXPECT_FALSE(file_->write_at(1, bytes_of("2")));
    EXPECT_TRUE(file_->write_at(1, bytes_of("3")));
    EXPECT_EQ(text_of(files_.contents("d/f")), "13");
    files_.plan({.call = 4, .fault = MemoryFileSystem::Fault::no_space, .sticky = true});
    for (int i = 0; i < 3; ++i) {
        auto failed = file_->write_at(2, bytes_of("4"));
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, Errc::disk_full);
    }
    files_.clear_faults();
    EXPECT_TRUE(file_->write_at(2, bytes_of("4")));
}

TEST_F(MemoryFileSystemTest, CapacityIsEnoughUntilItIsNot) {
    files_.set_capacity(4);
    EXPECT_TRUE(file_->write_at(0, bytes_of("1234")));
    auto full = file_->write_at(4, bytes_of("5"));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Errc::disk_full);
    EXPECT_EQ(files_.space("d")->free_bytes, 0U);
}

TEST_F(MemoryFileSystemTest, DeadProcessChangesNothingMore) {
    files_.die_after(1);
    EXPECT_TRUE(file_->write_at(0, bytes_of("1")));
    EXPECT_FALSE(file_->write_at(1, bytes_of("2")));
    EXPECT_TRUE(files_.dead());
    files_.kill();
    EXPECT_EQ(text_of(files_.contents("d/f")), "1");
}

TEST_F(MemoryFileSystemTest, LockIsExclusiveUntilReleasedOrKilled) {
    auto held = files_.lock("d/lock");
    ASSERT_TRUE(held);
    auto second = files_.lock("d/lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    held->reset();
    EXPECT_TRUE(files_.lock("d/lock"));
}

}  // namespace
}  // namespace belfry
