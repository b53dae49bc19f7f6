// Filters as JSON. What is accepted must be written as JSON that reads back equal, and match
// without a fault.
#include "base/assert.h"
#include "event/filter.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Limits limits;
    const auto filter = parse_filter(text, limits);
    if (!filter) {
        ASSERT(!filter.error().detail.empty());
        return 0;
    }
    const auto again = parse_filter(filter_json(*filter), limits);
    ASSERT(again.has_value() && *again == *filter);

    Event event;
    event.source = "/s";
    event.type = "deploy.web";
    event.subject = "b";
    event.extensions = {{"partitionkey", "k"}};
    const bool matches = filter->matches(event);
    ASSERT(!matches || filter->matches_type(event.type));
    // Turning every expression round and asking for any of them says the opposite.
    FilterExpression none{.kind = FilterExpression::Kind::any, .terms = {}, .children = {}};
    for (const FilterExpression& expression : filter->filters) {
        none.children.push_back(
            {.kind = FilterExpression::Kind::none_of, .terms = {}, .children = {expression}}
        );
    }
    ASSERT(matches == (filter->matches_type(event.type) && !none.matches(event)));
    return 0;
}
