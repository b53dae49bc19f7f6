// Every route of the door against every kind of caller, generated from the routes table: a route
// that somebody adds is in it, and one that lets in more than it declares fails.
#include "doors/native/closed_hub_fixture.h"
#include "doors/openapi.h"

#include <map>
#include <regex>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class AccessMatrix : public ClosedHubTest {
 protected:
    struct Asker {
        std::string name;
        std::string secret;  // empty: no token
        // What it may, by "resource:verb"; nullopt: not even identified.
        std::optional<std::map<std::string, bool>> rights;
    };

    // One asker for each resource and verb; what they may do together.
    std::map<std::string, bool> add_single_rights(std::vector<Asker>& askers) {
        std::map<std::string, bool> everything;
        for (Resource resource :
             {Resource::event,
              Resource::subscription,
              Resource::dead_letter,
              Resource::agent,
              Resource::catalog,
              Resource::token,
              Resource::op}) {
            std::string member(resource_name(resource));
            for (std::string verb : {"read", "write"}) {
                std::string rules = resource == Resource::event
                                        ? R"({"event_prefix":{"":")" + verb + "\"}}"
                                        : "{\"" + member + "\":\"" + verb + "\"}";
                std::string name = (resource == Resource::op ? "op" : member) + "-" + verb;
                policy(name, rules);
                std::map<std::string, bool> rights{{member + ":read", true}};
                if (verb == "write") {
                    rights[member + ":write"] = true;
                }
                everything.insert(rights.begin(), rights.end());
                askers.push_back({name, token(name), rights});
            }
        }
        return everything;
    }
};

std::string right(Resource resource, Verb verb) {
    return std::string(resource_name(resource)) + (verb == Verb::read ? ":read" : ":write");
}

// The path with something in place of its parameters.
std::string filled(const std::string& path, const std::string& value) {
    return std::regex_replace(path, std::regex("\\{[^}]*\\}"), value);
}

TEST_F(AccessMatrix, EveryRouteLetsInWhomItDeclaresAndNobodyElse) {
    close();
    std::vector<Asker> askers;
    askers.push_back({"nobody", "", std::map<std::string, bool>{}});
    askers.push_back({"malformed", "nonsense", std::nullopt});
    policy(
        "all",
        R"({"event_prefix":{"":"write"},"subscription":"write","dead_letter":"write",)"
        R"("agent":"write","catalog":"write","token":"write","operator":"write"})"
    );
    askers.push_back({"revoked", token("all"), std::nullopt});
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/" + last_id_).status, 204);
    askers.push_back({"expired", token("all", R"(,"expires":"1s")"), std::nullopt});
    askers.push_back({"unknown", "belfry_" + std::string(56, '0'), std::nullopt});
    const std::map<std::string, bool> everything = add_single_rights(askers);
    askers.push_back({"all", token("all"), everything});
    policy("foreign", R"({"event_prefix":{"":"write"},"token":"write"})", R"(,"tenant":"acme")");
    askers.push_back(
        {"other tenant",
         token("foreign", R"(,"tenant":"acme")"),
         std::map<std::string, bool>{
             {"event:read", true},
             {"event:write", true},
             {"token:read", true},
             {"token:write", true}
         }}
    );
    pass(2min);

    std::size_t cells = 0;
    std::vector<Door> all_doors = doors();
    add_openapi_route(all_doors);
    for (const Door& door : all_doors) {
        for (const Route& route : door.routes) {
            for (const Asker& asker : askers) {
                if (asker.name == "malformed") {
                    pass(1min);  // wrong tokens are counted, elsewhere tested
                }
                Answer answer = ask_as(asker.secret, route.method, filled(route.path, "999"), "");
                int expected = 0;  // anything else
                // Consul's API has no 401.
                const int stranger = door.name == "consul" ? 403 : 401;
                if (!asker.rights) {
                    expected = stranger;
                } else if (route.needs.resource != Resource::none &&
                           !asker.rights->contains(right(route.needs.resource, route.needs.verb))) {
                    expected = asker.secret.empty() ? stranger : 403;
                }
                const bool refused = answer.status == 401 || answer.status == 403;
                EXPECT_EQ(refused ? answer.status : 0, expected)
                    << asker.name << " at " << static_cast<int>(route.method) << " " << route.path
                    << " got " << answer.status << " " << answer.body;
                ++cells;
            }
        }
    }
    RecordProperty("cells", static_cast<int>(cells));
    EXPECT_GE(cells, 1250U) << "an asker or a route is missing";
}

class OtherTenant : public AccessMatrix {
 protected:
    // An event, a subscription, an extension, a dead letter, a token and a policy of the tenant
    // `default`, and a stranger who may do everything in his own.
    void SetUp() override {
        record_.answer_at_once = [](const auto&) {
            return Outcome{.kind = Outcome::Kind::rejected, .status = 400, .error = "answered 400"};
        };
        close();
        policy("foreign", kEverything, R"(,"tenant":"acme")");
        stranger_ = token("foreign", R"(,"tenant":"acme")");
        policy("mine", R"({"token":"read"})");
        token("mine");
        token_id_ = last_id_;
        made(
            operator_,
            "/api/v1/subscriptions",
            R"({"name":"chat","sink":{"kind":"webhook","url":"http://127.0.0.1:9/"}})"
        );
        Answer published = ask_as(operator_, Method::post, "/api/v1/events?type=t&id=order", "x");
        EXPECT_EQ(published.status, 200);
        pass(1s);
        const std::string letters = ask_as(operator_, Method::get, "/api/v1/dead-letters").body;
        letter_id_ = member(letters, "id");
        uuid_ = member(ask_as(operator_, Method::get, "/api/v1/events/order").body, "uuid");
        const std::uint64_t registered = send_as(
            operator_, Method::post, "/api/v1/extensions", R"({"url":"http://ext.example:8080/"})"
        );
        index_calls_.front().done(
            HttpReply{.status = 200, .headers = {}, .body = R"({"eventListeners":[]})"}
        );
        index_calls_.pop_front();
        run();
        EXPECT_EQ(connection_.answer(registered).status, 201);
    }

    struct Pair {
        std::string exists;  // of the other tenant
        std::string absent;
        std::string body = {};
    };
    // What stands for the parameters of a route.
    std::vector<Pair> pairs(const Route& route) const {
        const bool put = route.method == Method::put;
        if (route.path.contains("/subscriptions/")) {
            constexpr const char* kSink =
                R"({"name":"NAME","sink":{"kind":"webhook","url":"http://127.0.0.1:9/"}})";
            return {{"chat", "none", put ? kSink : ""}};
        }
        if (route.path.contains("/extensions/")) {
            return {{"ext.example:8080", "none.example:8080"}};
        }
        if (route.path.contains("/dead-letters/")) {
            return {{letter_id_, std::string(letter_id_.size(), '7')}};
        }
        if (route.path.contains("/tokens/")) {
            return {{token_id_, "tk_000000000000"}};
        }
        if (route.path.contains("/policies/")) {
            return {{"mine", "none", put ? R"({"name":"NAME","rules":{}})" : ""}};
        }
        if (route.path.contains("/events/")) {
            const std::string no_uuid = "00000000-0000-4000-8000-000000000000";
            return {{"0", "7"}, {"order", "reorder"}, {uuid_, no_uuid}};
        }
        return {};
    }
    // The answer, with what was asked for taken out.
    std::string asked(const Route& route, const std::string& name, const std::string& body) {
        const std::regex named("'" + name + "'");
        std::string sent = std::regex_replace(body, std::regex("NAME"), name);
        Answer answer = ask_as(stranger_, route.method, filled(route.path, name), sent);
        return std::to_string(answer.status) + answer.headers +
               std::regex_replace(answer.body, named, "'NAME'");
    }

    static constexpr const char* kEverything =
        R"({"event_prefix":{"":"write"},"subscription":"write","dead_letter":"write",)"
        R"("token":"write","agent":"write","catalog":"write"})";
    std::string stranger_;
    std::string token_id_;
    std::string letter_id_;
    std::string uuid_;
};

TEST_F(OtherTenant, ItsObjectsAreAnsweredLikeThoseThatAreNot) {
    std::size_t compared = 0;
    const std::vector<Door> all_doors = doors();
    for (const Door& door : all_doors) {
        for (const Route& route : door.routes) {
            if (!route.path.contains('{') || route.needs.resource == Resource::agent ||
                route.path.starts_with("/v1/event/fire/")) {
                continue;  // services belong to the node, names of events to nobody
            }
            const std::vector<Pair> all = pairs(route);
            EXPECT_FALSE(all.empty()) << route.path << " has no row in this test";
            for (const auto& [exists, absent, body] : all) {
                const std::string foreign = asked(route, exists, body);
                EXPECT_EQ(foreign, asked(route, absent, body)) << route.path << " " << exists;
                EXPECT_TRUE(foreign.starts_with("404")) << route.path << foreign;
                ++compared;
            }
        }
    }
    EXPECT_GE(compared, 20U);
    // The control: whoever they belong to finds them all as they were.
    for (std::string target :
         {"/api/v1/events/0",
          "/api/v1/events/order",
          "/api/v1/subscriptions/chat",
          "/api/v1/extensions/ext.example:8080",
          "/api/v1/policies/mine"}) {
        EXPECT_EQ(ask_as(operator_, Method::get, target).status, 200) << target;
    }
    EXPECT_EQ(ask_as(operator_, Method::get, "/api/v1/events/" + uuid_).status, 200);
    EXPECT_EQ(ask_as(operator_, Method::get, "/api/v1/tokens/" + token_id_).status, 200);
    EXPECT_TRUE(ask_as(operator_, Method::get, "/api/v1/dead-letters").body.contains(letter_id_));
    const std::string replay = "/api/v1/dead-letters/" + letter_id_ + "/replay";
    EXPECT_EQ(ask_as(operator_, Method::post, replay).status, 202);
}

TEST_F(OtherTenant, AttemptsOfExtensionsAreForWhoMayReadEveryType) {
    policy("some", R"({"event_prefix":{"":"read"},"event":{"x":"deny"},"subscription":"read"})");
    const std::string attempts = "/api/v1/extensions/ext.example:8080/attempts";
    EXPECT_EQ(ask_as(token("some"), Method::get, attempts).status, 403);
    EXPECT_EQ(ask_as(operator_, Method::get, attempts).status, 200);
}

TEST_F(OtherTenant, ItsObjectsAreInNoListAndNoStream) {
    for (const auto& [target, empty] :
         {std::pair("/api/v1/events", R"({"events":[])"),
          {"/api/v1/subscriptions", R"({"subscriptions":[])"},
          {"/api/v1/dead-letters", R"({"dead_letters":[])"},
          {"/api/v1/extensions", R"({"extensions":[])"},
          {"/v1/event/list", "[]"}}) {
        Answer answer = ask_as(stranger_, Method::get, target);
        EXPECT_EQ(answer.status, 200) << target;
        EXPECT_TRUE(answer.body.starts_with(empty)) << target << answer.body;
    }
    EXPECT_FALSE(ask_as(stranger_, Method::get, "/api/v1/tokens").body.contains(token_id_));
    EXPECT_FALSE(ask_as(stranger_, Method::get, "/api/v1/policies").body.contains("mine"));
    const std::uint64_t live = send_as(stranger_, Method::get, "/api/v1/events/stream");
    const std::uint64_t past = send_as(stranger_, Method::get, "/api/v1/events/stream?after=0");
    EXPECT_EQ(ask_as(operator_, Method::post, "/api/v1/events?type=theirs", "x").status, 200);
    EXPECT_EQ(ask_as(stranger_, Method::post, "/api/v1/events?type=his", "x").status, 200);
    run();
    for (std::uint64_t stream : {live, past}) {
        const std::string& seen = connection_.answer(stream).body;
        EXPECT_TRUE(seen.contains(R"("type":"his")")) << seen;
        EXPECT_FALSE(seen.contains("theirs")) << seen;
    }
    // Who may operate the hub names another tenant; nobody else does.
    EXPECT_EQ(ask_as(stranger_, Method::get, "/api/v1/tokens?tenant=default").status, 404);
    EXPECT_EQ(ask_as(operator_, Method::get, "/api/v1/tokens?tenant=acme").status, 200);
}

TEST_F(AccessMatrix, ListsStreamsAndLettersShowWhatMayBeRead) {
    close();
    policy(
        "public",
        R"({"event_prefix":{"pub":"read"},"event":{"pub.not":"deny"},)"
        R"("subscription":"write","dead_letter":"write"})"
    );
    const std::string reader = token("public");
    Headers headers{{"Authorization", "Bearer "}};
    const std::string authorization = "Bearer " + reader;
    headers.front().value = authorization;
    const std::uint64_t stream = send(Method::get, "/api/v1/events/stream", "", headers);
    for (std::string type : {"first", "pub.a", "pub.not", "private"}) {
        EXPECT_EQ(ask_as(operator_, Method::post, "/api/v1/events?type=" + type, "x").status, 200);
    }
    const std::uint64_t late = send(Method::get, "/api/v1/events/stream?after=0", "", headers);
    run();
    for (std::uint64_t number : {stream, late}) {
        const std::string& seen = connection_.answer(number).body;
        EXPECT_TRUE(seen.contains("pub.a")) << seen;
        EXPECT_FALSE(seen.contains("pub.not")) << seen;
        EXPECT_FALSE(seen.contains("private")) << seen;
    }
    const std::string list = ask_as(reader, Method::get, "/api/v1/events").body;
    EXPECT_TRUE(list.contains("pub.a"));
    EXPECT_FALSE(list.contains("pub.not"));
    EXPECT_FALSE(list.contains("private"));
    EXPECT_EQ(ask_as(reader, Method::get, "/api/v1/events/1").status, 200);
    Answer hidden = ask_as(reader, Method::get, "/api/v1/events/3");
    EXPECT_EQ(hidden.status, 404);
    EXPECT_EQ(hidden.body, ask_as(reader, Method::get, "/api/v1/events/77").body);

    auto subscribe = [&](const std::string& types) {
        return ask_as(
                   reader,
                   Method::post,
                   "/api/v1/subscriptions",
                   R"({"name":"s","filter":{"types":[)" + types +
                       R"(]},"sink":{"kind":"webhook","url":"http://127.0.0.1:9/"}})"
        )
            .status;
    };
    EXPECT_EQ(subscribe(""), 403) << "every type would leave through it";
    EXPECT_EQ(subscribe(R"("pub*")"), 403) << "pub.not is in it";
    EXPECT_EQ(subscribe(R"("pub.a*","private")"), 403);
    EXPECT_EQ(subscribe(R"("pub.a*")"), 201);
}

TEST_F(AccessMatrix, ALostRightEndsOpenStreamsWithinSeconds) {
    close();
    policy("reads", R"({"event_prefix":{"":"read"}})");
    const std::string revoked = token("reads");
    const std::string revoked_id = last_id_;
    const std::string expiring = token("reads", R"(,"expires":"10s")");
    const std::string staying = token("reads");
    std::vector<std::uint64_t> streams;
    for (const std::string& secret : {revoked, expiring, staying}) {
        const std::string authorization = "Bearer " + secret;
        streams.push_back(
            send(Method::get, "/api/v1/events/stream", "", {{"Authorization", authorization}})
        );
    }
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/" + revoked_id).status, 204);
    EXPECT_EQ(ask_as(operator_, Method::post, "/api/v1/events?type=after", "x").status, 200);
    EXPECT_FALSE(connection_.answer(streams[0]).body.contains("after"))
        << "not even before it ends";
    EXPECT_TRUE(connection_.answer(streams[2]).body.contains("after"));
    pass(5s);
    EXPECT_TRUE(connection_.answer(streams[0]).ended);
    EXPECT_FALSE(connection_.answer(streams[1]).ended);
    pass(5s + 5s);
    EXPECT_TRUE(connection_.answer(streams[1]).ended) << "within 5 s of its expiry";
    EXPECT_FALSE(connection_.answer(streams[2]).ended);
}

TEST_F(AccessMatrix, AnOpenStreamOfAnOpenHubEndsWithTheFirstToken) {
    const std::uint64_t stream = send(Method::get, "/api/v1/events/stream");
    close();
    EXPECT_EQ(ask_as(operator_, Method::post, "/api/v1/events?type=after", "x").status, 200);
    EXPECT_FALSE(connection_.answer(stream).body.contains("after"));
    pass(5s);
    EXPECT_TRUE(connection_.answer(stream).ended);
}

TEST_F(AccessMatrix, AStreamThatLosesItsRightInTheMiddleOfAnEventIsCut) {
    const std::uint64_t stream = send(Method::get, "/api/v1/events/stream");
    connection_.stall(stream);
    publish("long", std::string(limits_.body_bytes, 'x'));
    EXPECT_TRUE(connection_.answer(stream).body.contains("long"));
    EXPECT_FALSE(connection_.answer(stream).body.ends_with("\n\n"));
    close();
    pass(5s);
    EXPECT_TRUE(connection_.answer(stream).dropped);
    EXPECT_FALSE(connection_.answer(stream).ended);
}

TEST_F(AccessMatrix, SecretsAreShownOnceAndNeverAgain) {
    close();
    const std::string secret = token("operator", R"(,"description":"d")");
    for (std::string target :
         {"/api/v1/tokens", "/api/v1/policies", "/api/v1/status", "/metrics"}) {
        Answer answer = ask_as(operator_, Method::get, target);
        EXPECT_EQ(answer.status, 200);
        EXPECT_FALSE(answer.body.contains("belfry_" + secret.substr(7))) << target;
        EXPECT_FALSE(answer.body.contains("hash")) << target;
    }
    EXPECT_EQ(ask_as(operator_, Method::get, "/api/v1/tokens?token=" + secret).status, 400);
}

}  // namespace
}  // namespace belfry
