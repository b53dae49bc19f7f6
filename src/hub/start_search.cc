#include "hub/start_search.h"

#include <utility>

namespace belfry {

namespace {

std::unexpected<Error> stops() {
    return fail(Errc::unavailable, "the hub stops");
}

}  // namespace

StartSearches::~StartSearches() {
    for (const Search& search : searches_) {
        clock_.cancel(search.next_page);
    }
}

void StartSearches::find(std::string tenant, WallTime since, Done done) {
    searches_.push_front({
        .query = {.tenant = std::move(tenant), .since = since, .limit = 1},
        .done = std::move(done),
        .next_page = {},
        .end = {},
    });
    ask(searches_.begin());
}

void StartSearches::stop() {
    stopping_ = true;
    for (auto search = searches_.begin(); search != searches_.end();) {
        auto each = search++;
        if (each->next_page != TimerId{}) {
            clock_.cancel(each->next_page);
            ask(each);  // is refused
        }
    }
}

void StartSearches::ask(Searches::iterator search) {
    if (stopping_) {
        end(search, stops());
        return;
    }
    search->next_page = TimerId{};
    // What is published while the log looks is not on the page, and not before the start either.
    search->end = log_.next_offset();
    ListQuery query = search->query;
    log_.list(std::move(query), [this, search](const Result<ListResult>& page) {
        got(search, page);
    });
}

void StartSearches::got(Searches::iterator search, const Result<ListResult>& page) {
    if (stopping_) {
        end(search, stops());
    } else if (!page && page.error().code == Errc::offset_expired) {
        search->query.after.reset();  // retention was faster: on from where the log begins now
        go_on(search);
    } else if (!page) {
        end(search, std::unexpected(page.error()));
    } else if (!page->events.empty()) {
        end(search, page->events.front().offset);
    } else if (page->next) {
        search->query.after = page->next;
        go_on(search);
    } else {
        end(search, search->end);
    }
}

void StartSearches::go_on(Searches::iterator search) {
    search->next_page = clock_.call_at(clock_.now(), [this, search] { ask(search); });
}

void StartSearches::end(Searches::iterator search, Result<Offset> start) {
    Done done = std::move(search->done);
    searches_.erase(search);
    done(std::move(start));
}

}  // namespace belfry
