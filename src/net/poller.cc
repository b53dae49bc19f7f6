#include "net/poller.h"

#include "base/assert.h"

#include <unistd.h>

namespace belfry {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    ASSERT(epoll_ >= 0);
}

Poller::~Poller() {
    ::close(epoll_);
}

bool Poller::add(int descriptor, std::uint32_t events, Watcher* watcher) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = watcher;
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::change(int descriptor, std::uint32_t events, Watcher* watcher) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = watcher;
    ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0);
}

void Poller::remove(int descriptor, const Watcher* watcher) {
    epoll_event event{};
    ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &event) == 0);
    for (std::size_t i = next_; i < count_; ++i) {
        if (ready_[i].data.ptr == watcher) {
            ready_[i].data.ptr = nullptr;
        }
    }
}

std::size_t Poller::poll() {
    const int ready = ::epoll_wait(epoll_, ready_.data(), static_cast<int>(kBatch), 0);
    if (ready <= 0) {
        return 0;
    }
    count_ = static_cast<std::size_t>(ready);
    next_ = 0;
    while (next_ < count_) {
        const epoll_event event = ready_[next_];
        ++next_;
        if (event.data.ptr != nullptr) {
            static_cast<Watcher*>(event.data.ptr)->on_ready(event.events);
        }
    }
    count_ = 0;
    return static_cast<std::size_t>(ready);
}

}  // namespace belfry
