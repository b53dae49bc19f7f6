#include "doors/consul/event_view.h"

#include "base/fixed_limits.h"
#include "event/consul_index.h"
#include "event/consul_json.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

// Different filters of events that one list remembers.
constexpr std::size_t kAdmittedMax = 1024;

std::string_view extension(const Event& event, std::string_view name) {
    return event.attribute(name).value_or("");
}

std::size_t number_of(JsonForm form) {
    return (form.pretty ? 1U : 0U) + (form.gzip ? 2U : 0U);
}

}  // namespace

EventView::EventView(
    ViewKey key, EventFilter filter, ViewLimits limits, std::shared_ptr<std::size_t> all_bytes
)
    : key_(std::move(key)),
      filter_(std::move(filter)),
      limits_(limits),
      all_bytes_(std::move(all_bytes)) {}

EventView::~EventView() {
    *all_bytes_ -= counted_;
}

void EventView::restart(Offset before) {
    entries_.clear();
    bytes_ = 1;
    looked_at_ = 0;
    dropped_ = false;
    seen_ = before;
    newest_denied_.reset();
    searched_ = 0;
    changed();
}

// The order is the contract's: tenant, name, what the caller may read, the filters.
bool EventView::shows(const StoredEvent& stored) {
    const Event& event = stored.event;
    if (event.elsewhere || event.tenant != key_.tenant ||
        (!key_.name.empty() && event.type != key_.name)) {
        return false;
    }
    if (key_.rights != nullptr && !key_.rights->allows(Resource::event, Verb::read, event.type)) {
        newest_denied_ = newest_denied_ ? std::max(*newest_denied_, stored.offset) : stored.offset;
        return false;
    }
    return admits(
        {.node = extension(event, "nodefilter"),
         .service = extension(event, "servicefilter"),
         .tag = extension(event, "tagfilter")}
    );
}

bool EventView::admits(EventFilterTexts texts) {
    const std::size_t bytes = texts.node.size() + texts.service.size() + texts.tag.size();
    if (bytes == 0 || (key_.node.empty() && key_.service.empty() && key_.tag.empty())) {
        return true;
    }
    std::string together;
    together.reserve(bytes + 2);
    // No text has a zero in it.
    together.append(texts.node).append(1, '\0').append(texts.service).append(1, '\0');
    together.append(texts.tag);
    if (admitted_.size() >= kAdmittedMax) {
        admitted_.clear();
        admitted_bytes_ = 0;
    }
    const std::size_t key_bytes = together.size();
    const auto [at, is_new] = admitted_.try_emplace(std::move(together), false);
    if (is_new) {
        at->second = filter_.admits(texts);
        searched_ += filter_.steps(texts);
        admitted_bytes_ += key_bytes;
        count();
    }
    return at->second;
}

EventView::Entry EventView::entry_of(const StoredEvent& stored) {
    Entry entry{.offset = stored.offset, .json = {}};
    append_consul_event(stored, entry.json);
    return entry;
}

bool EventView::shows_some_only() const {
    return key_.rights != nullptr || !key_.node.empty() || !key_.service.empty() ||
           !key_.tag.empty();
}

bool EventView::add_older(const StoredEvent& stored) {
    if (dropped_ || entries_.size() >= limits_.events || searched_ >= kConsulListSearchesMax ||
        (shows_some_only() && looked_at_ >= kConsulListLooksBackMax)) {
        return false;
    }
    ++looked_at_;
    if (!shows(stored)) {
        return true;
    }
    Entry entry = entry_of(stored);
    if (bytes_ + entry.json.size() + 1 > limits_.bytes && !entries_.empty()) {
        return false;
    }
    bytes_ += entry.json.size() + 1;
    entries_.push_front(std::move(entry));
    changed();
    return true;
}

void EventView::pop_front() {
    bytes_ -= entries_.front().json.size() + 1;
    entries_.pop_front();
}

bool EventView::add_newer(const StoredEvent& stored) {
    seen_ = stored.offset.next();
    if (!shows(stored)) {
        return false;
    }
    entries_.push_back(entry_of(stored));
    bytes_ += entries_.back().json.size() + 1;
    while (entries_.size() > limits_.events || (bytes_ > limits_.bytes && entries_.size() > 1)) {
        pop_front();
        dropped_ = true;  // what is older than that is not wanted either
    }
    changed();
    return true;
}

void EventView::drop_below(Offset first) {
    while (!entries_.empty() && entries_.front().offset < first) {
        pop_front();
        changed();
    }
    if (newest_denied_ && *newest_denied_ < first) {
        newest_denied_.reset();
    }
}

std::uint64_t EventView::index() const {
    return entries_.empty() ? kConsulIndexOfNothing : entries_.back().offset.value + 2;
}

bool EventView::is_filtered() const {
    return newest_denied_ &&
           (entries_.size() < limits_.events || *newest_denied_ > entries_.front().offset);
}

void EventView::changed() {
    std::string().swap(compact_);
    wire_ = {};
    count();
}

void EventView::count() {
    std::size_t bytes = bytes_ + admitted_bytes_ + compact_.capacity();
    for (const std::optional<WireJson>& wire : wire_) {
        bytes += wire ? wire->bytes.capacity() : 0;
    }
    *all_bytes_ += bytes;
    *all_bytes_ -= std::exchange(counted_, bytes);
}

EventView::Body EventView::body(JsonForm form) {
    if (compact_.empty()) {
        compact_.reserve(bytes_ + 1);
        compact_.push_back('[');
        for (const Entry& entry : entries_) {
            compact_.append(compact_.size() > 1 ? "," : "").append(entry.json);
        }
        compact_.push_back(']');
        count();
    }
    std::optional<WireJson>& wire = wire_[number_of(form)];
    if (!wire) {
        wire = wire_json(compact_, form);
        count();
    }
    if (wire->bytes.empty()) {
        return {.bytes = compact_};
    }
    return {.bytes = wire->bytes, .is_gzip = wire->is_gzip};
}

}  // namespace belfry
