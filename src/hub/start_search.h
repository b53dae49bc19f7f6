// Finds where a subscription begins that starts at a time: at the first event of its tenant that
// was recorded then or later. The log answers in pages and a page may be empty; each page after the
// first is asked for in a turn of its own, so that a long search keeps nobody waiting. Owned by the
// hub; clock and log must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "engine/log.h"

#include <functional>
#include <list>
#include <string>

namespace belfry {

class StartSearches {
 public:
    using Done = std::move_only_function<void(Result<Offset>)>;

    StartSearches(Clock& clock, Log& log) : clock_(clock), log_(log) {}
    ~StartSearches();
    StartSearches(const StartSearches&) = delete;
    StartSearches& operator=(const StartSearches&) = delete;

    // `done` once, possibly before return. Where no event is that young, the offset is that of the
    // next one to be published.
    void find(std::string tenant, WallTime since, Done done);
    // Those under way fail, and so does what is asked for from now on: the log is about to close.
    void stop();

 private:
    struct Search {
        ListQuery query;
        Done done;
        TimerId next_page;  // while a turn is waited for
        Offset end;         // of the log when the page was asked for
    };
    using Searches = std::list<Search>;

    void ask(Searches::iterator search);
    void got(Searches::iterator search, const Result<ListResult>& page);
    void go_on(Searches::iterator search);
    void end(Searches::iterator search, Result<Offset> start);

    Clock& clock_;
    Log& log_;
    Searches searches_;
    bool stopping_ = false;
};

}  // namespace belfry
