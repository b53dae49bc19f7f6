#include "doors/consul/event_views.h"

#include <algorithm>
#include <tuple>
#include <variant>

namespace belfry {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPageEvents = 256;
// What a turn of the loop searches, in EventFilter's steps, before the others of the loop have
// theirs: 50 ms, and one event for one view more.
constexpr std::uint64_t kStepsOfTurnMax = 1 << 20;

Error too_many() {
    return Error{
        .code = Errc::overloaded, .detail = "too many different event lists are waited for"
    };
}

}  // namespace

bool EventViews::InOrder::operator()(const ViewKey& a, const Name& b) const {
    return std::tuple<std::string_view, std::string_view>(a.tenant, a.name) <
           std::tuple(b.tenant, b.name);
}

bool EventViews::InOrder::operator()(const Name& a, const ViewKey& b) const {
    return std::tuple(a.tenant, a.name) <
           std::tuple<std::string_view, std::string_view>(b.tenant, b.name);
}

EventViews::EventViews(
    Hub& hub,
    Clock& clock,
    const Limits& limits,
    ViewLimits view_limits,
    std::function<void(const View&)> on_change
)
    : hub_(hub),
      clock_(clock),
      limits_(limits),
      view_limits_(view_limits),
      on_change_(std::move(on_change)),
      self_(std::make_shared<EventViews*>(this)) {
    hub_reader_ = hub_.add_reader([this](Offset first, Offset next) { committed(first, next); });
}

EventViews::~EventViews() {
    clock_.cancel(next_turn_);
    hub_.remove_reader(hub_reader_);
}

void EventViews::find(const ViewKey& key, EventFilter filter, Found found) {
    auto at = views_.find(key);
    if (at == views_.end()) {
        make_room();
        if (is_full()) {
            return found(std::unexpected(too_many()));
        }
        at = views_.try_emplace(key).first;
        at->second.view =
            std::make_shared<EventView>(key, std::move(filter), view_limits_, all_bytes_);
        at->second.waiting.push_back(std::move(found));
        return load(at->second);
    }
    Held& held = at->second;
    EventView& view = *held.view;
    view.used = clock_.now();
    if (view.loading) {
        held.waiting.push_back(std::move(found));
        return;
    }
    view.drop_below(hub_.log().first_offset());
    found(held.view);
}

void EventViews::load(Held& held) {
    EventView& view = *held.view;
    view.used = clock_.now();
    view.loading = true;
    ++view.load;
    const Offset before = hub_.log().next_offset();
    view.restart(before);
    load_page(held.view, before);
}

// Newest first, until the view has enough. What is committed meanwhile is added by committed().
void EventViews::load_page(const View& view, Offset before) {
    ListQuery query;
    query.tenant = view->key().tenant;
    if (!view->key().name.empty()) {
        query.type = TypePattern{.text = view->key().name};
    }
    query.before = before;
    query.leaves_out_elsewhere = true;
    query.order = ListQuery::Order::descending;
    query.limit = kPageEvents;
    hub_.log().list(
        std::move(query),
        [self = std::weak_ptr(self_), view, load = view->load](Result<ListResult> page) {
            std::shared_ptr<EventViews*> views = self.lock();
            if (!views || view->load != load) {
                return;
            }
            if (!page) {
                return (*views)->loaded(view, std::unexpected(std::move(page).error()));
            }
            const bool wants_more = std::ranges::all_of(
                page->events, [&](const StoredEvent& stored) { return view->add_older(stored); }
            );
            if ((*views)->holds_too_much()) {
                (*views)->make_room();
            }
            if ((*views)->holds_too_much()) {
                return (*views)->loaded(view, std::unexpected(too_many()));
            }
            if (wants_more && page->next) {
                return (*views)->load_page(view, *page->next);
            }
            (*views)->loaded(view, {});
        }
    );
}

void EventViews::loaded(const View& view, Result<void> result) {
    auto at = views_.find(view->key());
    if (at == views_.end() || at->second.view != view) {
        return;  // nobody waited for it any more
    }
    view->loading = false;
    std::vector<Found> waiting = std::exchange(at->second.waiting, {});
    if (!result) {
        view->error = result.error();
        views_.erase(at);
    }
    for (Found& found : waiting) {
        found(result ? Result<View>(view) : std::unexpected(result.error()));
    }
    // Who was there before the load and waits since.
    if (!view->waiting.empty()) {
        on_change_(view);
    }
}

void EventViews::committed(Offset first, Offset next) {
    committed_ = next;
    if (!is_behind()) {
        fed_ = first;
        feed_new();
    }
}

// A search may take long, and there are many views: past so much of it this goes on in a later
// turn. What was fed stands in each view's seen().
void EventViews::feed_new() {
    next_turn_ = {};
    std::vector<View> changed;
    std::uint64_t steps = 0;
    while (!views_.empty() && !is_behind() && fed_ < committed_) {
        std::optional<ReadResult> read = hub_.log().read_tail(fed_, ReadLimit{});
        if (!read || read->next <= fed_) {
            return reload_all();
        }
        fed_ = read->next;
        for (const LogEntry& entry : read->entries) {
            const auto* stored = std::get_if<StoredEvent>(&entry);
            if (stored != nullptr && !feed(*stored, changed, steps)) {
                fed_ = stored->offset;
                next_turn_ = clock_.call_after(0s, [this] { feed_new(); });
                break;
            }
        }
    }
    for (const View& view : changed) {
        on_change_(view);
    }
    if (is_full()) {
        make_room();  // whoever waited for what grew has it now
    }
}

bool EventViews::feed(const StoredEvent& stored, std::vector<View>& changed, std::uint64_t& steps) {
    return feed(stored, {stored.event.tenant, stored.event.type}, changed, steps) &&
           feed(stored, {stored.event.tenant, {}}, changed, steps);
}

bool EventViews::feed(
    const StoredEvent& stored, Name name, std::vector<View>& changed, std::uint64_t& steps
) {
    auto [begin, end] = views_.equal_range(name);
    for (auto at = begin; at != end; ++at) {
        const View& view = at->second.view;
        // A view that was loaded between a commit and its announcement has the event already.
        if (stored.offset < view->seen()) {
            continue;
        }
        if (steps >= kStepsOfTurnMax) {
            return false;
        }
        const std::uint64_t before = view->searched();
        const bool differs = view->add_newer(stored);
        steps += view->searched() - before;
        if (differs && !view->loading && std::ranges::find(changed, view) == changed.end()) {
            changed.push_back(view);
        }
    }
    return true;
}

// The log's memory did not hold what was committed.
void EventViews::reload_all() {
    for (auto at = views_.begin(); at != views_.end();) {
        Held& held = at->second;
        // A load may end, and call whoever waits, at once.
        const ViewKey key = at->first;
        if (held.view->waiting.empty() && held.waiting.empty()) {
            at = views_.erase(at);
            continue;
        }
        load(held);
        at = views_.upper_bound(key);
    }
}

bool EventViews::is_full() const {
    return views_.size() >= limits_.consul_lists || holds_too_much();
}

// Views are kept for who asks again. When there is no room, those that nobody waits for go, the
// ones not used for longest first: half of them, so that it is a while until the next time.
void EventViews::make_room() {
    if (!is_full()) {
        return;
    }
    std::vector<decltype(views_)::iterator> idle;
    for (auto at = views_.begin(); at != views_.end(); ++at) {
        if (at->second.view->waiting.empty() && at->second.waiting.empty()) {
            idle.push_back(at);
        }
    }
    std::ranges::sort(idle, {}, [](auto at) { return at->second.view->used; });
    for (std::size_t i = 0; i < idle.size() && (is_full() || i < idle.size() / 2); ++i) {
        views_.erase(idle[i]);
    }
}

}  // namespace belfry
