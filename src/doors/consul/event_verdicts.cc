#include "doors/consul/event_verdicts.h"

#include "base/fixed_limits.h"
#include "doors/consul/event_filter.h"

#include <map>
#include <string>

namespace belfry {

namespace {

EventFilterTexts filters_of(const Event& event) {
    EventFilterTexts texts;
    for (const Extension& extension : event.extensions) {
        if (extension.name == "nodefilter") {
            texts.node = extension.value;
        } else if (extension.name == "servicefilter") {
            texts.service = extension.value;
        } else if (extension.name == "tagfilter") {
            texts.tag = extension.value;
        }
    }
    return texts;
}

Error too_many(std::string what, std::size_t limit, std::size_t index) {
    return Error{
        .code = Errc::too_large,
        .detail =
            "the different filters by node, service and tag (nodefilter, servicefilter, "
            "tagfilter) of the events of one request " +
            std::move(what) + "; send fewer events at once",
        .limit = limit,
        .index = index
    };
}

}  // namespace

Result<void> EventVerdicts::judge(const Caller& caller, std::span<Event> events) const {
    // A filter may take long to compile and to search for: each is judged once, and there is an end
    // to them.
    std::map<EventFilterTexts, bool> accepted;
    std::size_t bytes = 0;
    std::uint64_t steps = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        Event& event = events[i];
        const EventFilterTexts texts = filters_of(event);
        if (texts == EventFilterTexts() || !caller.may(Resource::event, Verb::write, event.type)) {
            continue;
        }
        const auto [at, is_new] = accepted.try_emplace(texts, false);
        if (is_new) {
            bytes += texts.node.size() + texts.service.size() + texts.tag.size();
            if (accepted.size() > kFiltersOfRequestMax) {
                return std::unexpected(too_many(
                    "are more than " + std::to_string(kFiltersOfRequestMax), kFiltersOfRequestMax, i
                ));
            }
            // One event may have any: what is too long is not compiled.
            if (accepted.size() > 1 && bytes > kFilterBytesOfRequestMax) {
                return std::unexpected(too_many(
                    "have more than " + std::to_string(kFilterBytesOfRequestMax) + " bytes",
                    kFilterBytesOfRequestMax,
                    i
                ));
            }
            const Result<EventFilter> filter = EventFilter::parse_search(texts, limits_);
            const std::uint64_t taken = filter ? filter->steps(node_, services_) : 0;
            if (accepted.size() > 1 && steps + taken > EventFilter::kSearchStepsMax) {
                return std::unexpected(too_many(
                    "take too long to search the node's services for",
                    EventFilter::kSearchStepsMax,
                    i
                ));
            }
            steps += taken;
            at->second = filter && taken <= EventFilter::kSearchStepsMax &&
                         filter->accepts(node_, services_);
        }
        event.elsewhere = !at->second;
    }
    return {};
}

}  // namespace belfry
