// The path of a Unix socket, taken for this process: its directory made, a socket that a process
// left behind removed, and ours removed at the end. Owned by Serving; one thread.
#pragma once

#include "base/error.h"

#include <functional>
#include <string>

namespace belfry::eventkit {

class UnixSocketPath {
 public:
    UnixSocketPath() = default;
    ~UnixSocketPath() { release(); }
    UnixSocketPath(const UnixSocketPath&) = delete;
    UnixSocketPath& operator=(const UnixSocketPath&) = delete;

    // Makes the path ready, has `listen` bind a socket there, and keeps that in mind. conflict:
    // somebody listens there, or it is something else than a socket, which stays.
    [[nodiscard]] Result<void> claim(
        const std::string& path, const std::function<Result<void>()>& listen
    );
    // Removes the socket, if it is still the one that was bound.
    void release();

 private:
    void bound();

    std::string path_;
    unsigned long device_ = 0;
    unsigned long node_ = 0;  // 0: nothing is bound
};

}  // namespace belfry::eventkit
