// GET /v1/event/list, also as a blocking query (contract: the Consul API, "Blocking Queries" and
// the event endpoint's own rules): a list waits exactly as long as its index is the one that the
// client has. Owned by the door. I/O thread only.
#pragma once

#include "doors/consul/answer.h"
#include "doors/consul/event_views.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

namespace belfry {

// A list on its way to its answer.
struct BlockedList {
    std::uint64_t number = 0;
    Exchange exchange;
    std::shared_ptr<const Grant> grant;
    std::uint64_t index = 0;  // 0: does not wait
    MonoTime deadline{};
    JsonForm form;
    bool has_token = false;
    // May not read the name it asks for: what it asked. It is answered as if there were nothing,
    // but for `hides`: there are events of the name.
    std::unique_ptr<const ViewKey> blind;
    bool hides = false;
    // While it waits.
    EventViews::View view;     // none if blind
    std::size_t position = 0;  // in view->waiting
    std::uint64_t revision = 0;
    TimerId timer;
};

class EventLists {
 public:
    struct Ports {
        Hub& hub;
        Clock& clock;
        const Limits& limits;
        ConsulAnswers& answers;
    };
    EventLists(const Ports& ports, ViewLimits view_limits);
    ~EventLists();
    EventLists(const EventLists&) = delete;
    EventLists& operator=(const EventLists&) = delete;

    void list(RequestContext& context);
    // Answers whoever waits, as at his deadline: the program stops.
    void release_all();
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
    using List = std::unique_ptr<BlockedList>;

    void serve(List list, ViewKey key, EventFilter filter);
    void serve_again(List list);
    void take(List list, const Result<EventViews::View>& view);
    void wait(List list);
    [[nodiscard]] List stop_waiting(BlockedList& list);
    void changed(const EventViews::View& view);
    [[nodiscard]] static std::uint64_t index_of(const BlockedList& list);
    void answer(BlockedList& list);
    void refuse(BlockedList& list, const Error& error);
    void serve_by_rights_of_now(List list);
    void check_grants();

    // Constant after construction.
    Clock& clock_;
    const Limits& limits_;
    ConsulAnswers& answers_;
    // I/O thread.
    EventViews views_;
    std::unordered_map<std::uint64_t, List> waiting_;
    std::uint64_t last_number_ = 0;
    TimerId grant_check_;
    bool stopping_ = false;
    std::string headers_;  // of the answer being written; keeps its memory
};

}  // namespace belfry
