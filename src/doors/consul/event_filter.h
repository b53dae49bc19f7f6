// Whom an event is for: Consul's three filters of an event, each an unanchored, case-sensitive
// regular expression, compiled once. Judges a node with its services (is this event for us?) or
// another event's filters (is this the event that the caller looks for?). Time and memory are
// bounded whatever the pattern. May be called from any thread.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "catalog/node_identity.h"
#include "catalog/services.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace re2 {
class RE2;
}

namespace belfry {

// As they stand in a request or in a stored event; an empty one is none.
struct EventFilterTexts {
    std::string_view node;
    std::string_view service;
    std::string_view tag;

    auto operator<=>(const EventFilterTexts&) const = default;
};

class EventFilter {
 public:
    // What an event is fired with. invalid_filter, the detail in Consul's words, for a tag filter
    // without a service filter, then for the first of node, service and tag that is no regular
    // expression, passes limits.filter_value_bytes or would take long to search for; `field` says
    // which.
    [[nodiscard]] static Result<EventFilter> parse(EventFilterTexts texts, const Limits& limits);
    // What a list is asked for: the same, but each stands for itself.
    [[nodiscard]] static Result<EventFilter> parse_search(
        EventFilterTexts texts, const Limits& limits
    );

    EventFilter();  // everything matches
    EventFilter(EventFilter&&) noexcept;
    EventFilter& operator=(EventFilter&&) noexcept;
    ~EventFilter();

    // The node's name matches, and one of its services matches by its name and by one of its tags.
    [[nodiscard]] bool accepts(const NodeIdentity& node, const Services& services) const;
    // What accepts() takes at most, in instructions times bytes: up to 50 ns each. What it stops
    // before does not count. Past kSearchStepsMax it is not to be called.
    [[nodiscard]] std::uint64_t steps(const NodeIdentity& node, const Services& services) const;
    static constexpr std::uint64_t kSearchStepsMax = 1 << 22;
    // Each of these texts is empty, which means everybody, or is matched.
    [[nodiscard]] bool admits(EventFilterTexts stored) const;
    // What that takes at most.
    [[nodiscard]] std::uint64_t steps(EventFilterTexts stored) const;

 private:
    // nullptr: everything matches.
    std::unique_ptr<re2::RE2> node_;
    std::unique_ptr<re2::RE2> service_;
    std::unique_ptr<re2::RE2> tag_;
};

}  // namespace belfry
