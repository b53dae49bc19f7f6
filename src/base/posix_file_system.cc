#include "base/file_system.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace belfry {

namespace {

std::unexpected<Error> fail_errno(std::string_view call, const std::string& path, int error) {
    Errc code = Errc::internal;
    if (error == ENOSPC || error == EDQUOT) {
        code = Errc::disk_full;
    } else if (error == ENOENT) {
        code = Errc::not_found;
    }
    return fail(
        code, std::string(call) + " " + path + ": " + std::system_category().message(error)
    );
}

std::string parent_of(const std::string& path) {
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

// Repeats a system call that a signal interrupted.
template <typename Call>
auto uninterrupted(Call call) {
    while (true) {
        auto result = call();
        if (result >= 0 || errno != EINTR) {
            return result;
        }
    }
}

// The kernel or file system does not know the flag; the plain calls do the same.
bool flag_refused(int error) {
    return error == EOPNOTSUPP || error == EINVAL || error == ENOSYS;
}

class PosixFile final : public File {
 public:
    PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
    ~PosixFile() override { ::close(descriptor_); }
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;

    Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> buffer) override {
        std::size_t done = 0;
        while (done < buffer.size()) {
            ssize_t count = uninterrupted([&] {
                return ::pread(
                    descriptor_,
                    buffer.data() + done,
                    buffer.size() - done,
                    static_cast<off_t>(position + done)
                );
            });
            if (count < 0) {
                return fail_errno("read", path_, errno);
            }
            if (count == 0) {
                break;
            }
            done += static_cast<std::size_t>(count);
        }
        return done;
    }

    Result<std::optional<std::size_t>> read_cached(
        std::uint64_t position, std::span<std::byte> buffer
    ) override {
        std::size_t done = 0;
        while (done < buffer.size()) {
            iovec piece{.iov_base = buffer.data() + done, .iov_len = buffer.size() - done};
            ssize_t count = uninterrupted([&] {
                return ::preadv2(
                    descriptor_, &piece, 1, static_cast<off_t>(position + done), RWF_NOWAIT
                );
            });
            if (count < 0) {
                if (errno == EAGAIN || flag_refused(errno)) {
                    return std::optional<std::size_t>();
                }
                return fail_errno("read", path_, errno);
            }
            if (count == 0) {
                break;
            }
            done += static_cast<std::size_t>(count);
        }
        return std::optional(done);
    }

    Result<void> write_at(std::uint64_t position, Bytes bytes) override {
        while (!bytes.empty()) {
            ssize_t count = uninterrupted([&] {
                return ::pwrite(
                    descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position)
                );
            });
            if (count < 0) {
                return fail_errno("write", path_, errno);
            }
            position += static_cast<std::size_t>(count);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        return {};
    }

    Result<void> write_durable(std::uint64_t position, Bytes bytes) override {
        while (!bytes.empty() && !dsync_refused_.load(std::memory_order_relaxed)) {
            // preadv2's interface is not const-correct; the kernel only reads from here.
            iovec piece{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
            ssize_t count = uninterrupted([&] {
                return ::pwritev2(descriptor_, &piece, 1, static_cast<off_t>(position), RWF_DSYNC);
            });
            if (count < 0) {
                if (!flag_refused(errno)) {
                    return fail_errno("write", path_, errno);
                }
                dsync_refused_.store(true, std::memory_order_relaxed);
                break;
            }
            position += static_cast<std::size_t>(count);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        if (bytes.empty()) {
            return {};
        }
        auto written = write_at(position, bytes);
        return written ? sync() : written;
    }

    Result<void> sync() override {
        if (uninterrupted([&] { return ::fdatasync(descriptor_); }) < 0) {
            return fail_errno("sync", path_, errno);
        }
        return {};
    }

    Result<std::uint64_t> size() override {
        struct stat info{};
        if (::fstat(descriptor_, &info) < 0) {
            return fail_errno("stat", path_, errno);
        }
        return static_cast<std::uint64_t>(info.st_size);
    }

    Result<void> truncate(std::uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) < 0) {
            return fail_errno("truncate", path_, errno);
        }
        return {};
    }

 private:
    int descriptor_;
    std::string path_;
    std::atomic<bool> dsync_refused_ = false;
};

class PosixLock final : public FileLock {
 public:
    explicit PosixLock(int descriptor) : descriptor_(descriptor) {}
    ~PosixLock() override { ::close(descriptor_); }
    PosixLock(const PosixLock&) = delete;
    PosixLock& operator=(const PosixLock&) = delete;

 private:
    int descriptor_;
};

class PosixFileSystem final : public FileSystem {
 public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        int flags = O_CLOEXEC | O_NOFOLLOW;
        switch (mode) {
            case OpenMode::read:
                flags |= O_RDONLY;
                break;
            case OpenMode::read_write:
                flags |= O_RDWR;
                break;
            case OpenMode::create:
                flags |= O_RDWR | O_CREAT;
                break;
        }
        int descriptor = uninterrupted([&] { return ::open(path.c_str(), flags, 0600); });
        if (descriptor < 0) {
            return fail_errno("open", path, errno);
        }
        return std::make_unique<PosixFile>(descriptor, path);
    }

    Result<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) < 0) {
            return fail_errno("remove", path, errno);
        }
        return {};
    }

    Result<void> rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) < 0) {
            return fail_errno("rename", from, errno);
        }
        return {};
    }

    Result<std::vector<std::string>> list(const std::string& directory) override {
        std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
        if (!open) {
            return fail_errno("list", directory, errno);
        }
        std::vector<std::string> names;
        errno = 0;
        while (dirent* entry = ::readdir(open.get())) {
            if (entry->d_type != DT_DIR) {
                names.emplace_back(entry->d_name);
            }
            errno = 0;
        }
        if (errno != 0) {
            return fail_errno("list", directory, errno);
        }
        // "." and ".." have no type on a few file systems.
        std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<void> make_directory(const std::string& directory) override {
        for (std::size_t end = directory.find('/', 1);; end = directory.find('/', end + 1)) {
            std::string at = directory.substr(0, end);
            bool made = ::mkdir(at.c_str(), 0700) == 0;
            if (!made && errno != EEXIST) {
                return fail_errno("mkdir", at, errno);
            }
            // What is stored in it later is only as durable as its own name.
            if (auto synced = made ? sync_directory(parent_of(at)) : Result<void>(); !synced) {
                return synced;
            }
            if (end == std::string::npos) {
                return {};
            }
        }
    }

    Result<void> sync_directory(const std::string& directory) override {
        int descriptor = uninterrupted([&] {
            return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        });
        if (descriptor < 0) {
            return fail_errno("open", directory, errno);
        }
        int result = uninterrupted([&] { return ::fsync(descriptor); });
        int error = errno;
        ::close(descriptor);
        if (result < 0) {
            return fail_errno("sync", directory, error);
        }
        return {};
    }

    Result<Space> space(const std::string& path) override {
        struct statvfs info{};
        if (uninterrupted([&] { return ::statvfs(path.c_str(), &info); }) < 0) {
            return fail_errno("statvfs", path, errno);
        }
        return Space{
            .free_bytes = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize,
            .total_bytes = static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize,
        };
    }

    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        int descriptor = uninterrupted([&] {
            return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        });
        if (descriptor < 0) {
            return fail_errno("open", path, errno);
        }
        auto held = std::make_unique<PosixLock>(descriptor);
        if (uninterrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) < 0) {
            if (errno == EWOULDBLOCK) {
                return fail(Errc::conflict, "lock " + path + ": another process holds it");
            }
            return fail_errno("lock", path, errno);
        }
        return held;
    }
};

}  // namespace

FileSystem& posix_file_system() {
    static PosixFileSystem files;
    return files;
}

}  // namespace belfry
