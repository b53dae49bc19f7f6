#include "app/data_directory.h"

#include "base/logging.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace belfry {

Result<void> prepare_data_directory(FileSystem& files, const std::string& directory) {
    if (Result<void> made = files.make_directory(directory); !made) {
        return made;
    }
    struct stat status{};
    if (::stat(directory.c_str(), &status) != 0) {
        return fail(Errc::internal, fmt::format("stat {}: {}", directory, std::strerror(errno)));
    }
    if (status.st_uid != ::geteuid()) {
        return fail(
            Errc::internal,
            fmt::format(
                "{} belongs to user {}, and this is user {}; run as its owner, or name a directory "
                "below it",
                directory,
                status.st_uid,
                ::geteuid()
            )
        );
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(
            Errc::internal,
            fmt::format(
                "{} can be written to by others; `chmod 700` it, or name one below it", directory
            )
        );
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        log_warn(
            "others can list the data directory; its files they cannot read", {{"data", directory}}
        );
    }
    return {};
}

}  // namespace belfry
