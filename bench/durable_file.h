// A file filled with zeros that takes one synchronous write after another, by the system call that
// Belfry's log makes: pwritev2 with RWF_DSYNC, and where the kernel or the file system refuses
// that, a write and fdatasync. Starts again at its beginning when it is full.
#pragma once

#include <string>
#include <sys/uio.h>
#include <vector>

#include "sockets.h"

namespace belfry::bench {

class DurableFile {
 public:
    explicit DurableFile(const char* path)
        : file_(check(::open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600), path)) {
        const std::vector<char> zeros(4UL * 1024 * 1024);
        for (std::size_t at = 0; at < kFileBytes; at += zeros.size()) {
            check(::pwrite(file_.get(), zeros.data(), zeros.size(), static_cast<off_t>(at)), path);
        }
        check(::fsync(file_.get()), "fsync");
        const iovec piece{.iov_base = const_cast<char*>(zeros.data()), .iov_len = 4096};
        one_call_ = ::pwritev2(file_.get(), &piece, 1, 0, RWF_DSYNC) == 4096;
    }

    [[nodiscard]] const char* call() const { return one_call_ ? "RWF_DSYNC" : "fdatasync"; }

    void commit(const char* bytes, std::size_t size) {
        if (position_ + size > kFileBytes) {
            position_ = 0;
        }
        const iovec piece{.iov_base = const_cast<char*>(bytes), .iov_len = size};
        const auto at = static_cast<off_t>(position_);
        const ssize_t written = ::pwritev2(file_.get(), &piece, 1, at, one_call_ ? RWF_DSYNC : 0);
        if (check(written, "pwritev2") != static_cast<ssize_t>(size)) {
            std::fputs("short write\n", stderr);
            std::exit(1);
        }
        if (!one_call_) {
            check(::fdatasync(file_.get()), "fdatasync");
        }
        position_ += size;
    }

 private:
    static constexpr std::size_t kFileBytes = 256UL * 1024 * 1024;

    Descriptor file_;
    bool one_call_ = false;
    std::size_t position_ = 0;
};

}  // namespace belfry::bench
