#include "hub/shared_reads.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

// Subscriptions whose events are mixed at random stand some thousands of events apart; 16 MiB at
// most.
constexpr std::size_t kStretches = 64;
constexpr ReadLimit kStretch{.events = 256, .bytes = 256 * 1024};
// What nobody asked for in this time is dropped.
constexpr std::chrono::seconds kUnused{5};

ReadResult part_of(const ReadResult& read, Offset from, std::size_t events) {
    auto first = std::ranges::partition_point(read.entries, [from](const LogEntry& entry) {
        return end_of(entry) <= from;
    });
    const auto left = static_cast<std::size_t>(read.entries.end() - first);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(events, left));
    return ReadResult{
        .entries = std::vector(first, last), .next = last == first ? from : end_of(*(last - 1))
    };
}

}  // namespace

SharedReads::SharedReads(Clock& clock, Log& log) : clock_(clock), log_(log) {}

SharedReads::~SharedReads() {
    clock_.cancel(timer_);
}

void SharedReads::read(Offset from, std::size_t events, ReadDone done) {
    ++reads_;
    Waiting waiting{.from = from, .events = events, .done = std::move(done)};
    if (give_kept(waiting)) {
        return;
    }
    auto joined = std::ranges::find_if(under_way_, [from](const UnderWay& read) {
        return from >= read.from && from - read.from < kStretch.events;
    });
    if (joined != under_way_.end()) {
        joined->waiting.push_back(std::move(waiting));
        return;
    }
    start(begin_of(from), std::move(waiting));
}

// What retention dropped meanwhile is not given: the log says where it begins now.
bool SharedReads::give_kept(Waiting& waiting) {
    Stretch* stretch = waiting.from < log_.first_offset() ? nullptr : find(waiting.from);
    if (stretch == nullptr) {
        return false;
    }
    stretch->used = reads_;
    const std::shared_ptr<const ReadResult> kept = stretch->read;
    waiting.done(part_of(*kept, waiting.from, waiting.events));
    return true;
}

void SharedReads::start(Offset begin, Waiting waiting) {
    under_way_.push_back(UnderWay{.from = begin, .waiting = {}});
    under_way_.back().waiting.push_back(std::move(waiting));
    log_.read(begin, kStretch, [this, begin](Result<ReadResult> result) {
        came(begin, std::move(result));
    });
}

// Stretches that begin at multiples of their length do not overlap. Where events are so large that
// a stretch ends by its bytes, such a one may not reach `from`.
Offset SharedReads::begin_of(Offset from) const {
    const Offset aligned{from.value - from.value % kStretch.events};
    if (large_events_ || from < log_.first_offset()) {
        return from;
    }
    return std::max(aligned, log_.first_offset());
}

SharedReads::Stretch* SharedReads::find(Offset from) {
    auto after = stretches_.upper_bound(from);
    if (after == stretches_.begin()) {
        return nullptr;
    }
    Stretch& stretch = std::prev(after)->second;
    return from < stretch.read->next ? &stretch : nullptr;
}

void SharedReads::came(Offset from, Result<ReadResult> result) {
    auto at = std::ranges::find(under_way_, from, &UnderWay::from);
    std::vector<Waiting> waiting = std::move(at->waiting);
    under_way_.erase(at);
    std::shared_ptr<const ReadResult> now;
    if (result) {
        large_events_ =
            result->entries.size() < kStretch.events && result->next < log_.next_offset();
        now = std::make_shared<const ReadResult>(std::move(*result));
        if (!now->entries.empty()) {
            keep(from, now);
        }
    }
    for (Waiting& one : waiting) {
        if (now != nullptr && (one.from < now->next || now->entries.empty())) {
            one.done(part_of(*now, one.from, one.events));
        } else if (one.from > from) {
            read_from_there(std::move(one));  // what failed, or ended, may lie before it
        } else {
            one.done(std::unexpected(result.error()));
        }
    }
}

void SharedReads::read_from_there(Waiting waiting) {
    if (give_kept(waiting)) {
        return;
    }
    auto same = std::ranges::find(under_way_, waiting.from, &UnderWay::from);
    if (same != under_way_.end()) {
        same->waiting.push_back(std::move(waiting));
    } else {
        const Offset from = waiting.from;
        start(from, std::move(waiting));
    }
}

void SharedReads::keep(Offset from, std::shared_ptr<const ReadResult> read) {
    // What lies inside it would only hide it.
    auto inside = stretches_.lower_bound(from);
    while (inside != stretches_.end() && inside->second.read->next <= read->next) {
        inside = stretches_.erase(inside);
    }
    if (stretches_.size() == kStretches) {
        stretches_.erase(std::ranges::min_element(stretches_, {}, [](const auto& stretch) {
            return stretch.second.used;
        }));
    }
    stretches_[from] = Stretch{.read = std::move(read), .used = reads_};
    arm();
}

void SharedReads::arm() {
    if (timer_ != TimerId{}) {
        return;
    }
    reads_at_timer_ = reads_;
    timer_ = clock_.call_after(kUnused, [this] {
        timer_ = TimerId{};
        std::erase_if(stretches_, [this](const auto& stretch) {
            return stretch.second.used <= reads_at_timer_;
        });
        if (!stretches_.empty()) {
            arm();
        }
    });
}

}  // namespace belfry
