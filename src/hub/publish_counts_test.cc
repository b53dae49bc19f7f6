#include "hub/publish_counts.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using Rows = std::map<std::string, std::uint64_t>;

Rows rows_of(const PublishCounts& counts) {
    Rows rows;
    counts.for_each([&](const std::string& door, const std::string& type, std::uint64_t count) {
        rows[door + " " + type] = count;
    });
    return rows;
}

TEST(PublishCounts, CountWhatWasStoredByTypeAndDoor) {
    PublishCounts counts;
    const std::vector<Event> same(2, Event{.type = "a"});
    const std::vector<Event> mixed{Event{.type = "a"}, Event{.type = "b"}, Event{.type = "a"}};
    const Appended stored;
    const Appended duplicate{.offset = {}, .duplicate = true};
    const std::vector<Appended> both{stored, duplicate};
    const std::vector<Appended> three{stored, stored, duplicate};
    counts.tally(same, "native").add(both);
    counts.tally(mixed, "native").add(three);
    counts.tally(same, "consul").add(both);
    static_cast<void>(counts.tally(mixed, "consul"));  // failed
    EXPECT_EQ(
        rows_of(counts), (Rows{{"native a", 2}, {"native b", 1}, {"consul a", 1}, {"consul b", 0}})
    );
}

TEST(PublishCounts, TypesBeyondSoManyShareOne) {
    PublishCounts counts;
    const std::vector<Appended> stored(1);
    for (std::size_t i = 0; i < PublishCounts::kTypesMax + 50; ++i) {
        const std::string type = "t" + std::to_string(i);
        const std::vector<Event> event{Event{.type = type}};
        counts.tally(event, "native").add(stored);
    }
    const Rows rows = rows_of(counts);
    EXPECT_EQ(rows.size(), PublishCounts::kTypesMax + 1);
    EXPECT_EQ(rows.at("native __other__"), 50U);
    EXPECT_EQ(rows.at("native t199"), 1U);
}

}  // namespace
}  // namespace belfry
