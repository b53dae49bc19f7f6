#include "doors/native/extensions.h"

#include <memory>

namespace belfry {

namespace {

const Needs kRead(Resource::subscription, Verb::read, "name");
const Needs kWrite(Resource::subscription, Verb::write, "name");

Handler call(
    const std::shared_ptr<ExtensionDocuments>& documents,
    void (ExtensionDocuments::*method)(RequestContext&)
) {
    return [documents, method](RequestContext& context) { ((*documents).*method)(context); };
}

void add_collection(
    std::vector<Route>& routes, const std::shared_ptr<ExtensionDocuments>& documents
) {
    routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/extensions",
        .needs = Needs(Resource::subscription, Verb::write),
        .handler = call(documents, &ExtensionDocuments::add),
        .doc =
            {.summary = "Register an extension of Steadybit, whose listeners then get events",
             .request_media_types = {"application/json"},
             .answers =
                 {{.status = 201, .text = "it is durable, and its index was asked for"},
                  {.text = "its URL was registered before; it keeps its name and its position"}}},
        .body = BodyKind::document,
    });
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/extensions",
        .needs = Needs(Resource::subscription, Verb::read),
        .handler = call(documents, &ExtensionDocuments::list),
        .doc =
            {.summary = "List extensions",
             .parameters =
                 {{.name = "after", .text = "`next` of the page before"},
                  {.name = "limit",
                   .text = "entries in one page; 100",
                   .type = ParameterDoc::Type::number}},
             .answers = {{.text = "a page, by name"}}},
    });
}

}  // namespace

void add_extension_routes(Door& native, ExtensionRegistry& registry) {
    std::vector<Route>& routes = native.routes;
    auto documents = std::make_shared<ExtensionDocuments>(registry);
    add_collection(routes, documents);
    // They are moved. NOLINTBEGIN(performance-unnecessary-value-param)
    const auto add =
        [&](Method method, std::string path, const Needs& needs, auto handler, RouteDoc doc) {
            routes.push_back(Route{
                .method = method,
                .path = std::move(path),
                .needs = needs,
                .handler = call(documents, handler),
                .doc = std::move(doc),
            });
        };
    // NOLINTEND(performance-unnecessary-value-param)
    add(Method::get,
        "/api/v1/extensions/{name}",
        kRead,
        &ExtensionDocuments::get,
        {.summary = "One extension: its index, its listeners, how delivery is doing",
         .answers = {{.text = "the extension, without its secrets"}}});
    add(Method::del,
        "/api/v1/extensions/{name}",
        kWrite,
        &ExtensionDocuments::remove,
        {.summary = "Remove an extension with its position; its dead letters stay",
         .answers = {
             {.status = 204, .text = "it is gone", .media_type = ""},
             {.status = 409,
              .text = "the configuration registers it",
              .media_type = "application/problem+json"}
         }});
    add(Method::post,
        "/api/v1/extensions/{name}/refresh",
        kWrite,
        &ExtensionDocuments::refresh,
        {.summary = "Ask for its index now",
         .answers = {{.text = "the extension as it is afterwards, whether that worked or not"}}});
    add(Method::get,
        "/api/v1/extensions/{name}/attempts",
        kRead,
        &ExtensionDocuments::list_attempts,
        {.summary = "What became of the latest attempts to call its listeners",
         .answers = {{.text = "the attempts, newest first"}}});
}

}  // namespace belfry
