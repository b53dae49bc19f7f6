#include "doors/native/dead_letters.h"

#include "base/fixed_limits.h"
#include "doors/native/native_door_fixture.h"

namespace belfry {
namespace {

constexpr std::string_view kDeadLettersPath = "/api/v1/dead-letters";

class DeadLettersTest : public NativeDoorTest {
 protected:
    // A subscription whose listener rejects everything.
    void SetUp() override {
        record_.answer_at_once = [this](const auto&) { return outcome_; };
        Answer created =
            ask(Method::post,
                "/api/v1/subscriptions",
                R"({"name":"chat","filter":{},)"
                R"("sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in"}})");
        ASSERT_EQ(created.status, 201) << created.body;
    }
    void publish_and_save(std::string_view type) {
        publish(type, R"({"a":1})");
        pass(std::chrono::seconds(1));
    }
    std::string first_id() {
        std::string body = get(kDeadLettersPath).body;
        std::size_t begin = body.find(R"("id":")") + 6;
        return body.substr(begin, body.find('"', begin) - begin);
    }

    Outcome outcome_{.kind = Outcome::Kind::rejected, .status = 400, .error = "answered 400"};
};

TEST_F(DeadLettersTest, AreListedWithTheirEventAndAttempts) {
    EXPECT_EQ(get(kDeadLettersPath).body, R"({"dead_letters":[]})");
    publish_and_save("deploy");
    std::string body = get(kDeadLettersPath).body;
    for (std::string_view part :
         {R"("subscription":"chat")",
          R"("reason":"rejected")",
          R"("type":"deploy")",
          R"("status":400)",
          R"("error":"answered 400")",
          R"("offset":0)"}) {
        EXPECT_TRUE(body.contains(part)) << part << "\n" << body;
    }
}

TEST_F(DeadLettersTest, TheAgeOfTheOldestIsAMetric) {
    const auto age = [&] {
        constexpr std::string_view kName = "\nbelfry_dead_letter_oldest_seconds ";
        const std::string text = get("/metrics").body;
        const std::size_t at = text.find(kName);
        return at == std::string::npos ? -1.0 : std::stod(text.substr(at + kName.size()));
    };
    EXPECT_EQ(age(), -1) << "not known before State was asked";
    EXPECT_EQ(age(), 0);
    publish_and_save("deploy");
    pass(std::chrono::minutes(1));
    publish_and_save("deploy");
    age();
    pass(std::chrono::hours(2));
    EXPECT_NEAR(age(), 7261, 5);
    EXPECT_EQ(ask(Method::del, std::string(kDeadLettersPath) + "/" + first_id()).status, 204);
    pass(std::chrono::seconds(1));
    age();
    EXPECT_NEAR(age(), 7201, 5) << "the second one is the oldest now";
    EXPECT_EQ(ask(Method::del, std::string(kDeadLettersPath) + "/" + first_id()).status, 204);
    pass(std::chrono::seconds(1));
    age();
    EXPECT_EQ(age(), 0);
}

TEST_F(DeadLettersTest, AreNarrowedAndPaged) {
    publish_and_save("deploy.web");
    publish_and_save("restart");
    auto has = [&](std::string_view query, std::string_view type) {
        return get(std::string(kDeadLettersPath) + std::string(query)).body.contains(type);
    };
    EXPECT_TRUE(has("?type=deploy.*", "deploy.web") && !has("?type=deploy.*", "restart"));
    EXPECT_TRUE(has("?subscription=chat", "restart") && !has("?subscription=web", "restart"));
    EXPECT_TRUE(has("?since=1h", "restart"));
    EXPECT_FALSE(has("?since=2027-01-01T00:00:00Z", "restart"));
    std::string page = get(std::string(kDeadLettersPath) + "?limit=1").body;
    std::size_t begin = page.find(R"("next":")") + 8;
    ASSERT_NE(begin, std::string::npos + 8) << page;
    std::string next = page.substr(begin, page.find('"', begin) - begin);
    EXPECT_TRUE(has("?limit=1&after=" + next, "restart"));
    EXPECT_EQ(get(std::string(kDeadLettersPath) + "?after=nonsense").status, 400);
}

TEST_F(DeadLettersTest, OneCanBeReplayed) {
    publish_and_save("deploy");
    std::string id = first_id();
    outcome_ = Outcome{.kind = Outcome::Kind::settled, .status = 200};
    Answer replayed = ask(Method::post, std::string(kDeadLettersPath) + "/" + id + "/replay");
    EXPECT_EQ(replayed.status, 202) << replayed.body;
    EXPECT_TRUE(replayed.body.starts_with(R"({"replay":")")) << replayed.body;
    pass(std::chrono::seconds(1));
    EXPECT_EQ(record_.seen.size(), 2U);
    EXPECT_FALSE(record_.seen.back().replay.empty());
    EXPECT_EQ(get(kDeadLettersPath).body, R"({"dead_letters":[]})");
    EXPECT_EQ(ask(Method::post, std::string(kDeadLettersPath) + "/" + id + "/replay").status, 404);
}

TEST_F(DeadLettersTest, AllThatMatchCanBeReplayed) {
    publish_and_save("deploy");
    publish_and_save("deploy");
    publish_and_save("restart");
    outcome_ = Outcome{.kind = Outcome::Kind::settled, .status = 200};
    Answer replayed =
        ask(Method::post, std::string(kDeadLettersPath) + "/replay", R"({"type":"deploy"})");
    EXPECT_EQ(replayed.status, 202) << replayed.body;
    EXPECT_TRUE(replayed.body.ends_with(R"("queued":2})")) << replayed.body;
    pass(std::chrono::seconds(1));
    std::string left = get(kDeadLettersPath).body;
    EXPECT_TRUE(left.contains("restart") && !left.contains("deploy")) << left;
    EXPECT_EQ(
        ask(Method::post, std::string(kDeadLettersPath) + "/replay", R"({"typ":"x"})").status, 400
    );
}

TEST_F(DeadLettersTest, AreListedAndReplayedByTheirBytesToo) {
    constexpr std::size_t kLong = 1'000'000;
    constexpr std::size_t kRoom = kReplayBytesMax / kLong + 1;  // the last one passes it
    constexpr std::size_t kLetters = 100;
    for (std::size_t i = 0; i < kLetters; ++i) {
        publish("deploy", std::string(kLong, 'x'));
        pass(std::chrono::milliseconds(300));  // past 64 MiB that are not saved none is attempted
    }
    EXPECT_LT(get(std::string(kDeadLettersPath) + "?limit=1000").body.size(), 4 * kLong);

    record_.answer_at_once = nullptr;
    const Answer replayed = ask(Method::post, std::string(kDeadLettersPath) + "/replay", "{}");
    EXPECT_EQ(replayed.status, 202) << replayed.body;
    const std::size_t under_way = record_.waiting.size();
    ASSERT_LT(under_way + kRoom, kLetters);
    const std::string all = "\"queued\":" + std::to_string(under_way + kRoom) + "}";
    EXPECT_TRUE(replayed.body.ends_with(all)) << replayed.body;
    EXPECT_EQ(
        ask(Method::post, std::string(kDeadLettersPath) + "/" + first_id() + "/replay").status, 429
    );
    while (!record_.waiting.empty()) {
        record_.answer(Outcome{.kind = Outcome::Kind::settled, .status = 200});
    }
    pass(std::chrono::seconds(1));
    EXPECT_EQ(
        ask(Method::post, std::string(kDeadLettersPath) + "/" + first_id() + "/replay").status, 202
    );
}

TEST_F(DeadLettersTest, OneCanBePurged) {
    publish_and_save("deploy");
    std::string id = first_id();
    EXPECT_EQ(ask(Method::del, std::string(kDeadLettersPath) + "/" + id).status, 204);
    pass(std::chrono::seconds(1));
    EXPECT_EQ(get(kDeadLettersPath).body, R"({"dead_letters":[]})");
    EXPECT_EQ(ask(Method::del, std::string(kDeadLettersPath) + "/" + id).status, 404);
}

}  // namespace
}  // namespace belfry
