#include "engine/memory_device.h"

namespace belfry {

void MemoryDevice::add(Waiting waiting) {
    if (holds_) {
        waiting_.push_back(std::move(waiting));
    } else {
        perform(std::move(waiting));
    }
}

void MemoryDevice::perform(Waiting waiting) {
    bool fails = waiting.is_write && failures_ > 0;
    if (fails) {
        --failures_;
    }
    waiting.operation(fails ? &failure_ : nullptr);
}

void MemoryDevice::answer(Task task) {
    loop_.post([life = std::weak_ptr(life_), task = std::move(task)]() mutable {
        if (!life.expired()) {
            task();
        }
    });
}

void MemoryDevice::release() {
    release(waiting_.size());
    holds_ = false;
}

void MemoryDevice::release(std::size_t count) {
    for (; count > 0 && !waiting_.empty(); --count) {
        Waiting oldest = std::move(waiting_.front());
        waiting_.pop_front();
        perform(std::move(oldest));
    }
}

void MemoryDevice::fail_writes(Error error, std::size_t count) {
    failure_ = std::move(error);
    failures_ = count;
}

void MemoryDevice::crash() {
    waiting_.clear();
    holds_ = false;
    failures_ = 0;
    life_ = std::make_shared<char>();
}

}  // namespace belfry
