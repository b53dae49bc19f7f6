#include "hub/noted_matches.h"

#include "base/assert.h"

#include <algorithm>

namespace belfry {

void NotedMatches::open() {
    clear();
    open_ = true;
}

void NotedMatches::add(Offset offset) {
    ASSERT(open_);
    if (offsets_.size() - first_ == kMost || together_ == kMostTogether) {
        close(offset);
        return;
    }
    if (first_ > offsets_.size() / 2 && offsets_.size() == offsets_.capacity()) {
        offsets_.erase(offsets_.begin(), offsets_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    offsets_.push_back(offset);
    ++together_;
}

void NotedMatches::close(Offset from) {
    if (open_) {
        open_ = false;
        end_ = from;
    }
}

void NotedMatches::clear() {
    constexpr std::size_t kKept = 64;  // who is behind for a moment is so again and again
    together_ -= offsets_.size() - first_;
    offsets_.clear();
    if (offsets_.capacity() > kKept) {
        offsets_.shrink_to_fit();
    }
    first_ = 0;
    open_ = false;
    end_ = Offset{};
}

void NotedMatches::drop_below(Offset offset) {
    while (!empty() && front() < offset) {
        ++first_;
        --together_;
    }
}

std::size_t NotedMatches::run(std::size_t most) const {
    std::size_t length = 0;
    while (length < most && first_ + length < offsets_.size() &&
           offsets_[first_ + length] == front() + length) {
        ++length;
    }
    return length;
}

}  // namespace belfry
