// The set of sockets the loop watches: one epoll descriptor, nested in the loop's io_context.
// A socket costs one entry here and nothing in Asio: no handler, no timer, no re-arming per wait,
// which is worth about a tenth of a request. Owned by the Loop; I/O thread only. Watchers must
// outlive their entry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/epoll.h>

namespace belfry {

// Told when its socket is ready. `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
class Watcher {
 public:
    virtual void on_ready(std::uint32_t events) = 0;

 protected:
    ~Watcher() = default;
};

class Poller {
 public:
    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // Watches `descriptor` for `events`, level-triggered. False if the kernel refuses (no memory,
    // watches used up).
    [[nodiscard]] bool add(int descriptor, std::uint32_t events, Watcher* watcher);
    void change(int descriptor, std::uint32_t events, Watcher* watcher);
    // After return the watcher is not told any more, not even of events already gathered.
    void remove(int descriptor, const Watcher* watcher);

    // Tells the watchers whose sockets are ready now; how many. Does not wait.
    std::size_t poll();
    // Becomes readable when a watched socket is ready.
    [[nodiscard]] int descriptor() const { return epoll_; }

 private:
    static constexpr std::size_t kBatch = 128;

    int epoll_;
    std::array<epoll_event, kBatch> ready_{};
    std::size_t next_ = 0;  // the part of ready_ still to be told
    std::size_t count_ = 0;
};

}  // namespace belfry
