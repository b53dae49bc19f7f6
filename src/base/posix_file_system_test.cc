#include "base/file_system.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace belfry {
namespace {

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

class PosixFileSystemTest : public testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "belfry-files-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        directory_ = root_ + "/a/b";
        ASSERT_TRUE(files_.make_directory(directory_));
    }
    void TearDown() override {
        auto names = files_.list(directory_);
        for (const std::string& name : names.value_or(std::vector<std::string>())) {
            EXPECT_TRUE(files_.remove(directory_ + "/" + name));
        }
        ::rmdir(directory_.c_str());
        ::rmdir((root_ + "/a").c_str());
        ::rmdir(root_.c_str());
    }
    [[nodiscard]] unsigned mode(const std::string& path) const {
        struct stat info{};
        EXPECT_EQ(::stat(path.c_str(), &info), 0);
        return info.st_mode & 07777U;
    }

    FileSystem& files_ = posix_file_system();
    std::string root_;
    std::string directory_;
};

TEST_F(PosixFileSystemTest, WritesReadsAndSyncs) {
    auto file = files_.open(directory_ + "/f", OpenMode::create).value();
    EXPECT_TRUE(file->write_at(0, bytes_of("hello")));
    EXPECT_TRUE(file->write_durable(5, bytes_of(" world")));
    EXPECT_TRUE(file->sync());
    EXPECT_TRUE(files_.sync_directory(directory_));
    EXPECT_EQ(file->size().value(), 11U);
    std::array<char, 16> buffer{};
    EXPECT_EQ(file->read_at(6, std::as_writable_bytes(std::span(buffer))).value(), 5U);
    EXPECT_EQ(std::string_view(buffer.data(), 5), "world");
    auto cached = file->read_cached(0, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(cached) << cached.error().detail;
    if (*cached) {
        EXPECT_EQ(**cached, 11U);
    }
    EXPECT_TRUE(file->truncate(4));
    EXPECT_EQ(file->size().value(), 4U);
}

TEST_F(PosixFileSystemTest, CreatesPrivateFilesAndDirectories) {
    auto file = files_.open(directory_ + "/f", OpenMode::create);
    ASSERT_TRUE(file);
    EXPECT_EQ(mode(directory_ + "/f"), 0600U);
    EXPECT_EQ(mode(directory_), 0700U);
    EXPECT_EQ(mode(root_ + "/a"), 0700U);
}

TEST_F(PosixFileSystemTest, DoesNotFollowASymbolicLink) {
    ASSERT_EQ(::symlink("/etc/hostname", (directory_ + "/link").c_str()), 0);
    EXPECT_FALSE(files_.open(directory_ + "/link", OpenMode::read));
    EXPECT_FALSE(files_.open(directory_ + "/link", OpenMode::create));
}

TEST_F(PosixFileSystemTest, MissingFileIsNotFound) {
    auto file = files_.open(directory_ + "/none", OpenMode::read_write);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::not_found);
    EXPECT_NE(file.error().detail.find("/none"), std::string::npos);
    EXPECT_EQ(files_.remove(directory_ + "/none").error().code, Errc::not_found);
}

TEST_F(PosixFileSystemTest, FullDiskIsDiskFull) {
    auto file = files_.open("/dev/full", OpenMode::read_write);
    ASSERT_TRUE(file) << file.error().detail;
    auto written = (*file)->write_at(0, bytes_of("x"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::disk_full);
}

TEST_F(PosixFileSystemTest, ListsSortsAndRenames) {
    ASSERT_TRUE(files_.open(directory_ + "/b", OpenMode::create));
    ASSERT_TRUE(files_.open(directory_ + "/a", OpenMode::create));
    EXPECT_EQ(files_.list(directory_).value(), (std::vector<std::string>{"a", "b"}));
    ASSERT_TRUE(files_.rename(directory_ + "/b", directory_ + "/c"));
    EXPECT_EQ(files_.list(directory_).value(), (std::vector<std::string>{"a", "c"}));
}

TEST_F(PosixFileSystemTest, SecondLockIsAConflict) {
    auto first = files_.lock(directory_ + "/lock");
    ASSERT_TRUE(first);
    auto second = files_.lock(directory_ + "/lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    first->reset();
    EXPECT_TRUE(files_.lock(directory_ + "/lock"));
}

TEST_F(PosixFileSystemTest, KnowsTheSpaceOfTheDisk) {
    auto space = files_.space(directory_);
    ASSERT_TRUE(space);
    EXPECT_GT(space->total_bytes, 0U);
    EXPECT_LE(space->free_bytes, space->total_bytes);
}

}  // namespace
}  // namespace belfry
