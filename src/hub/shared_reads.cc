#include "hub/shared_reads.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

constexpr std::size_t kStretches = 16;
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
    if (Stretch* stretch = from < log_.first_offset() ? nullptr : find(from)) {
        stretch->used = reads_;
        const std::shared_ptr<const ReadResult> kept = stretch->read;
        done(part_of(*kept, from, events));
        return;
    }
    auto joined = std::ranges::find_if(under_way_, [from](const UnderWay& read) {
        return from >= read.from && from - read.from < kStretch.events;
    });
    if (joined != under_way_.end()) {
        joined->waiting.push_back({.from = from, .events = events, .done = std::move(done)});
        return;
    }
    under_way_.push_back(UnderWay{.from = from, .waiting = {}});
    under_way_.back().waiting.push_back({.from = from, .events = events, .done = std::move(done)});
    log_.read(from, kStretch, [this, from](Result<ReadResult> result) {
        came(from, std::move(result));
    });
}

SharedReads::Stretch* SharedReads::find(Offset from) {
    auto found = std::ranges::find_if(stretches_, [from](const Stretch& stretch) {
        return from >= stretch.from && from < stretch.read->next;
    });
    return found == stretches_.end() ? nullptr : &*found;
}

void SharedReads::came(Offset from, Result<ReadResult> result) {
    auto at = std::ranges::find(under_way_, from, &UnderWay::from);
    std::vector<UnderWay::Waiting> waiting = std::move(at->waiting);
    under_way_.erase(at);
    std::shared_ptr<const ReadResult> read_now;
    if (result && !result->entries.empty()) {
        read_now = std::make_shared<const ReadResult>(std::move(*result));
        keep(from, read_now);
    }
    for (UnderWay::Waiting& one : waiting) {
        if (read_now != nullptr && one.from < read_now->next) {
            one.done(part_of(*read_now, one.from, one.events));
        } else if (one.from == from) {
            one.done(result);
        } else {
            read(one.from, one.events, std::move(one.done));
        }
    }
}

void SharedReads::keep(Offset from, std::shared_ptr<const ReadResult> read) {
    if (stretches_.size() == kStretches) {
        stretches_.erase(std::ranges::min_element(stretches_, {}, &Stretch::used));
    }
    stretches_.push_back(Stretch{.from = from, .read = std::move(read), .used = reads_});
    arm();
}

void SharedReads::arm() {
    if (timer_ != TimerId{}) {
        return;
    }
    reads_at_timer_ = reads_;
    timer_ = clock_.call_after(kUnused, [this] {
        timer_ = TimerId{};
        std::erase_if(stretches_, [this](const Stretch& stretch) {
            return stretch.used <= reads_at_timer_;
        });
        if (!stretches_.empty()) {
            arm();
        } else {
            stretches_.shrink_to_fit();
        }
    });
}

}  // namespace belfry
