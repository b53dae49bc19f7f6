// The promise of match_index.h that matching allocates nothing. The sanitizers bring their own
// operator new, so it is held in the other builds.
#include "hub/match_index.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace {
std::size_t allocations = 0;
}

// They stand on malloc, as the library's do.
// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
void* operator new(std::size_t size) {
    ++allocations;
    void* memory = std::malloc(size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

namespace belfry {
namespace {

constexpr MatchIndex::Id kSubscriptions = 1'000;

// A fifth each: every event, a type, types that begin alike, an exact source, and what is left of a
// filter to be evaluated.
Filter filter_of(MatchIndex::Id id) {
    using Kind = FilterExpression::Kind;
    Filter filter;
    switch (id % 5) {
        case 0:
            break;
        case 1:
            filter.types = {{.text = "deploy.of.a.service.with.a.long.name"}};
            break;
        case 2:
            filter.types = {{.text = "deploy.of.a.", .prefix = true}};
            break;
        case 3:
            filter.filters = {{.kind = Kind::exact, .terms = {{"source", "/of/some/length/1"}}}};
            break;
        default:
            filter.filters = {
                {.kind = Kind::suffix, .terms = {{"subject", "a-subject-of-some-length"}}},
                {.kind = Kind::prefix, .terms = {{"tier", "an extension of the event"}}}
            };
    }
    return filter;
}

TEST(MatchIndexAllocations, ASecondMatchCostsNone) {
    MatchIndex index;
    for (MatchIndex::Id id = 0; id < kSubscriptions; ++id) {
        index.insert(id, "a-tenant-that-fits-no-small-string", filter_of(id));
    }
    Event event;
    event.tenant = "a-tenant-that-fits-no-small-string";
    event.source = "/of/some/length/1";
    event.type = "deploy.of.a.service.with.a.long.name";
    event.subject = "here is a-subject-of-some-length";
    event.extensions = {{.name = "tier", .value = "an extension of the event, of some length"}};
    std::vector<MatchIndex::Id> out;
    index.match(event, out);
    EXPECT_EQ(out.size(), kSubscriptions);

    out.clear();
    const std::size_t before = allocations;
    index.match(event, out);
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(out.size(), kSubscriptions);

    // The control: `out` has to grow again, and the counter sees it.
    std::vector<MatchIndex::Id> another;
    index.match(event, another);
    EXPECT_GT(allocations, before);
}

}  // namespace
}  // namespace belfry

#endif
