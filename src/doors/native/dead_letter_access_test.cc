// Dead letters and those who may not read every event: what they see of them, replay and purge.
#include "doors/native/closed_hub_fixture.h"

#include <boost/json.hpp>

namespace belfry {
namespace {

constexpr const char* kLettersPath = "/api/v1/dead-letters";
constexpr const char* kRules =
    R"({"event_prefix":{"pub":"read"},"event":{"pub.not":"deny"},"dead_letter":"write"})";

// Dead letters of pub.a, pub.b and pub.not at offsets 0 to 2, and a reader of the first two.
class DeadLetterAccess : public ClosedHubTest {
 protected:
    void SetUp() override {
        record_.answer_at_once = [](const auto&) {
            return Outcome{.kind = Outcome::Kind::rejected, .status = 400, .error = "answered 400"};
        };
        close();
        policy("public", kRules);
        reader_ = token("public");
        reader_id_ = last_id_;
        made(
            operator_,
            "/api/v1/subscriptions",
            R"({"name":"chat","filter":{},"delivery":{"max_in_flight":1},)"
            R"("sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in"}})"
        );
        for (std::string type : {"pub.a", "pub.b", "pub.not"}) {
            publish_as_operator(type);
        }
        ids_ = ids(operator_);
        ASSERT_EQ(ids_.size(), 3U);
    }

    void publish_as_operator(const std::string& type) {
        Answer answer = ask_as(operator_, Method::post, "/api/v1/events?type=" + type, "x");
        EXPECT_EQ(answer.status, 200) << answer.body;
        pass(std::chrono::seconds(1));
    }
    std::vector<std::string> ids(const std::string& secret) {
        boost::json::value page =
            boost::json::parse(ask_as(secret, Method::get, kLettersPath).body);
        std::vector<std::string> found;
        for (const boost::json::value& letter : page.at("dead_letters").as_array()) {
            found.emplace_back(letter.at("id").as_string());
        }
        std::ranges::sort(found);
        return found;
    }
    Answer replay(const std::string& secret, const std::string& id) {
        return ask_as(secret, Method::post, kLettersPath + ("/" + id) + "/replay");
    }
    Answer replay_all(const std::string& secret) {
        return ask_as(secret, Method::post, std::string(kLettersPath) + "/replay", "{}");
    }
    std::string id_of(const std::string& type) {
        return member(ask_as(operator_, Method::get, kLettersPath + ("?type=" + type)).body, "id");
    }

    // The only attempt that may be under way waits for its answer; what is replayed waits behind.
    void occupy() {
        record_.answer_at_once = {};
        publish_as_operator("pub.slow");
        ASSERT_EQ(record_.waiting.size(), 1U);
        record_.seen.clear();
    }
    // Answers what waits until nothing does; gives the offsets that were replayed.
    std::vector<std::uint64_t> replayed() {
        for (int i = 0; i < 10 && !record_.waiting.empty(); ++i) {
            record_.answer(Outcome{.kind = Outcome::Kind::settled, .status = 200});
            pass(std::chrono::seconds(1));
        }
        EXPECT_TRUE(record_.waiting.empty());
        return record_.offsets();
    }

    std::string reader_;
    std::string reader_id_;
    std::vector<std::string> ids_;
};
using Offsets = std::vector<std::uint64_t>;

TEST_F(DeadLetterAccess, AListHasThoseOfReadableTypes) {
    EXPECT_EQ(ids(reader_).size(), 2U);
    const std::string body = ask_as(reader_, Method::get, kLettersPath).body;
    EXPECT_TRUE(body.contains("pub.a") && body.contains("pub.b"));
    EXPECT_FALSE(body.contains("pub.not")) << body;
    EXPECT_EQ(
        ask_as(reader_, Method::get, std::string(kLettersPath) + "?type=pub.not").body,
        R"({"dead_letters":[]})"
    );
}

TEST_F(DeadLetterAccess, OneOfAnUnreadableTypeIsAnsweredLikeOneThatIsNot) {
    const std::string hidden = id_of("pub.not");
    auto told = [&](Method method, const std::string& id, const std::string& action) {
        Answer answer = ask_as(reader_, method, kLettersPath + ("/" + id) + action);
        EXPECT_EQ(answer.status, 404) << answer.body;
        std::size_t at = answer.body.find(id);
        return at == std::string::npos ? answer.body : answer.body.replace(at, id.size(), "ID");
    };
    const std::string absent(hidden.size(), '7');
    EXPECT_EQ(told(Method::post, hidden, "/replay"), told(Method::post, absent, "/replay"));
    EXPECT_EQ(told(Method::del, hidden, ""), told(Method::del, absent, ""));
    EXPECT_EQ(ids(operator_), ids_) << "it is still there";
    EXPECT_EQ(record_.seen.size(), 3U) << "and was not attempted";
}

// What a listener answers may repeat what it was sent.
TEST_F(DeadLetterAccess, AttemptsAreToldToWhoMayReadTheirEvents) {
    made(
        operator_,
        "/api/v1/policies",
        R"({"name":"watch","rules":{"event_prefix":{"pub":"read"},"event":{"pub.not":"deny"},)"
        R"("subscription":"write"}})"
    );
    const std::string watcher = token("watch");
    const std::string chat = "/api/v1/subscriptions/chat";
    const std::string all = ask_as(operator_, Method::get, chat + "/attempts").body;
    EXPECT_TRUE(all.contains("answered 400")) << all;
    Answer hidden = ask_as(watcher, Method::get, chat + "/attempts");
    EXPECT_EQ(hidden.status, 403) << "pub.not would be in it";
    EXPECT_FALSE(hidden.body.contains("answered")) << hidden.body;
    EXPECT_EQ(ask_as(watcher, Method::get, chat + "/attempts?event=2").status, 404);
    Answer one = ask_as(watcher, Method::get, chat + "/attempts?event=0");
    EXPECT_EQ(one.status, 200);
    EXPECT_TRUE(one.body.contains("answered 400")) << one.body;
    EXPECT_EQ(ask_as(watcher, Method::get, "/api/v1/subscriptions/none/attempts").status, 404);

    EXPECT_TRUE(ask_as(operator_, Method::get, chat).body.contains("last_error"));
    for (const auto& [method, target] :
         {std::pair(Method::get, chat),
          std::pair(Method::get, std::string("/api/v1/subscriptions")),
          std::pair(Method::post, chat + "/pause"),
          std::pair(Method::post, chat + "/resume")}) {
        Answer answer = ask_as(watcher, method, target);
        EXPECT_EQ(answer.status, 200) << target;
        EXPECT_FALSE(answer.body.contains("last_error")) << target << answer.body;
    }
    made(
        operator_,
        "/api/v1/subscriptions",
        R"({"name":"public","filter":{"types":["pub.a"]},)"
        R"("sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in"}})"
    );
    EXPECT_EQ(ask_as(watcher, Method::get, "/api/v1/subscriptions/public/attempts").status, 200);
}

TEST_F(DeadLetterAccess, AReplayOfAllLeavesThoseOfUnreadableTypes) {
    record_.seen.clear();
    record_.answer_at_once = [](const auto&) {
        return Outcome{.kind = Outcome::Kind::settled, .status = 200};
    };
    Answer answer = replay_all(reader_);
    EXPECT_TRUE(answer.body.ends_with(R"("queued":2})")) << answer.body;
    pass(std::chrono::seconds(1));
    EXPECT_EQ(record_.offsets(), (Offsets{0, 1}));
    EXPECT_EQ(ids(operator_), std::vector{id_of("pub.not")});
}

TEST_F(DeadLetterAccess, AWaitingReplayOfARevokedTokenIsDroppedAndAnothersIsNot) {
    occupy();
    EXPECT_EQ(replay(reader_, id_of("pub.a")).status, 202);
    EXPECT_EQ(replay(operator_, id_of("pub.not")).status, 202);
    EXPECT_EQ(replay(reader_, id_of("pub.b")).status, 202);
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/" + reader_id_).status, 204);
    const std::vector<std::string> stay{id_of("pub.a"), id_of("pub.b")};
    EXPECT_EQ(replayed(), Offsets{2}) << "the operator's";
    EXPECT_EQ(ids(operator_).size(), 2U);
    EXPECT_EQ((std::vector{id_of("pub.a"), id_of("pub.b")}), stay) << "their dead letters stay";
}

TEST_F(DeadLetterAccess, AWaitingReplayOfAnExpiredTokenIsDropped) {
    const std::string brief = token("public", R"(,"expires":"10s")");
    occupy();
    EXPECT_EQ(replay(brief, id_of("pub.a")).status, 202);
    EXPECT_EQ(replay(reader_, id_of("pub.b")).status, 202);
    const std::vector<std::string> stay{id_of("pub.a")};
    pass(std::chrono::seconds(10));
    EXPECT_EQ(replayed(), Offsets{1}) << "the other token's";
    EXPECT_EQ(std::vector{id_of("pub.a")}, stay);
}

TEST_F(DeadLetterAccess, AWaitingReplayIsDroppedWithTheRightToReplay) {
    occupy();
    EXPECT_TRUE(replay_all(reader_).body.ends_with(R"("queued":2})"));
    Answer changed = ask_as(
        operator_,
        Method::put,
        "/api/v1/policies/public",
        R"({"name":"public","rules":{"event_prefix":{"pub":"read"},"dead_letter":"read"}})"
    );
    EXPECT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(replayed(), Offsets{});
    EXPECT_EQ(ids(operator_), ids_);
}

TEST_F(DeadLetterAccess, AWaitingReplayIsDroppedWithTheRightToReadItsType) {
    occupy();
    EXPECT_TRUE(replay_all(reader_).body.ends_with(R"("queued":2})"));
    Answer changed = ask_as(
        operator_,
        Method::put,
        "/api/v1/policies/public",
        R"({"name":"public","rules":{"event":{"pub.b":"read"},"dead_letter":"write"}})"
    );
    EXPECT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(replayed(), Offsets{1});
    EXPECT_EQ(ids(operator_), (std::vector{id_of("pub.a"), id_of("pub.not")}));
}

// What waits for retries would leave for wherever the new sink points.
TEST_F(DeadLetterAccess, WhoMayNotReadWhatASubscriptionCarriesMayNotReplaceIt) {
    policy("narrow", R"({"event_prefix":{"pub":"read"},"subscription":"write"})");
    const std::string narrow = token("narrow");
    const std::string chat = "/api/v1/subscriptions/chat";
    const std::string document =
        R"({"name":"chat","filter":{"types":["pub.*"]},)"
        R"("sink":{"kind":"webhook","url":"http://127.0.0.1:9000/elsewhere"}})";
    const Answer refused = ask_as(narrow, Method::put, chat, document);
    EXPECT_EQ(refused.status, 403) << refused.body;
    EXPECT_TRUE(ask_as(operator_, Method::get, chat).body.contains("9000/in"));
    EXPECT_EQ(ask_as(operator_, Method::put, chat, document).status, 200);
    EXPECT_EQ(ask_as(narrow, Method::put, chat, document).status, 200) << "it carries pub.* now";
    EXPECT_EQ(ask_as(narrow, Method::put, "/api/v1/subscriptions/none", document).status, 400);
}

}  // namespace
}  // namespace belfry
