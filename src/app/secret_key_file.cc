#include "app/secret_key_file.h"

#include "base/logging.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::uint64_t kKeyFileBytesMax = 16 * 1024;

// Written under another name first: a key file is there as a whole or not at all.
Result<void> make_key_file(
    FileSystem& files, const std::string& directory, const std::string& path
) {
    const std::string unfinished = path + ".new";
    std::string line = SecretBox::new_key_line();
    Result<void> made = [&]() -> Result<void> {
        Result<std::unique_ptr<File>> file = files.open(unfinished, OpenMode::create);
        if (!file) {
            return std::unexpected(std::move(file.error()));
        }
        if (Result<void> cut = (*file)->truncate(0); !cut) {
            return cut;
        }
        const Bytes bytes = std::as_bytes(std::span(line));
        if (Result<void> written = (*file)->write_durable(0, bytes); !written) {
            return written;
        }
        if (Result<void> renamed = files.rename(unfinished, path); !renamed) {
            return renamed;
        }
        return files.sync_directory(directory);
    }();
    sodium_memzero(line.data(), line.size());
    if (made) {
        log_info("made a key that seals documents; keep a copy of it elsewhere", {{"file", path}});
    }
    return made;
}

Result<void> check_file(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        const std::string error = std::strerror(errno);
        return fail(
            Errc::not_found,
            fmt::format(
                "{}: {}; name an existing file in secrets.key_file: one key a line, each the "
                "Base64 "
                "of 32 random bytes",
                path,
                error
            )
        );
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(Errc::bad_request, path + " is not a regular file");
    }
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
        return fail(
            Errc::denied,
            fmt::format(
                "{} belongs to user {}, and this is user {}; make it this user's",
                path,
                status.st_uid,
                ::geteuid()
            )
        );
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Errc::denied, fmt::format("{} can be read by others; `chmod 600` it", path));
    }
    return {};
}

}  // namespace

Result<SecretBox> open_secret_box(
    FileSystem& files, const std::string& setting, const std::string& data_directory
) {
    const bool ours = setting == "auto";
    const std::string path = ours ? data_directory + "/secrets.key" : setting;
    if (ours && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
        if (Result<void> made = make_key_file(files, data_directory, path); !made) {
            return std::unexpected(std::move(made.error()));
        }
    }
    if (Result<void> good = check_file(path); !good) {
        return std::unexpected(std::move(good.error()));
    }
    Result<std::unique_ptr<File>> file = files.open(path, OpenMode::read);
    if (!file) {
        return std::unexpected(std::move(file.error()));
    }
    std::string text(kKeyFileBytesMax, '\0');
    const Result<std::size_t> size = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    if (!size) {
        return std::unexpected(size.error());
    }
    Result<SecretBox> box = SecretBox::with(std::string_view(text).substr(0, *size));
    sodium_memzero(text.data(), text.size());
    if (!box) {
        box.error().detail = path + ": " + box.error().detail;
    }
    return box;
}

}  // namespace belfry
