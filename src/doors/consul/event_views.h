// EventViews: every view that somebody asked for of late, loaded from the log and kept up with it,
// so many and so much in them as limits say.
// Owned by the door; the hub and the clock must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "base/limits.h"
#include "doors/consul/event_view.h"
#include "hub/hub.h"

#include <functional>
#include <map>
#include <memory>

namespace belfry {

class EventViews {
 public:
    using View = std::shared_ptr<EventView>;
    using Found = std::move_only_function<void(Result<View>)>;

    // `on_change` hears of each view whose list changed in a commit, once a commit, after all views
    // were brought up to it.
    EventViews(
        Hub& hub,
        Clock& clock,
        const Limits& limits,
        ViewLimits view_limits,
        std::function<void(const View&)> on_change
    );
    ~EventViews();
    EventViews(const EventViews&) = delete;
    EventViews& operator=(const EventViews&) = delete;

    // The view, up to date with the log but for turns that long searches take, perhaps before this
    // returns. `filter` is the key's.
    // overloaded: as many views as may be are waited for, or what they hold is all there may be.
    void find(const ViewKey& key, EventFilter filter, Found found);
    // Forgets views that nobody waits for while all together are too many or hold too much.
    void make_room();

    [[nodiscard]] std::size_t size() const { return views_.size(); }

 private:
    struct Held {
        View view;
        std::vector<Found> waiting;  // for the load
    };
    // Whose events a commit concerns.
    struct Name {
        std::string_view tenant;
        std::string_view name;
    };
    struct InOrder {
        using is_transparent = void;
        bool operator()(const ViewKey& a, const ViewKey& b) const { return a < b; }
        bool operator()(const ViewKey& a, const Name& b) const;
        bool operator()(const Name& a, const ViewKey& b) const;
    };

    void load(Held& held);
    void load_page(const View& view, Offset before);
    void loaded(const View& view, Result<void> result);
    void committed(Offset first, Offset next);
    void feed_new();
    // False if some views have yet to be fed with it: enough for this turn.
    bool feed(const StoredEvent& stored, std::vector<View>& changed, std::uint64_t& steps);
    bool feed(
        const StoredEvent& stored, Name name, std::vector<View>& changed, std::uint64_t& steps
    );
    void reload_all();
    [[nodiscard]] bool is_full() const;
    // Some views have yet to be fed with what was committed.
    [[nodiscard]] bool is_behind() const { return next_turn_ != TimerId{}; }
    [[nodiscard]] bool holds_too_much() const { return *all_bytes_ >= limits_.consul_list_bytes; }

    // Constant after construction.
    Hub& hub_;
    Clock& clock_;
    const Limits& limits_;
    const ViewLimits view_limits_;
    const std::function<void(const View&)> on_change_;
    std::uint64_t hub_reader_ = 0;
    // I/O thread.
    std::map<ViewKey, Held, InOrder> views_;
    const std::shared_ptr<std::size_t> all_bytes_ = std::make_shared<std::size_t>(0);
    Offset fed_;                         // all views have what is below
    Offset committed_;                   // what is below was announced
    TimerId next_turn_;                  // feeds on
    std::shared_ptr<EventViews*> self_;  // what the log still owes finds nobody once this is gone
};

}  // namespace belfry
