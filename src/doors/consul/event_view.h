// EventView: the newest events that one kind of list shows (a tenant's, of one name or of all, of
// one visible set, with one filter), as Consul's JSON, and whoever waits for them to change. Events
// for other nodes are in no view. Owned by EventViews, shared with its waiters. I/O thread only.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/offset.h"
#include "doors/consul/answer.h"
#include "doors/consul/event_filter.h"
#include "event/event.h"
#include "hub/access.h"

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace belfry {

// What a list was asked for. Texts are empty for no condition.
struct ViewKey {
    std::string tenant;
    std::string name;
    std::string node;
    std::string service;
    std::string tag;
    std::shared_ptr<const Rights> rights;  // shows what they allow; nullptr: everything

    auto operator<=>(const ViewKey&) const = default;
};

struct ViewLimits {
    std::size_t events = 256;
    std::size_t bytes = std::size_t{8} << 20U;  // of the JSON; the oldest are left out
};

struct BlockedList;

class EventView {
 public:
    // `all_bytes` counts the bytes of all views.
    EventView(
        ViewKey key, EventFilter filter, ViewLimits limits, std::shared_ptr<std::size_t> all_bytes
    );
    ~EventView();
    EventView(const EventView&) = delete;
    EventView& operator=(const EventView&) = delete;

    [[nodiscard]] const ViewKey& key() const { return key_; }
    // Events below this offset were looked at, or will be by who loads it.
    [[nodiscard]] Offset seen() const { return seen_; }

    // Empty again, to be loaded with what is below `before`.
    void restart(Offset before);
    // The next older event of the log. False once the view is full, or looked for long enough.
    bool add_older(const StoredEvent& stored);
    // The next newer one; true if the list changed.
    bool add_newer(const StoredEvent& stored);
    // Everything below `next` was added.
    void see(Offset next) { seen_ = next; }
    // Leaves out what the log does not hold any more.
    void drop_below(Offset first);

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    // X-Consul-Index: of the last event, 1 without one.
    [[nodiscard]] std::uint64_t index() const;
    // An event that may not be read would be in the list.
    [[nodiscard]] bool is_filtered() const;
    // The whole list; valid until the next change.
    struct Body {
        std::string_view bytes;
        bool is_gzip = false;
    };
    [[nodiscard]] Body body(JsonForm form);
    // What its filter took since the last restart, in EventFilter's steps.
    [[nodiscard]] std::uint64_t searched() const { return searched_; }
    // Its part of `all_bytes`.
    [[nodiscard]] std::size_t bytes() const { return counted_; }

    // For EventViews and the lists that wait.
    bool loading = false;
    std::uint64_t load = 0;      // counts; what an earlier load still brings is not wanted
    std::optional<Error> error;  // it could not be loaded, and is not kept up any more
    MonoTime used{};
    std::vector<BlockedList*> waiting;

 private:
    struct Entry {
        Offset offset;
        std::string json;
    };
    [[nodiscard]] bool shows(const StoredEvent& stored);
    [[nodiscard]] bool admits(EventFilterTexts texts);
    [[nodiscard]] static Entry entry_of(const StoredEvent& stored);
    [[nodiscard]] bool shows_some_only() const;
    void pop_front();
    void changed();
    void count();

    // Constant after construction.
    const ViewKey key_;
    const EventFilter filter_;
    const ViewLimits limits_;
    const std::shared_ptr<std::size_t> all_bytes_;
    // I/O thread.
    std::deque<Entry> entries_;  // oldest first
    std::size_t bytes_ = 1;      // of the list: each event and what stands behind it, and "["
    std::size_t counted_ = 0;
    std::size_t looked_at_ = 0;  // events, since the last restart
    Offset seen_;
    std::optional<Offset> newest_denied_;
    // What the filter said of the events' filters so far: most events have one of a few, and a
    // search may be slow.
    std::unordered_map<std::string, bool> admitted_;
    std::size_t admitted_bytes_ = 0;
    bool dropped_ = false;        // an event for want of room, since the last restart
    std::uint64_t searched_ = 0;  // steps of the filter, since the last restart
    std::string compact_;         // the list as it is now; empty: not made yet
    std::array<std::optional<WireJson>, 4> wire_;  // by form
};

}  // namespace belfry
