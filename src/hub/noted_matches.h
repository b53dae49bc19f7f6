// Events that the match index found for a delivery while it could take none: their offsets, so
// that it need not read the log only to find again what was found once. At most kMost of them, and
// kMostTogether of all deliveries; what comes after is not noted, and the delivery examines the log
// from there. Owned by a Delivery. I/O thread only.
#pragma once

#include "base/offset.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace belfry {

class NotedMatches {
 public:
    static constexpr std::size_t kMost = 8'192;
    static constexpr std::uint64_t kMostTogether = 1'048'576;

    // `together` counts the offsets of all deliveries and must outlive it.
    explicit NotedMatches(std::uint64_t& together) : together_(together) {}
    ~NotedMatches() { clear(); }
    NotedMatches(const NotedMatches&) = delete;
    NotedMatches& operator=(const NotedMatches&) = delete;

    // From now on every matching event is given to add().
    void open();
    // Whether what is not in here, up to the end of the log, does not match.
    [[nodiscard]] bool is_open() const { return open_; }
    // Must be open. Offsets come in rising order; the first that finds it full closes it.
    void add(Offset offset);
    // Nothing at `from` or above was noted, or will be. If it is closed already, nothing changes.
    void close(Offset from);
    // Nothing is known any more.
    void clear();

    // Forgets what lies below.
    void drop_below(Offset offset);
    [[nodiscard]] bool empty() const { return first_ == offsets_.size(); }
    // Must not be empty.
    [[nodiscard]] Offset front() const { return offsets_[first_]; }
    // How many follow one another without a hole, from the front on; at most `most`.
    [[nodiscard]] std::size_t run(std::size_t most) const;
    // Must not be open: where the delivery has to examine the log itself.
    [[nodiscard]] Offset end() const { return end_; }

 private:
    std::uint64_t& together_;
    std::vector<Offset> offsets_;
    std::size_t first_ = 0;  // before it stand those that were dropped
    bool open_ = false;
    Offset end_;
};

}  // namespace belfry
