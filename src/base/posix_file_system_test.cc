#include "base/bytes_of_text.h"
#include "base/file_system.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace belfry {
namespace {

// One system call that a kernel refuses with this error.
struct RefusedCall {
    long number;
    int error;
};

// Runs `work` in a thread whose system calls are refused so; false if this machine has no seccomp.
bool run_refused(std::span<const RefusedCall> calls, const std::function<void()>& work) {
    bool refused = false;
    std::thread([&] {
        std::vector<sock_filter> program{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))
        };
        for (const RefusedCall& call : calls) {
            program.push_back(
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, 1)
            );
            program.push_back(BPF_STMT(
                BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(call.error)
            ));
        }
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        sock_fprog filter{
            .len = static_cast<unsigned short>(program.size()), .filter = program.data()
        };
        refused = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
        if (refused) {
            work();
        }
    }).join();
    return refused;
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

// Old kernels and some file systems do not know the flags.
TEST_F(PosixFileSystemTest, WithoutSynchronousWritesItWritesAndSyncs) {
    for (int refusal : {EOPNOTSUPP, EINVAL, ENOSYS}) {
        auto file = files_.open(directory_ + "/f" + std::to_string(refusal), OpenMode::create);
        ASSERT_TRUE(file);
        std::array calls{RefusedCall{SYS_pwritev2, refusal}};
        ASSERT_TRUE(run_refused(calls, [&] {
            EXPECT_TRUE((*file)->write_durable(0, bytes_of("first")));
            EXPECT_TRUE((*file)->write_durable(5, bytes_of("second")));
        }));
        std::array<std::byte, 20> buffer{};
        EXPECT_EQ((*file)->read_at(0, buffer).value(), 11U);
        EXPECT_EQ(std::memcmp(buffer.data(), "firstsecond", 11), 0);
    }
}

TEST_F(PosixFileSystemTest, WithoutSynchronousWritesAFailedSyncIsAFailedWrite) {
    auto file = files_.open(directory_ + "/f", OpenMode::create);
    ASSERT_TRUE(file);
    std::array calls{RefusedCall{SYS_pwritev2, EOPNOTSUPP}, RefusedCall{SYS_fdatasync, EIO}};
    ASSERT_TRUE(run_refused(calls, [&] {
        auto written = (*file)->write_durable(0, bytes_of("x"));
        ASSERT_FALSE(written);
        EXPECT_TRUE(written.error().detail.starts_with("sync ")) << written.error().detail;
    }));
}

TEST_F(PosixFileSystemTest, WithoutReadsThatDoNotWaitNothingCountsAsCached) {
    auto file = files_.open(directory_ + "/f", OpenMode::create);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_durable(0, bytes_of("cached")));
    std::array calls{RefusedCall{SYS_preadv2, EOPNOTSUPP}};
    ASSERT_TRUE(run_refused(calls, [&] {
        std::array<std::byte, 6> buffer{};
        auto read = (*file)->read_cached(0, buffer);
        ASSERT_TRUE(read);
        EXPECT_FALSE(read->has_value());
        EXPECT_EQ((*file)->read_at(0, buffer).value(), 6U);
    }));
}

}  // namespace
}  // namespace belfry
