#include "base/standard_error.h"

#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace belfry {

namespace {

bool is_writable(std::chrono::milliseconds within) {
    pollfd standard_error{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&standard_error, 1, static_cast<int>(within.count())) > 0;
}

// Like write(2), but EAGAIN instead of a wait. So few bytes fit into a pipe that is writable at
// all. A socket is writable only while it is nearly empty, but can be asked itself.
ssize_t write_some(std::string_view bytes) {
    bytes = bytes.substr(0, PIPE_BUF);
    const ssize_t sent =
        ::send(STDERR_FILENO, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != ENOTSOCK) {
        return sent;
    }
    if (!is_writable(std::chrono::milliseconds(0))) {
        errno = EAGAIN;
        return -1;
    }
    return ::write(STDERR_FILENO, bytes.data(), bytes.size());
}

}  // namespace

std::size_t write_standard_error(std::string_view bytes, std::chrono::milliseconds patience) {
    std::size_t done = 0;
    bool waited = false;
    while (done < bytes.size()) {
        const ssize_t written = write_some(bytes.substr(done));
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno == EAGAIN && !waited && is_writable(patience)) {
            waited = true;
        } else if (errno != EINTR) {
            break;
        }
    }
    return done;
}

}  // namespace belfry
