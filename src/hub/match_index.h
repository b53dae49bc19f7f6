// Which subscriptions want this event? Types and prefixes stand in a radix trie; within a type
// pattern one `exact` term is hashed; what is left of a filter is evaluated for the few that
// remain. The cost does not grow with subscriptions that do not match. Owned by Deliveries. I/O
// thread only.
#pragma once

#include "event/event.h"
#include "event/filter.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class MatchIndex {
 public:
    // The caller's number for a subscription; small, since a table is kept by it.
    using Id = std::uint32_t;

    MatchIndex();
    ~MatchIndex();
    MatchIndex(const MatchIndex&) = delete;
    MatchIndex& operator=(const MatchIndex&) = delete;

    // `id` must not be in the index.
    void insert(Id id, const std::string& tenant, const Filter& filter);
    // `id` must be in the index.
    void erase(Id id);
    // Appends every matching id once, in no order. Does not allocate but to grow `out`.
    void match(const Event& event, std::vector<Id>& out);

    // The work of all match() so far: nodes, attributes and subscriptions that were looked at.
    [[nodiscard]] std::uint64_t looked_at() const { return looked_at_; }

 private:
    struct Bucket;
    struct Node;
    struct Tenant;
    struct Entry;
    // What most offers need of an entry, close together.
    struct Mark {
        std::uint32_t offered = 0;  // the round in which it was offered last
        bool has_rest = false;      // of the filter, to be evaluated
    };

    void collect(const Bucket& bucket, const Event& event, std::vector<Id>& out);
    void offer(Id id, const Event& event, std::vector<Id>& out);

    std::map<std::string, std::unique_ptr<Tenant>, std::less<>> tenants_;
    std::vector<std::unique_ptr<Entry>> entries_;  // by Id
    std::vector<Mark> marks_;                      // by Id
    std::uint32_t round_ = 0;                      // of match(), marks what was offered already
    std::uint64_t looked_at_ = 0;
};

}  // namespace belfry
