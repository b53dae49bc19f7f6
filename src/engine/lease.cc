#include "engine/lease.h"

#include "base/json.h"
#include "base/json_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

using std::chrono::milliseconds;

// Nobody is kept waiting longer by what another hub wrote.
constexpr Duration kLongest = std::chrono::hours(1);

std::string document(const LeaseOptions& options) {
    std::string text = R"({"holder":)";
    append_json_string(text, options.holder);
    text += R"(,"ttl_ms":)";
    const auto ttl = std::chrono::duration_cast<milliseconds>(options.time_to_live);
    append_json_number(text, static_cast<std::uint64_t>(ttl.count()));
    return text + "}";
}

struct Document {
    std::string holder;
    Duration time_to_live{};
};
// One that cannot be read is of somebody else, and as long as ours.
Document read(const std::string& text, const LeaseOptions& options) {
    Document found{.holder = {}, .time_to_live = options.time_to_live};
    const Result<boost::json::value> value = parse_json(text, Limits{});
    if (!value) {
        return found;
    }
    JsonObjectReader reader(*value);
    std::string holder = reader.required_text("holder");
    const std::optional<std::uint64_t> ttl = reader.number("ttl_ms");
    if (reader.ok() && ttl) {
        const auto most =
            static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(kLongest).count());
        found.holder = std::move(holder);
        found.time_to_live = milliseconds(std::min(*ttl, most));
    }
    return found;
}

}  // namespace

Lease::Lease(Kv& kv, Clock& clock, LeaseOptions options)
    : kv_(kv), clock_(clock), options_(std::move(options)) {}

Lease::~Lease() {
    clock_.cancel(timer_);
}

void Lease::begin() {
    if (std::exchange(begun_, true)) {
        return;
    }
    kv_.watch(
        options_.key,
        [this, life = std::weak_ptr(life_)](const KvChange& change) {
            if (!life.expired()) {
                changed(change);
            }
        },
        [this, life = std::weak_ptr(life_)] {
            if (!life.expired()) {
                watched_ = true;
                look();
            }
        }
    );
}

Lease::Standing Lease::standing() const {
    const MonoTime now = clock_.now();
    if (now < held_until_) {
        return Standing::held;
    }
    const bool lives = seen_ && !is_ours() && now < seen_->at + seen_->time_to_live;
    return lives ? Standing::elsewhere : Standing::unknown;
}

void Lease::release() {
    released_ = true;
    clock_.cancel(timer_);
    held_until_ = MonoTime{};
    if (is_ours()) {
        kv_.remove(
            options_.key,
            Expect{.kind = Expect::Kind::revision, .revision = seen_->revision},
            [](const Result<Revision>&) {}
        );
    }
}

void Lease::changed(const KvChange& change) {
    if (change.key != options_.key) {
        return;
    }
    seen_.reset();
    if (change.value) {
        Document found = read(*change.value, options_);
        seen_ = Seen{
            .holder = std::move(found.holder),
            .time_to_live = found.time_to_live,
            .revision = change.revision,
            .at = clock_.now(),
        };
    }
    if (!is_ours()) {
        held_until_ = MonoTime{};  // somebody took it over, or away
    }
    look();
}

// What is to be done now, and when to look again.
void Lease::look() {
    if (!watched_ || writing_ || released_) {
        return;
    }
    const MonoTime now = clock_.now();
    if (!seen_) {
        take(Expect{.kind = Expect::Kind::absent});
        return;
    }
    const MonoTime renewal = held_until_ - options_.time_to_live * 2 / 3;
    const MonoTime due = is_ours() ? renewal : seen_->at + seen_->time_to_live;
    if (now < due) {
        look_at(due);
        return;
    }
    take(Expect{.kind = Expect::Kind::revision, .revision = seen_->revision});
}

void Lease::take(Expect expect) {
    writing_ = true;
    kv_.put(
        options_.key,
        document(options_),
        expect,
        [this, life = std::weak_ptr(life_), asked = clock_.now()](const Result<Revision>& result) {
            if (!life.expired()) {
                writing_ = false;
                taken(asked, result);
            }
        }
    );
}

// The watch has told the new revision by now. Whoever was faster has it; then the watch tells that.
void Lease::taken(MonoTime asked, const Result<Revision>& result) {
    if (released_) {
        return;
    }
    if (result) {
        held_until_ = asked + options_.time_to_live;
        look();
        return;
    }
    look_at(clock_.now() + options_.time_to_live / 6);
}

void Lease::look_at(MonoTime when) {
    clock_.cancel(timer_);
    timer_ = clock_.call_at(when, [this] { look(); });
}

}  // namespace belfry
