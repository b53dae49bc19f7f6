#include "eventkit/unix_socket_path.h"

#include "base/file_system.h"
#include "net/socket.h"
#include "net/socket_address.h"

#include <cerrno>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace belfry::eventkit {
namespace {

Result<void> make_directory_of(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) {
        return fail(
            Errc::unavailable, "cannot make the directory of " + path + ": " + error.message()
        );
    }
    return {};
}

// Nobody listens on a socket that refuses.
bool is_left_behind(const SocketAddress& address) {
    const Socket probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return probe.descriptor() >= 0 &&
           ::connect(probe.descriptor(), address.get(), address.size) != 0 && errno == ECONNREFUSED;
}

}  // namespace

Result<void> UnixSocketPath::claim(
    const std::string& path, const std::function<Result<void>()>& listen
) {
    const Result<SocketAddress> address = parse_unix_path(path);
    if (!address) {
        return fail(Errc::bad_request, "\"" + path + "\" is " + address.error().detail);
    }
    if (Result<void> made = make_directory_of(path); !made) {
        return made;
    }
    struct stat there{};
    if (::lstat(path.c_str(), &there) == 0) {
        if (!S_ISSOCK(there.st_mode)) {
            return fail(Errc::conflict, path + " is there and is no socket: it is not replaced");
        }
        if (!is_left_behind(*address)) {
            return fail(Errc::conflict, "another process listens on " + path);
        }
        if (Result<void> removed = posix_file_system().remove(path); !removed) {
            return removed;
        }
    }
    path_ = path;
    Result<void> listening = listen();
    if (listening) {  // else what is there now is somebody else's, who was quicker
        bound();
    }
    return listening;
}

void UnixSocketPath::bound() {
    struct stat there{};
    if (::lstat(path_.c_str(), &there) == 0) {
        device_ = there.st_dev;
        node_ = there.st_ino;
    }
}

void UnixSocketPath::release() {
    struct stat there{};
    if (node_ != 0 && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ &&
        there.st_ino == node_) {
        [[maybe_unused]] const Result<void> removed = posix_file_system().remove(path_);
    }
    node_ = 0;
}

}  // namespace belfry::eventkit
