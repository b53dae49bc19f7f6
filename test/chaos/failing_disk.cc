// A disk that fails on demand, for LD_PRELOAD: stands between the program and the C library and
// spoils calls that open, read or change files below a directory. test/chaos/disk_errors and
// power_cut drive it.
//
//   BELFRY_DISK_DIRECTORY   only files below it are touched
//   BELFRY_DISK_FAULT       KIND:CALL or KIND:CALL:sticky; CALL counts those calls from 1
//   BELFRY_DISK_COUNT       a file that gets the number of those calls at the end
//
// eio, enospc: nothing is done. torn: half of a write, then EIO; of a synchronous write all, but
// EIO. short: half of a read or write and success. interrupted: EINTR where Linux has it: no sync,
// rename or unlink is interrupted, and SQLite counts on that. lose: a write says success and does
// nothing. nosync: from that call on nothing is synced, though every call says so. A full disk can
// be read: enospc spoils no read.
#undef _FORTIFY_SOURCE  // with it the headers define some of these calls themselves
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum class Fault : std::uint8_t { none, eio, enospc, torn, short_write, interrupted, lose, nosync };

struct Plan {
    std::string directory;
    Fault fault = Fault::none;
    long call = 0;
    bool sticky = false;
    std::atomic<long> calls = 0;

    Plan() {
        const char* where = std::getenv("BELFRY_DISK_DIRECTORY");
        directory = where == nullptr ? "" : where;
        const char* text = std::getenv("BELFRY_DISK_FAULT");
        parse(text == nullptr ? "" : text);
    }
    ~Plan() {
        const char* path = std::getenv("BELFRY_DISK_COUNT");
        int file =
            path == nullptr ? -1 : ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file >= 0) {
            ::dprintf(file, "%ld\n", calls.load());
            ::close(file);
        }
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

 private:
    void parse(const std::string& text) {
        constexpr std::array<std::string_view, 8> kKinds{
            "none", "eio", "enospc", "torn", "short", "interrupted", "lose", "nosync"
        };
        std::size_t colon = text.find(':');
        if (colon == std::string::npos) {
            return;
        }
        for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
            if (text.substr(0, colon) == kKinds[kind]) {
                fault = static_cast<Fault>(kind);
            }
        }
        call = std::strtol(text.c_str() + colon + 1, nullptr, 10);
        sticky = text.ends_with(":sticky") || fault == Fault::nosync;
    }
};

Plan& plan() {
    static Plan one;
    return one;
}

template <typename Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool concerns(std::string_view path) {
    const std::string& directory = plan().directory;
    return !directory.empty() && path.starts_with(directory);
}

bool concerns(int descriptor) {
    std::array<char, 32> link{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
    std::array<char, PATH_MAX> path{};
    ssize_t length = ::readlink(link.data(), path.data(), path.size());
    return length > 0 && concerns(std::string_view(path.data(), static_cast<std::size_t>(length)));
}

// What is to happen to this call; counts it.
template <typename What>
Fault fault_of(const What& what) {
    if (!concerns(what)) {
        return Fault::none;
    }
    long number = plan().calls.fetch_add(1) + 1;
    bool now = number == plan().call || (plan().sticky && number > plan().call);
    return now ? plan().fault : Fault::none;
}

bool fails(Fault fault) {
    switch (fault) {
        case Fault::eio:
        case Fault::torn:
            errno = EIO;
            return true;
        case Fault::enospc:
            errno = ENOSPC;
            return true;
        case Fault::interrupted:
            errno = EINTR;
            return true;
        case Fault::none:
        case Fault::short_write:
        case Fault::lose:
        case Fault::nosync:
            return false;
    }
    return false;
}

// Of calls that are not interrupted.
bool fails_whole(Fault fault) {
    return fault != Fault::interrupted && fails(fault);
}

ssize_t read_some(int descriptor, void* bytes, std::size_t count, off_t position) {
    using Call = ssize_t(int, void*, std::size_t, off_t);
    static Call* call = real<Call>("pread64");
    Fault fault = fault_of(descriptor);
    if (fault != Fault::enospc && fails(fault)) {
        return -1;
    }
    bool half = fault == Fault::short_write && count > 1;
    return call(descriptor, bytes, half ? count / 2 : count, position);
}

ssize_t read_pieces(int descriptor, const iovec* pieces, int count, off_t position, int flags) {
    using Call = ssize_t(int, const iovec*, int, off_t, int);
    static Call* call = real<Call>("preadv64v2");
    Fault fault = fault_of(descriptor);
    bool failed = fault != Fault::enospc && fails(fault);
    return failed ? -1 : call(descriptor, pieces, count, position, flags);
}

int open_file(const char* path, int flags, mode_t mode) {
    using Call = int(const char*, int, ...);
    static Call* call = real<Call>("open64");
    Fault fault = fault_of(std::string_view(path));
    bool spoiled = fault != Fault::enospc || (flags & O_CREAT) != 0;
    return spoiled && fails(fault) ? -1 : call(path, flags, mode);
}

ssize_t write_some(int descriptor, const void* bytes, std::size_t count, off_t position) {
    using Call = ssize_t(int, const void*, std::size_t, off_t);
    static Call* call = real<Call>("pwrite64");
    Fault fault = fault_of(descriptor);
    if (fault == Fault::lose) {
        return static_cast<ssize_t>(count);
    }
    if (fault == Fault::torn) {
        call(descriptor, bytes, count / 2, position);
    }
    if (fails(fault)) {
        return -1;
    }
    bool half = fault == Fault::short_write && count > 1;
    return call(descriptor, bytes, half ? count / 2 : count, position);
}

ssize_t write_pieces(int descriptor, const iovec* pieces, int count, off_t position, int flags) {
    using Call = ssize_t(int, const iovec*, int, off_t, int);
    static Call* call = real<Call>("pwritev64v2");
    Fault fault = fault_of(descriptor);
    if (fault == Fault::lose && count == 1) {
        return static_cast<ssize_t>(pieces->iov_len);
    }
    if (fault == Fault::torn) {
        call(descriptor, pieces, count, position, 0);
    }
    if (fails(fault)) {
        return -1;
    }
    if (fault == Fault::short_write && count == 1 && pieces->iov_len > 1) {
        iovec half{.iov_base = pieces->iov_base, .iov_len = pieces->iov_len / 2};
        return call(descriptor, &half, 1, position, flags);
    }
    return call(descriptor, pieces, count, position, fault == Fault::nosync ? 0 : flags);
}

int sync_file(int descriptor, const char* name) {
    Fault fault = fault_of(descriptor);
    if (fails_whole(fault)) {
        return -1;
    }
    return fault == Fault::nosync ? 0 : real<int(int)>(name)(descriptor);
}

int cut_file(int descriptor, off_t size) {
    using Call = int(int, off_t);
    static Call* call = real<Call>("ftruncate64");
    return fails(fault_of(descriptor)) ? -1 : call(descriptor, size);
}

}  // namespace

// The C library names its parameters with words that are reserved to it.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" {

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_file(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_file(path, flags, mode);
}
ssize_t pread(int descriptor, void* bytes, std::size_t count, off_t position) {
    return read_some(descriptor, bytes, count, position);
}
ssize_t pread64(int descriptor, void* bytes, std::size_t count, off_t position) {
    return read_some(descriptor, bytes, count, position);
}
ssize_t preadv2(int descriptor, const iovec* pieces, int count, off_t position, int flags) {
    return read_pieces(descriptor, pieces, count, position, flags);
}
ssize_t preadv64v2(int descriptor, const iovec* pieces, int count, off_t position, int flags) {
    return read_pieces(descriptor, pieces, count, position, flags);
}
ssize_t pwrite(int descriptor, const void* bytes, std::size_t count, off_t position) {
    return write_some(descriptor, bytes, count, position);
}
ssize_t pwrite64(int descriptor, const void* bytes, std::size_t count, off_t position) {
    return write_some(descriptor, bytes, count, position);
}
ssize_t pwritev2(int descriptor, const iovec* pieces, int count, off_t position, int flags) {
    return write_pieces(descriptor, pieces, count, position, flags);
}
ssize_t pwritev64v2(int descriptor, const iovec* pieces, int count, off_t position, int flags) {
    return write_pieces(descriptor, pieces, count, position, flags);
}
int fdatasync(int descriptor) {
    return sync_file(descriptor, "fdatasync");
}
int fsync(int descriptor) {
    return sync_file(descriptor, "fsync");
}
int ftruncate(int descriptor, off_t size) noexcept {
    return cut_file(descriptor, size);
}
int ftruncate64(int descriptor, off_t size) noexcept {
    return cut_file(descriptor, size);
}
int rename(const char* from, const char* to) noexcept {
    using Call = int(const char*, const char*);
    static Call* call = real<Call>("rename");
    return fails_whole(fault_of(std::string_view(to))) ? -1 : call(from, to);
}
int unlink(const char* path) noexcept {
    using Call = int(const char*);
    static Call* call = real<Call>("unlink");
    return fails_whole(fault_of(std::string_view(path))) ? -1 : call(path);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
