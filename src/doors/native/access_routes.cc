#include "doors/native/access_routes.h"

#include "doors/native/parameters.h"
#include "doors/native/policies.h"
#include "doors/native/tokens.h"

#include <memory>

namespace belfry {

namespace {

using In = ParameterDoc::In;
using Type = ParameterDoc::Type;

const ParameterDoc kTenant{
    .name = "tenant", .text = "another tenant's, for those who hold `operator`"
};
const ParameterDoc kAfter{.name = "after", .text = "`next` of the page before"};

const Needs kReadTokens(Resource::token, Verb::read);
const Needs kWriteTokens(Resource::token, Verb::write);

// One route whose handler is a member of an object which the routes keep alive.
template <typename Object>
void add(
    std::vector<Route>& routes,
    const std::shared_ptr<Object>& object,
    void (Object::*handler)(RequestContext&),
    Route route
) {
    route.handler = [object, handler](RequestContext& context) { ((*object).*handler)(context); };
    routes.push_back(std::move(route));
}

Route route(Method method, std::string path, Needs needs, RouteDoc doc) {
    const bool has_body = method == Method::post || method == Method::put;
    if (has_body) {
        doc.request_media_types = {"application/json"};
    }
    return Route{
        .method = method,
        .path = std::move(path),
        .needs = needs,
        .handler = {},
        .doc = std::move(doc),
        .body = has_body ? BodyKind::document : BodyKind::none,
    };
}

void add_tokens(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    const std::string all = "/api/v1/tokens";
    const std::string one = all + "/{id}";
    const Needs reads_one(Resource::token, Verb::read, "id");
    const Needs writes_one(Resource::token, Verb::write, "id");
    auto tokens = std::make_shared<Tokens>(ports);
    add(routes,
        tokens,
        &Tokens::create,
        route(
            Method::post,
            all,
            kWriteTokens,
            {.summary = "Issue a token that may do no more than its issuer",
             .answers = {{.status = 201, .text = "the token with its secret, shown this once"}}}
        ));
    add(routes,
        tokens,
        &Tokens::list,
        route(
            Method::get,
            all,
            kReadTokens,
            {.summary = "List tokens",
             .parameters = {kTenant, kAfter, kPageLimit},
             .answers = {{.text = "a page, by id"}}}
        ));
    add(routes,
        tokens,
        &Tokens::get,
        route(
            Method::get,
            one,
            reads_one,
            {.summary = "One token",
             .parameters = {kTenant},
             .answers = {{.text = "the token, without its secret"}}}
        ));
    add(routes,
        tokens,
        &Tokens::revoke,
        route(
            Method::del,
            one,
            writes_one,
            {.summary = "Revoke a token; what it has open ends within seconds",
             .parameters = {kTenant},
             .answers = {{.status = 204, .text = "it is revoked", .media_type = ""}}}
        ));
}

void add_policies(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    const std::string all = "/api/v1/policies";
    const std::string one = all + "/{name}";
    const Needs reads_one(Resource::token, Verb::read, "name");
    const Needs writes_one(Resource::token, Verb::write, "name");
    auto policies = std::make_shared<Policies>(ports);
    add(routes,
        policies,
        &Policies::create,
        route(
            Method::post,
            all,
            kWriteTokens,
            {.summary = "Create a policy", .answers = {{.status = 201, .text = "it is durable"}}}
        ));
    add(routes,
        policies,
        &Policies::list,
        route(
            Method::get,
            all,
            kReadTokens,
            {.summary = "List policies",
             .parameters = {kTenant, kAfter, kPageLimit},
             .answers = {{.text = "a page, by name"}}}
        ));
    add(routes,
        policies,
        &Policies::get,
        route(
            Method::get,
            one,
            reads_one,
            {.summary = "One policy", .parameters = {kTenant}, .answers = {{.text = "the policy"}}}
        ));
    add(routes,
        policies,
        &Policies::replace,
        route(
            Method::put,
            one,
            writes_one,
            {.summary = "Replace a policy; its tokens follow at once",
             .parameters = {kIfMatch},
             .answers = {{.text = "the policy as it now is"}}}
        ));
    add(routes,
        policies,
        &Policies::remove,
        route(
            Method::del,
            one,
            writes_one,
            {.summary = "Remove a policy that no token names",
             .parameters = {kTenant, kIfMatch},
             .answers = {{.status = 204, .text = "it is gone", .media_type = ""}}}
        ));
}

}  // namespace

void add_access_routes(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    add_tokens(routes, ports);
    add_policies(routes, ports);
}

}  // namespace belfry
