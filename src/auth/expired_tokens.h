// ExpiredTokens: takes the documents of tokens that expired long ago out of the catalog, so that
// what nobody can use does not count against limits.tokens for ever. For 30 days they stay listed
// as expired. One is removed only when two looks an hour apart find its time over: a wall clock
// that is wrong for a moment removes nothing. Owned by the wiring; documents and clock must outlive
// it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "catalog/access_documents.h"

#include <chrono>
#include <set>
#include <string>

namespace belfry {

class ExpiredTokens {
 public:
    static constexpr std::chrono::days kKept{30};
    static constexpr Duration kLookEvery = std::chrono::hours(1);

    ExpiredTokens(AccessDocuments& documents, Clock& clock)
        : documents_(documents), clock_(clock) {}
    ExpiredTokens(const ExpiredTokens&) = delete;
    ExpiredTokens& operator=(const ExpiredTokens&) = delete;
    ~ExpiredTokens() { clock_.cancel(timer_); }

    // The first look is now. Call once, when the documents are loaded.
    void start() { look(); }

 private:
    void look();

    // Constant after construction.
    AccessDocuments& documents_;
    Clock& clock_;
    // I/O thread.
    std::set<std::string> overdue_;  // at the last look
    TimerId timer_;
};

}  // namespace belfry
