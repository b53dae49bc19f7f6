#include "hub/retention.h"

#include "base/logging.h"

#include <algorithm>

namespace belfry {

namespace {

// A wall clock that gained more than this on monotonic time since the last look is not believed for
// a while; nor is one that is so far past the newest event at the start.
constexpr std::chrono::minutes kJump{1};
constexpr std::chrono::hours kAway{1};
constexpr std::chrono::minutes kStable{10};
constexpr ReadLimit kCountAtOnce{.events = 1'000, .bytes = 1024 * 1024};

}  // namespace

Retention::Retention(
    Clock& clock,
    Log& log,
    Deliveries& deliveries,
    StateWriter& writer,
    const RetentionOptions& options
)
    : clock_(clock), log_(log), deliveries_(deliveries), writer_(writer), options_(options) {}

Retention::~Retention() {
    clock_.cancel(timer_);
}

void Retention::start() {
    last_wall_ = clock_.wall();
    last_mono_ = clock_.now();
    WallTime newest{};
    for (const SegmentInfo& segment : log_.segments()) {
        newest = std::max(newest, segment.newest);
    }
    // Days off or a wrong clock: what was stored last cannot tell which, ten minutes may.
    if (newest != WallTime{} && last_wall_ - newest > kAway) {
        hold();
    }
    arm();
}

void Retention::hold() {
    held_until_ = clock_.now() + kStable;
}

void Retention::stop() {
    stopped_ = true;
    clock_.cancel(timer_);
}

void Retention::arm() {
    if (stopped_) {
        return;
    }
    timer_ = clock_.call_after(options_.every, [this] { look(); });
}

void Retention::look() {
    watch_wall_clock();
    cut_ = cut();
    if (cut_ <= log_.first_offset()) {
        if (trim_failed_) {
            trim();  // what is still on the disk
        } else {
            arm();
        }
        return;
    }
    to_pass_.clear();
    deliveries_.for_each([&](Delivery& delivery) {
        if (delivery.oldest_unsettled() < cut_) {
            to_pass_.push_back(delivery.key());
        }
    });
    pass_next();
}

void Retention::watch_wall_clock() {
    Duration by_wall = clock_.wall() - last_wall_;
    Duration by_mono = clock_.now() - last_mono_;
    last_wall_ = clock_.wall();
    last_mono_ = clock_.now();
    if (by_wall - by_mono > kJump) {
        hold();
        log_warn("the wall clock jumped forward; age does not drop events until it is stable");
    }
}

// The offset below which whole segments go: those over the age or size, oldest first, as long as
// nobody active still needs them or the hard bound is passed.
Offset Retention::cut() const {
    std::vector<SegmentInfo> segments = log_.segments();
    std::uint64_t bytes = 0;
    for (const SegmentInfo& segment : segments) {
        bytes += segment.bytes;
    }
    Offset needed = log_.next_offset();
    deliveries_.for_each([&](Delivery& delivery) {
        if (delivery.is_active()) {
            needed = std::min(needed, delivery.oldest_unsettled());
        }
    });
    bool age_counts = clock_.now() >= held_until_;
    std::uint64_t hard = options_.hard_bytes == 0 ? UINT64_MAX : options_.hard_bytes;
    std::uint64_t most = std::min(options_.bytes, hard);  // a small disk is full before `bytes` is
    Offset cut = log_.first_offset();
    for (const SegmentInfo& segment : segments) {
        bool too_old = age_counts && segment.newest + options_.age < clock_.wall();
        bool too_many = bytes > most;
        bool must = bytes > hard;
        if (!segment.sealed || !(too_old || too_many) || (segment.next > needed && !must)) {
            break;
        }
        cut = segment.next;
        bytes -= segment.bytes;
    }
    return cut;
}

// One subscription after the other: counts its unexamined events below the cut, then copies its
// exceptions.
void Retention::pass_next() {
    while (!to_pass_.empty()) {
        Delivery* delivery = deliveries_.find(to_pass_.front());
        if (delivery == nullptr) {
            to_pass_.pop_front();
            continue;
        }
        exceptions_.clear();
        for (const auto& [offset, exception] : delivery->exceptions().all()) {
            if (offset < cut_) {
                exceptions_.push_back(offset);
            }
        }
        range_from_ = delivery->position();
        range_count_ = 0;
        if (range_from_ < cut_) {
            count_range(range_from_);
        } else {
            copy_exceptions();
        }
        return;
    }
    finish();
}

void Retention::count_range(Offset at) {
    log_.read(at, kCountAtOnce, [this, at](Result<ReadResult> result) {
        Delivery* delivery = deliveries_.find(to_pass_.front());
        if (delivery == nullptr || delivery->position() != range_from_) {
            pass_next();  // it moved meanwhile: look again
            return;
        }
        Offset next = cut_;
        if (result) {
            for (const LogEntry& entry : result->entries) {
                range_count_ += lost(*delivery, entry);
            }
            next = result->next;
        } else {
            log_warn(
                "events about to expire cannot be counted", {{"detail", result.error().detail}}
            );
            range_count_ += cut_ - at;
        }
        if (next < cut_) {
            clock_.call_after(Duration::zero(), [this, next] { count_range(next); });
            return;
        }
        delivery->expire_before(cut_, range_count_);
        expired_ += range_count_;
        copy_exceptions();
    });
}

// How many events the delivery loses with this entry. What cannot be read may have been for it.
std::uint64_t Retention::lost(const Delivery& delivery, const LogEntry& entry) const {
    if (const auto* gap = std::get_if<Gap>(&entry)) {
        Offset from = std::max(gap->from, range_from_);
        Offset to = std::min(gap->to, cut_);
        return to > from ? to - from : 0;
    }
    const auto& event = std::get<StoredEvent>(entry);
    return event.offset < cut_ && delivery.wants(event) ? 1 : 0;
}

void Retention::copy_exceptions() {
    if (exceptions_.empty()) {
        if (Delivery* delivery = deliveries_.find(to_pass_.front())) {
            delivery->pump();  // what waited for them
        }
        to_pass_.pop_front();
        pass_next();
        return;
    }
    log_.read(
        exceptions_.front(),
        ReadLimit{.events = 1, .bytes = 1},
        [this, at = exceptions_.front()](Result<ReadResult> result) {
            exceptions_.pop_front();
            const StoredEvent* event = nullptr;
            if (result && !result->entries.empty()) {
                event = std::get_if<StoredEvent>(&result->entries.front());
            }
            if (event != nullptr && event->offset != at) {
                event = nullptr;
            }
            if (Delivery* delivery = deliveries_.find(to_pass_.front())) {
                delivery->expire_exception(at, event);
                ++expired_;
            }
            clock_.call_after(Duration::zero(), [this] { copy_exceptions(); });
        }
    );
}

// The dead letters are durable before the segments go.
void Retention::finish() {
    writer_.flush([this] {
        log_info(
            "retention drops events", {{"below", cut_.value}, {"first", log_.first_offset().value}}
        );
        trim();
    });
}

void Retention::trim() {
    log_.trim(cut_, [this](const Result<void>& result) {
        if (!result && !trim_failed_) {
            log_error(
                "retention cannot remove what it dropped and goes on trying",
                {{"detail", result.error().detail}}
            );
        }
        trim_failed_ = !result;
        arm();
    });
}

}  // namespace belfry
