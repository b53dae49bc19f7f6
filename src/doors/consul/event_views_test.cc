// How much of the loop's time the searches of lists may take. There is no stopwatch here: what is
// counted are instructions times bytes.
#include "doors/consul/consul_door_fixture.h"

#include <algorithm>

namespace belfry {
namespace {

class EventViewsTest : public ConsulDoorTest {
 protected:
    // Appends events, each with a filter by node of its own, a thousand bytes of it.
    void append(int events) {
        for (int i = 0; i < events; ++i) {
            const std::string filter = "web|" + std::to_string(++last_) + std::string(1000, 'x');
            const Event event{
                .source = "/s", .type = "deploy", .extensions = {{"nodefilter", filter}}
            };
            log_.append({&event, 1}, [](auto) {});
        }
    }
    // (?:[ -~]?){600}, which has some 1,200 instructions.
    static constexpr std::string_view kHostile = "?node=(%3F:%5B%20-~%5D%3F)%7B600%7D";
    int last_ = 100;
};

TEST_F(EventViewsTest, AListSearchesSoMuchOfDifferentFiltersAndNoMore) {
    append(30);
    EXPECT_EQ(count(list("?node=x$")), 30U);
    const std::size_t found = count(list(kHostile));
    EXPECT_GE(found, 3U);
    EXPECT_LE(found, 5U);
    append(2);
    run();
    EXPECT_EQ(count(list(kHostile)), found + 2) << "what is new is added";
}

TEST_F(EventViewsTest, TheLoopHasItsTurnsWhileManyListsAreSearchedFor) {
    constexpr int kLists = 10;
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < kLists; ++i) {
        numbers.push_back(block(std::string(kHostile) + "%7C" + std::to_string(i) + "&index=1"));
    }
    const auto answers = [&] {
        return std::ranges::count_if(numbers, [this](auto number) { return answered(number); });
    };
    append(1);
    EXPECT_GE(answers(), 1);
    EXPECT_LT(answers(), kLists);
    append(1);
    run();
    EXPECT_EQ(answers(), kLists);
    for (int i = 0; i < kLists; ++i) {
        EXPECT_EQ(count(list(std::string(kHostile) + "%7C" + std::to_string(i))), 2U);
    }
}

}  // namespace
}  // namespace belfry
