#include "doors/consul/event_lists.h"

#include "base/assert.h"
#include "base/json_text.h"
#include "doors/consul/errors.h"
#include "doors/consul/translate.h"
#include "event/consul_index.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

using namespace std::chrono_literals;

// For a list the default and the cap are the same.
constexpr Duration kListWait = 600s;

const TypePattern kEveryType{.text = "", .prefix = true};

}  // namespace

EventLists::EventLists(const Ports& ports, ViewLimits view_limits)
    : clock_(ports.clock),
      limits_(ports.limits),
      answers_(ports.answers),
      views_(
          ports.hub,
          ports.clock,
          ports.limits,
          view_limits,
          [this](const EventViews::View& view) { changed(view); }
      ) {}

EventLists::~EventLists() {
    clock_.cancel(grant_check_);
    for (auto& [number, list] : waiting_) {
        clock_.cancel(list->timer);
    }
}

// Whatever is wrong with `wait` and `index` is said even where it makes no difference.
void EventLists::list(RequestContext& context) {
    const Query& query = context.query;
    const auto blocking = read_blocking(query, kListWait, kListWait);
    if (!blocking) {
        return answers_.text(context.exchange, 400, blocking.error());
    }
    const EventFilterTexts texts{
        .node = query.get("node").value_or(""),
        .service = query.get("service").value_or(""),
        .tag = query.get("tag").value_or("")
    };
    Result<EventFilter> filter = EventFilter::parse_search(texts, limits_);
    if (!filter) {
        return answers_.text(context.exchange, 400, filter.error().detail);
    }
    auto list = std::make_unique<BlockedList>();
    list->exchange = std::move(context.exchange);
    list->grant = context.caller.grant;
    list->has_token = !context.caller.token_id.empty();
    list->index = blocking->index;
    list->deadline = clock_.now() + blocking->wait;
    list->form = json_form(context);
    ViewKey key{
        .tenant = context.caller.tenant,
        .name = std::string(query.get("name").value_or("")),
        .node = std::string(texts.node),
        .service = std::string(texts.service),
        .tag = std::string(texts.tag),
        .rights = nullptr
    };
    serve(std::move(list), std::move(key), std::move(*filter));
}

// A name is allowed or not, so all who ask for one share a view. All names together look different
// to whoever may not read some; who has the same rights sees the same. Whoever may not read the
// name, or none at all, learns that there are events, and of none what its filters are.
void EventLists::serve(List list, ViewKey key, EventFilter filter) {
    const Grant& grant = *list->grant;
    list->revision = grant.revision();
    list->blind.reset();
    if (!grant.allows(Resource::event, Verb::read, key.name)) {
        list->blind = std::make_unique<const ViewKey>(key);
        key.node.clear();
        key.service.clear();
        key.tag.clear();
        filter = EventFilter();
    } else if (key.name.empty() && !grant.covers(Verb::read, kEveryType)) {
        key.rights = grant.rights();
    }
    views_.find(
        key,
        std::move(filter),
        [this, list = std::move(list)](Result<EventViews::View> view) mutable {
            take(std::move(list), view);
        }
    );
}

// With what it was asked with.
void EventLists::serve_again(List list) {
    ViewKey key = list->blind ? *list->blind : list->view->key();
    key.rights = nullptr;
    const EventFilterTexts texts{.node = key.node, .service = key.service, .tag = key.tag};
    Result<EventFilter> filter = EventFilter::parse_search(texts, limits_);
    ASSERT(filter.has_value());  // it was read before
    serve(std::move(list), std::move(key), std::move(*filter));
}

void EventLists::take(List list, const Result<EventViews::View>& view) {
    if (!list->exchange.alive()) {
        return;
    }
    if (!view) {
        return refuse(*list, view.error());
    }
    if (list->blind) {
        list->hides = !(*view)->empty();
        list->view.reset();
    } else {
        list->view = *view;
    }
    if (stopping_ || list->index != index_of(*list) || clock_.now() >= list->deadline) {
        return answer(*list);
    }
    wait(std::move(list));
}

std::uint64_t EventLists::index_of(const BlockedList& list) {
    return list.blind ? kConsulIndexOfNothing : list.view->index();
}

void EventLists::wait(List list) {
    BlockedList& waiting = *list;
    waiting.number = ++last_number_;
    if (waiting.view) {
        waiting.position = waiting.view->waiting.size();
        waiting.view->waiting.push_back(&waiting);
    }
    waiting.timer =
        clock_.call_at(waiting.deadline, [this, &waiting] { serve_again(stop_waiting(waiting)); });
    waiting.exchange.on_gone([this, &waiting] { static_cast<void>(stop_waiting(waiting)); });
    waiting_.emplace(waiting.number, std::move(list));
    if (grant_check_ == TimerId{}) {
        grant_check_ = clock_.call_after(kGrantCheckEvery, [this] { check_grants(); });
    }
}

EventLists::List EventLists::stop_waiting(BlockedList& list) {
    clock_.cancel(list.timer);
    list.exchange.on_gone({});  // it may be on its way again when its client goes
    if (list.view) {
        std::vector<BlockedList*>& all = list.view->waiting;
        all.back()->position = list.position;
        all[list.position] = all.back();
        all.pop_back();
    }
    return std::move(waiting_.extract(list.number).mapped());
}

// Takes out all that are released before the first is answered: an answer may bring the next
// request.
void EventLists::changed(const EventViews::View& view) {
    std::vector<List> released;
    for (std::size_t i = view->waiting.size(); i-- > 0;) {
        BlockedList& list = *view->waiting[i];
        if (view->error || list.index != view->index()) {
            released.push_back(stop_waiting(list));
        }
    }
    for (List& list : released) {
        if (view->error) {
            refuse(*list, *view->error);
        } else if (list->grant->revision() != list->revision) {
            serve_by_rights_of_now(std::move(list));
        } else {
            answer(*list);
        }
    }
}

void EventLists::answer(BlockedList& list) {
    headers_.assign("X-Consul-Index: ");
    append_json_number(headers_, index_of(list));
    headers_.append("\r\n");
    const bool filtered = list.blind ? list.hides : list.view->is_filtered();
    if (filtered && list.has_token) {
        headers_.append("X-Consul-Results-Filtered-By-Acls: true\r\n");
    }
    if (list.blind) {
        return answers_.json(list.exchange, "[]", list.form, headers_);
    }
    const EventView::Body body = list.view->body(list.form);
    answers_.wire(list.exchange, body.bytes, body.is_gzip, headers_);
    views_.make_room();  // the list as it was sent is kept, too
}

void EventLists::refuse(BlockedList& list, const Error& error) {
    answers_.text(list.exchange, consul_status(error.code), consul_text(error));
}

// Whoever lost the right to be here is told.
void EventLists::serve_by_rights_of_now(List list) {
    if (list->grant->valid()) {
        serve_again(std::move(list));
    } else {
        answers_.text(list->exchange, 403, kAclNotFound);
    }
}

void EventLists::check_grants() {
    grant_check_ = {};
    std::vector<List> concerned;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        BlockedList& list = *(at++)->second;
        if (!list.grant->valid() || list.grant->revision() != list.revision) {
            concerned.push_back(stop_waiting(list));
        }
    }
    for (List& list : concerned) {
        serve_by_rights_of_now(std::move(list));
    }
    if (!waiting_.empty() && grant_check_ == TimerId{}) {
        grant_check_ = clock_.call_after(kGrantCheckEvery, [this] { check_grants(); });
    }
}

void EventLists::release_all() {
    stopping_ = true;
    while (!waiting_.empty()) {
        List list = stop_waiting(*waiting_.begin()->second);
        if (list->view && list->view->loading) {
            serve_again(std::move(list));  // answered when it is whole
        } else {
            answer(*list);
        }
    }
}

}  // namespace belfry
