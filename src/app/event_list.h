// What a list of Consul's user events says to a watch: which events it has not handed over yet, and
// whether the list is of the log it has seen before. Pure.
#pragma once

#include "base/error.h"
#include "event/consul_index.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct ListedEvent {
    Uuid id;
    std::string json;  // the whole object
};

// The last event that was handed over.
struct EventMark {
    Uuid id;

    [[nodiscard]] std::uint64_t index() const { return consul_index(id); }
    bool operator==(const EventMark&) const = default;
};

// The events of `body`, oldest first, as they came. bad_request for anything else than an array of
// objects with an "ID" in UUID form.
[[nodiscard]] Result<std::vector<ListedEvent>> parse_event_list(std::string_view body);

// The index rises with a log: a newest event before the mark, or another one in its place, comes
// from another log. An empty list says nothing.
[[nodiscard]] bool is_of_another_log(const std::vector<ListedEvent>& events, const EventMark& mark);

// Those behind the mark; all if there is none.
[[nodiscard]] std::vector<ListedEvent> events_behind(
    std::vector<ListedEvent> events, const std::optional<EventMark>& mark
);

// Valid JSON on lines, each level four spaces deeper, as `consul watch` prints it.
[[nodiscard]] std::string indented_json(std::string_view json);

}  // namespace belfry
