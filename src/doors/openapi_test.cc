#include "doors/openapi.h"

#include "base/json.h"
#include "doors/native/native_door_fixture.h"

#include <boost/json.hpp>

#include <set>

namespace belfry {
namespace {

class OpenApiTest : public NativeDoorTest {
 protected:
    boost::json::value document() {
        Result<boost::json::value> value = parse_json(get("/openapi.json").body, limits_);
        EXPECT_TRUE(value) << value.error().detail;
        return value.value();
    }
};

TEST_F(OpenApiTest, EveryRouteStandsInItAndCanBeAsked) {
    boost::json::value value = document();
    const boost::json::object& paths = value.at("paths").as_object();
    std::size_t operations = 0;
    for (const auto& path : paths) {
        operations += path.value().as_object().size();
    }
    const std::set<std::string_view> names{"get", "post", "put", "delete"};
    std::size_t routes = 1;  // /openapi.json
    for (const Door& door : doors()) {
        for (const Route& route : door.routes) {
            ++routes;
            std::string path = route.path;
            std::erase(path, '*');
            ASSERT_TRUE(paths.contains(path)) << path;
            for (const auto& operation : paths.at(path).as_object()) {
                EXPECT_TRUE(names.contains(operation.key())) << operation.key();
                EXPECT_TRUE(operation.value().as_object().contains("x-belfry-needs"));
            }
        }
    }
    EXPECT_EQ(operations, routes);
}

TEST_F(OpenApiTest, EveryRouteIsDocumented) {
    const std::vector<Door> all = doors();
    for (const Route& route : all.front().routes) {
        EXPECT_FALSE(route.doc.summary.empty()) << route.path;
        ASSERT_FALSE(route.doc.answers.empty()) << route.path;
        for (const AnswerDoc& answer : route.doc.answers) {
            EXPECT_FALSE(answer.text.empty()) << route.path;
        }
        bool takes_body = route.body != BodyKind::none;
        EXPECT_EQ(takes_body, !route.doc.request_media_types.empty()) << route.path;
    }
}

TEST_F(OpenApiTest, PathParametersAreRequired) {
    boost::json::value value = document();
    const auto& parameters = value.at("paths")
                                 .at("/api/v1/subscriptions/{name}/pause")
                                 .at("post")
                                 .at("parameters")
                                 .as_array();
    ASSERT_EQ(parameters.size(), 1U);
    EXPECT_EQ(parameters[0].at("name").as_string(), "name");
    EXPECT_EQ(parameters[0].at("in").as_string(), "path");
    EXPECT_TRUE(parameters[0].at("required").as_bool());
}

TEST_F(OpenApiTest, OnlyWhatSupervisorsAskNeedsNoRights) {
    const std::vector<Door> all = doors();
    for (const Route& route : all.front().routes) {
        bool open = route.needs.resource == Resource::none;
        EXPECT_EQ(open, route.path == "/healthz" || route.path == "/readyz") << route.path;
        bool changes = route.method != Method::get;
        EXPECT_EQ(changes, route.needs.verb == Verb::write) << route.path;
    }
}

}  // namespace
}  // namespace belfry
