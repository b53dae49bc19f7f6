// One event among 10,000 subscriptions: 5,000 of an exact type, 3,000 of a prefix, 2,000 of every
// type with an `exact` filter on source or subject. The events differ from each other, as those of
// a real hub do. Arguments are Google Benchmark's.
#include "hub/match_index.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

namespace belfry {
namespace {

constexpr std::size_t kExact = 5'000;
constexpr std::size_t kPrefix = 3'000;
constexpr std::size_t kEvery = 2'000;

std::string type_name(std::size_t number) {
    static constexpr std::array<const char*, 8> kAreas{
        "deploy", "build", "experiment", "order", "invoice", "index", "session", "registry"
    };
    return fmt::format("com.example.{}.team{}.step{}", kAreas[number % 8], number % 97, number);
}

FilterExpression exact_term(const char* attribute, std::string value) {
    return {
        .kind = FilterExpression::Kind::exact,
        .terms = {{attribute, std::move(value)}},
        .children = {}
    };
}

void fill(MatchIndex& index) {
    MatchIndex::Id id = 0;
    for (std::size_t i = 0; i < kExact; ++i) {
        index.insert(id++, "default", {.types = {{.text = type_name(i), .prefix = false}}});
    }
    for (std::size_t i = 0; i < kPrefix; ++i) {
        index.insert(id++, "default", {.types = {{.text = type_name(i) + ".", .prefix = true}}});
    }
    for (std::size_t i = 0; i < kEvery; ++i) {
        FilterExpression term = i % 2 == 0 ? exact_term("source", fmt::format("/source/{}", i))
                                           : exact_term("subject", fmt::format("subject-{}", i));
        index.insert(
            id++, "default", {.types = {{.text = "", .prefix = true}}, .filters = {std::move(term)}}
        );
    }
}

// What an event needs to live.
struct Text {
    std::string type;
    std::string source;
    std::string subject;
};

std::vector<Text> texts(bool matching) {
    std::vector<Text> made;
    for (std::size_t i = 0; i < 1'000; ++i) {
        const std::size_t number = i * 7919 % kExact;
        if (!matching) {
            made.push_back(
                {.type = type_name(number) + "x",
                 .source = fmt::format("/nobody/{}", number),
                 .subject = fmt::format("nothing-{}", number)}
            );
            continue;
        }
        const bool prefix = i % 2 == 0;
        made.push_back(
            {.type = prefix ? type_name(number % kPrefix) + ".done" : type_name(number),
             .source = fmt::format("/source/{}", number % kEvery),
             .subject = fmt::format("subject-{}", number % kEvery)}
        );
    }
    return made;
}

void match(benchmark::State& state, bool matching) {
    MatchIndex index;
    fill(index);
    const std::vector<Text> made = texts(matching);
    std::vector<Event> events;
    events.reserve(made.size());
    for (const Text& text : made) {
        events.push_back({.source = text.source, .type = text.type, .subject = text.subject});
    }
    std::vector<MatchIndex::Id> out;
    std::size_t at = 0;
    std::size_t found = 0;
    for (auto _ : state) {
        out.clear();
        index.match(events[at], out);
        found += out.size();
        at = at + 1 < events.size() ? at + 1 : 0;
    }
    state.counters["matches"] =
        static_cast<double>(found) / static_cast<double>(state.iterations());
    if ((found == 0) == matching) {
        state.SkipWithError("the events do not match what they should");
    }
}

BENCHMARK_CAPTURE(match, some, true);
BENCHMARK_CAPTURE(match, none, false);

}  // namespace
}  // namespace belfry

BENCHMARK_MAIN();
