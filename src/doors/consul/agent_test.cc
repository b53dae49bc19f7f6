#include "doors/consul/agent.h"

#include "auth/open_access.h"
#include "base/json.h"
#include "base/manual_clock.h"
#include "doors/recording_connection.h"
#include "doors/router.h"
#include "engine/memory_kv.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <memory>

namespace belfry {
namespace {

class ConsulAgentTest : public testing::Test {
 protected:
    using Answer = RecordingConnection::Answer;

    ConsulAgentTest() {
        services_.start([] {});
        loop_.run_all();
        Door door{.name = "consul", .prefixes = {"/v1/"}, .routes = routes()};
        door.refuse = [](const DoorRefusal& refusal, Exchange exchange) {
            exchange.respond({refusal.status == 0 ? 500 : refusal.status, "", {}, {}, false});
        };
        door.unknown_parameter = Door::UnknownParameter::ignore;
        door.slash_in_parameter = true;
        std::vector<Door> doors;
        doors.push_back(std::move(door));
        router_ = std::make_unique<Router>(std::move(doors), access_, limits_);
    }

    std::vector<Route> routes() {
        return consul_agent_routes(ConsulAgentPorts{
            .node = node_,
            .services = services_,
            .answers = answers_,
            .queries = queries_,
            .limits = limits_,
            .build = {.version = "1.2.3", .commit = "abc"}
        });
    }
    Answer ask(Method method, std::string_view target, std::string_view body = {}) {
        std::vector<HeaderField> headers{{"Host", "localhost:8420"}};
        HttpRequest request;
        request.method = method;
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        request.query = target.contains('?') ? target.substr(target.find('?') + 1) : "";
        request.headers = headers;
        request.body = body;
        request.peer = "127.0.0.1";
        request.peer_is_loopback = true;
        auto [exchange, number] = connection_.open();
        router_->handle(request, std::move(exchange));
        loop_.run_all();
        Answer answer = connection_.answer(number);
        EXPECT_FALSE(answer.dropped) << target;
        return answer;
    }
    std::string get(std::string_view target) {
        Answer answer = ask(Method::get, target);
        EXPECT_EQ(answer.status, 200) << target << answer.body;
        EXPECT_EQ(answer.content_type, "application/json") << target;
        return answer.body;
    }
    Answer put(std::string_view target, std::string_view body = {}) {
        return ask(Method::put, target, body);
    }
    void register_it(std::string_view body) {
        Answer answer = put("/v1/agent/service/register", body);
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.body, "");
    }
    std::string index_of(std::string_view target) {
        const std::string headers = ask(Method::get, target).headers;
        const std::size_t at = headers.find("X-Consul-Index: ");
        return at == std::string::npos ? "" : headers.substr(at, headers.find('\r', at) - at);
    }

    Limits limits_;
    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    NodeIdentity node_{.name = "web-1", .id = node_id("web-1"), .port = 8420};
    Services services_{kv_, limits_, {{.id = "db", .name = "mysql", .tags = {"master"}}}};
    ConsulAnswers answers_{[] { return false; }};
    ManualClock clock_;
    CatalogQueries queries_{clock_, services_, answers_};
    OpenAccess access_{Exposure::loopback_only};
    RecordingConnection connection_;
    std::unique_ptr<Router> router_;
};

boost::json::value parsed(std::string_view text) {
    Result<boost::json::value> value = parse_json(text, Limits{});
    EXPECT_TRUE(value) << text;
    return value ? *value : boost::json::value();
}

TEST_F(ConsulAgentTest, SelfSaysWhatClientsAskFirst) {
    const boost::json::value self = parsed(get("/v1/agent/self"));
    const auto& config = self.at("Config");
    EXPECT_EQ(config.at("NodeName"), "web-1");
    EXPECT_EQ(config.at("NodeID"), boost::json::string_view(node_id("web-1")));
    EXPECT_EQ(config.at("Datacenter"), "dc1");
    EXPECT_EQ(config.at("Server"), true);
    EXPECT_EQ(config.at("Version"), "1.2.3");
    EXPECT_EQ(config.at("Revision"), "abc");
    EXPECT_TRUE(self.at("Coord").is_null());
    EXPECT_EQ(self.at("Member").at("Name"), "web-1");
    EXPECT_TRUE(self.at("Meta").is_object());
    for (const auto& [group, values] : self.at("Stats").as_object()) {
        for (const auto& [name, value] : values.as_object()) {
            EXPECT_TRUE(value.is_string()) << group << "." << name;
        }
    }
    EXPECT_EQ(self.at("Stats").at("agent").at("services"), "1");
}

TEST_F(ConsulAgentTest, TheOneMemberIsAlive) {
    const boost::json::value members = parsed(get("/v1/agent/members?wan=1"));
    ASSERT_EQ(members.as_array().size(), 1U);
    const auto& member = members.at(0);
    EXPECT_EQ(member.at("Name"), "web-1");
    EXPECT_EQ(member.at("Addr"), "127.0.0.1");
    EXPECT_EQ(member.at("Port"), 8420);
    EXPECT_EQ(member.at("Status"), 1);
    EXPECT_EQ(member.at("Tags").at("dc"), "dc1");
    EXPECT_EQ(member.at("Tags").at("build"), "1.2.3:abc");
    for (const char* number : {"ProtocolMin", "ProtocolCur", "DelegateMax"}) {
        EXPECT_TRUE(member.at(number).is_number()) << number;
    }
}

TEST_F(ConsulAgentTest, StatusNamesThisNode) {
    EXPECT_EQ(get("/v1/status/leader"), "\"127.0.0.1:8420\"");
    EXPECT_EQ(get("/v1/status/peers"), "[\"127.0.0.1:8420\"]");
    EXPECT_EQ(get("/v1/agent/version"), R"({"SHA":"abc","HumanVersion":"1.2.3"})");
    node_.address = "::1";
    EXPECT_EQ(get("/v1/status/leader"), "\"[::1]:8420\"");
}

TEST_F(ConsulAgentTest, HealthIsNotInvented) {
    EXPECT_EQ(get("/v1/agent/checks"), "{}");
}

TEST_F(ConsulAgentTest, ServicesAreShownWithEveryMemberThatClientsRead) {
    const std::string mysql =
        R"({"ID":"db","Service":"mysql","Tags":["master"],"Meta":{},"Port":0,"Address":"",)"
        R"("Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"Datacenter":"dc1"})";
    EXPECT_EQ(get("/v1/agent/services"), "{\"db\":" + mysql + "}");
    EXPECT_EQ(get("/v1/agent/service/db"), mysql);
    register_it(R"({"Name":"web","Address":"10.1.1.1","Port":80,"Meta":{"k":"v"}})");
    const boost::json::value web = parsed(get("/v1/agent/service/web"));
    EXPECT_TRUE(web.at("Tags").as_array().empty());
    EXPECT_EQ(web.at("Address"), "10.1.1.1");
    EXPECT_EQ(web.at("Port"), 80);
    EXPECT_EQ(web.at("Meta").at("k"), "v");
}

TEST_F(ConsulAgentTest, TextIsEscapedAsGoDoes) {
    register_it(R"({"ID":"<1>","Name":"a&b","Tags":["\u2028\u2029\u20ac"]})");
    const std::string body = get("/v1/agent/services");
    EXPECT_TRUE(body.contains(R"("\u003c1\u003e":{"ID":"\u003c1\u003e","Service":"a\u0026b")"))
        << body;
    EXPECT_TRUE(body.contains("[\"\\u2028\\u2029\xe2\x82\xac\"]")) << body;
}

TEST_F(ConsulAgentTest, AnUnknownServiceIs404InConsulsWords) {
    const Answer answer = ask(Method::get, "/v1/agent/service/nope");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, "unknown service ID: nope");
    EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
    const Answer gone = put("/v1/agent/service/deregister/nope");
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(
        gone.body,
        "Unknown service ID \"nope\". Ensure that the service ID is passed, not the service name."
    );
}

TEST_F(ConsulAgentTest, RegisteredServicesComeAndGo) {
    register_it(R"({"ID":"a/b c","Name":"web"})");
    EXPECT_NE(services_.find("a/b c"), nullptr);
    EXPECT_EQ(ask(Method::get, "/v1/agent/service/a%2Fb%20c").status, 200);
    EXPECT_EQ(ask(Method::get, "/v1/agent/service/a/b%20c").status, 200);
    const Answer answer = put("/v1/agent/service/deregister/a%2Fb%20c");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(services_.find("a/b c"), nullptr);
}

TEST_F(ConsulAgentTest, BadRegistrationsAreRefused) {
    EXPECT_EQ(put("/v1/agent/service/register", "{}").status, 400);
    EXPECT_EQ(put("/v1/agent/service/register", "{}").body, "Missing service name");
    EXPECT_EQ(put("/v1/agent/service/register", "{").status, 400);
    EXPECT_TRUE(put("/v1/agent/service/register", "{").body.starts_with("Request decode failed: "));
    limits_.services = 1;
    EXPECT_EQ(put("/v1/agent/service/register", R"({"Name":"a"})").status, 429);
    EXPECT_EQ(services_.all().size(), 1U);
}

TEST_F(ConsulAgentTest, ConfiguredServicesCannotBeChanged) {
    const Answer replaced = put("/v1/agent/service/register", R"({"ID":"db","Name":"x"})");
    EXPECT_EQ(replaced.status, 409);
    EXPECT_TRUE(replaced.body.contains("node.services")) << replaced.body;
    EXPECT_EQ(put("/v1/agent/service/deregister/db").status, 409);
    EXPECT_EQ(services_.find("db")->name, "mysql");
}

TEST_F(ConsulAgentTest, AFullDiskIsToldAndNothingIsRegistered) {
    kv_.device().fail_writes({.code = Errc::disk_full, .detail = "/secret/path is full"});
    const Answer answer = put("/v1/agent/service/register", R"({"Name":"a"})");
    EXPECT_EQ(answer.status, 507);
    EXPECT_EQ(answer.body, "The disk has no room; nothing was stored. Reading and delivery go on.");
    EXPECT_EQ(services_.find("a"), nullptr);
}

TEST_F(ConsulAgentTest, RegistrationIsAnsweredOnceItIsDurable) {
    kv_.device().hold();
    HttpRequest request;
    request.method = Method::put;
    request.path = request.target = "/v1/agent/service/register";
    request.body = R"({"Name":"a"})";
    std::vector<HeaderField> headers{{"Host", "localhost"}};
    request.headers = headers;
    request.peer_is_loopback = true;
    auto [exchange, number] = connection_.open();
    router_->handle(request, std::move(exchange));
    loop_.run_all();
    EXPECT_EQ(connection_.answer(number).status, 0);
    kv_.device().release();
    loop_.run_all();
    EXPECT_EQ(connection_.answer(number).status, 200);
}

TEST_F(ConsulAgentTest, TheCatalogIsThisNode) {
    EXPECT_EQ(get("/v1/catalog/datacenters"), R"(["dc1"])");
    const boost::json::value nodes = parsed(get("/v1/catalog/nodes"));
    ASSERT_EQ(nodes.as_array().size(), 1U);
    EXPECT_EQ(nodes.at(0).at("Node"), "web-1");
    EXPECT_EQ(nodes.at(0).at("TaggedAddresses").at("lan"), "127.0.0.1");
    register_it(R"({"ID":"db2","Name":"mysql","Tags":["slave","master"]})");
    register_it(R"({"Name":"web"})");
    EXPECT_EQ(get("/v1/catalog/services"), R"({"mysql":["master","slave"],"web":[]})");
}

TEST_F(ConsulAgentTest, TheCatalogFindsServicesByNameAndTagInAnyCase) {
    register_it(R"({"ID":"db2","Name":"MySQL","Tags":["Slave"],"Port":3306})");
    const boost::json::value both = parsed(get("/v1/catalog/service/mysql"));
    ASSERT_EQ(both.as_array().size(), 2U);
    EXPECT_EQ(both.at(0).at("ServiceID"), "db");
    const boost::json::value one = parsed(get("/v1/catalog/service/mysql?tag=slave"));
    ASSERT_EQ(one.as_array().size(), 1U);
    EXPECT_EQ(one.at(0).at("ServiceID"), "db2");
    EXPECT_EQ(one.at(0).at("ServicePort"), 3306);
    EXPECT_EQ(one.at(0).at("Node"), "web-1");
    EXPECT_EQ(get("/v1/catalog/service/mysql?tag=none"), "[]");
    EXPECT_EQ(get("/v1/catalog/service/none"), "[]");
}

TEST_F(ConsulAgentTest, TheIndexOfTheCatalogMovesWithTheServices) {
    for (const std::string target :
         {"/v1/catalog/services", "/v1/catalog/service/web", "/v1/catalog/nodes"}) {
        const std::string before = index_of(target);
        EXPECT_NE(before, "");
        EXPECT_NE(before, "X-Consul-Index: 0");
        EXPECT_EQ(index_of(target), before);
        register_it(R"({"Name":"web"})");
        EXPECT_NE(index_of(target), before) << target;
    }
    EXPECT_EQ(index_of("/v1/agent/services"), "");
}

TEST_F(ConsulAgentTest, AnotherDatacenterIsOutOfReach) {
    for (const Route& route : routes()) {
        std::string path = route.path;
        if (path.contains('{')) {
            path = path.substr(0, path.find('{')) + "db";
        }
        for (const std::string query : {"?dc=dc2", "?datacenter=dc2&dc=dc1"}) {
            const Answer answer = ask(route.method, path + query, R"({"Name":"far"})");
            EXPECT_EQ(answer.status, 500) << path << query;
            EXPECT_EQ(answer.body, "No path to datacenter") << path << query;
        }
    }
    EXPECT_EQ(services_.find("far"), nullptr);
    EXPECT_EQ(ask(Method::get, "/v1/agent/self?dc=DC1").status, 200);
    EXPECT_EQ(ask(Method::get, "/v1/agent/self?datacenter=&dc=").status, 200);
}

TEST_F(ConsulAgentTest, PrettyIsHonoured) {
    EXPECT_EQ(get("/v1/catalog/datacenters?pretty"), "[\n    \"dc1\"\n]\n");
}

TEST_F(ConsulAgentTest, EveryRouteNeedsTheAgent) {
    for (const Route& route : routes()) {
        EXPECT_EQ(route.needs.resource, Resource::agent) << route.path;
        const bool changes = route.method == Method::put;
        EXPECT_EQ(route.needs.verb, changes ? Verb::write : Verb::read) << route.path;
    }
    EXPECT_EQ(routes().size(), 14U);
}

}  // namespace
}  // namespace belfry
