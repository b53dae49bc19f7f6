#include "hub/publish_counts.h"

#include <algorithm>

namespace belfry {

void PublishCounts::Tally::add(std::span<const Appended> receipts) const {
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        if (!receipts[i].duplicate) {
            ++*(all_ != nullptr ? all_ : each_[i]);
        }
    }
}

PublishCounts::Tally PublishCounts::tally(std::span<const Event> events, std::string_view door) {
    auto at = doors_.find(door);
    if (at == doors_.end()) {
        at = doors_.try_emplace(std::string(door)).first;
    }
    Types& types = at->second;
    Tally tally;
    const std::string_view first = events.front().type;
    if (std::ranges::all_of(events, [&](const Event& event) { return event.type == first; })) {
        tally.all_ = &count_of(types, first);
        return tally;
    }
    tally.each_.reserve(events.size());
    for (const Event& event : events) {
        tally.each_.push_back(&count_of(types, event.type));
    }
    return tally;
}

std::uint64_t& PublishCounts::count_of(Types& types, std::string_view type) {
    if (auto found = types.find(type); found != types.end()) {
        return found->second;
    }
    return types[std::string(types.size() < kTypesMax ? type : kOtherTypes)];
}

}  // namespace belfry
