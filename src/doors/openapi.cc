#include "doors/openapi.h"

#include "base/assert.h"
#include "doors/json_writer.h"

#include <algorithm>
#include <map>
#include <memory>

namespace belfry {

namespace {

std::string_view method_name(Method method) {
    switch (method) {
        case Method::get:
            return "get";
        case Method::head:
            return "head";
        case Method::post:
            return "post";
        case Method::put:
            return "put";
        case Method::del:
            return "delete";
        case Method::options:
            return "options";
        case Method::patch:
            return "patch";
        case Method::other:
            break;
    }
    assert_failed("a route has a method", __FILE__, __LINE__);
}

std::string_view in_name(ParameterDoc::In in) {
    switch (in) {
        case ParameterDoc::In::path:
            return "path";
        case ParameterDoc::In::query:
            return "query";
        case ParameterDoc::In::header:
            return "header";
    }
    assert_failed("a parameter stands somewhere", __FILE__, __LINE__);
}

// "/a/{name*}" is Belfry's own way to say "the rest of the path".
std::string public_path(std::string_view path) {
    std::string text(path);
    std::erase(text, '*');
    return text;
}

std::vector<std::string_view> path_parameters(std::string_view path) {
    std::vector<std::string_view> names;
    for (std::size_t open = path.find('{'); open != std::string_view::npos;) {
        std::size_t close = path.find_first_of("*}", open);
        names.push_back(path.substr(open + 1, close - open - 1));
        open = path.find('{', close);
    }
    return names;
}

void write_parameter(JsonWriter& json, const ParameterDoc& parameter) {
    json.begin_object().member("name", parameter.name).member("in", in_name(parameter.in));
    if (!parameter.text.empty()) {
        json.member("description", parameter.text);
    }
    if (parameter.in == ParameterDoc::In::path) {
        json.member("required", true);
    }
    bool number = parameter.type == ParameterDoc::Type::number;
    json.name("schema").begin_object().member("type", number ? "integer" : "string");
    if (number) {
        json.name("minimum").number(0);
    }
    json.end_object().end_object();
}

void write_parameters(JsonWriter& json, const Route& route) {
    std::vector<ParameterDoc> parameters = route.doc.parameters;
    for (std::string_view name : path_parameters(route.path)) {
        bool listed = std::ranges::any_of(parameters, [&](const ParameterDoc& parameter) {
            return parameter.in == ParameterDoc::In::path && parameter.name == name;
        });
        if (!listed) {
            parameters.push_back({.in = ParameterDoc::In::path, .name = name, .text = ""});
        }
    }
    if (parameters.empty()) {
        return;
    }
    json.name("parameters").begin_array();
    for (const ParameterDoc& parameter : parameters) {
        write_parameter(json, parameter);
    }
    json.end_array();
}

// `{}` as a schema allows every value; the shapes are in docs/api.md.
void write_content(JsonWriter& json, std::string_view media_type) {
    json.name(media_type).begin_object().end_object();
}

void write_route(JsonWriter& json, const Door& door, const Route& route) {
    json.name(method_name(route.method)).begin_object();
    json.member("summary", route.doc.summary);
    json.name("tags").begin_array().text(door.name).end_array();
    write_parameters(json, route);
    if (!route.doc.request_media_types.empty()) {
        json.name("requestBody").begin_object().name("content").begin_object();
        for (std::string_view media_type : route.doc.request_media_types) {
            write_content(json, media_type);
        }
        json.end_object().end_object();
    }
    json.name("responses").begin_object();
    for (const AnswerDoc& answer : route.doc.answers) {
        json.name(std::to_string(answer.status)).begin_object();
        json.member("description", answer.text);
        if (!answer.media_type.empty()) {
            json.name("content").begin_object();
            write_content(json, answer.media_type);
            json.end_object();
        }
        json.end_object();
    }
    json.name("default").begin_object().member(
        "description", "what went wrong, in the words of the door"
    );
    json.end_object().end_object();
    json.name("x-belfry-needs").begin_object();
    json.member("resource", resource_name(route.needs.resource));
    json.member("verb", route.needs.verb == Verb::read ? "read" : "write");
    json.end_object().end_object();
}

}  // namespace

std::string openapi_json(std::span<const Door> doors) {
    // By path: OpenAPI holds all methods of a path in one object.
    std::map<std::string, std::vector<std::pair<const Door*, const Route*>>> paths;
    for (const Door& door : doors) {
        for (const Route& route : door.routes) {
            paths[public_path(route.path)].emplace_back(&door, &route);
        }
    }
    std::string out;
    JsonWriter json(out, JsonWriter::Layout::indented);
    json.begin_object().member("openapi", "3.1.0");
    json.name("info").begin_object().member("title", "Belfry").member("version", "1").end_object();
    json.name("paths").begin_object();
    for (const auto& [path, routes] : paths) {
        json.name(path).begin_object();
        for (auto [door, route] : routes) {
            write_route(json, *door, *route);
        }
        json.end_object();
    }
    json.end_object().end_object();
    out.push_back('\n');
    return out;
}

void add_openapi_route(std::vector<Door>& doors) {
    ASSERT(!doors.empty());
    auto document = std::make_shared<std::string>();
    doors.front().routes.push_back(Route{
        .method = Method::get,
        .path = "/openapi.json",
        .needs = Needs(Resource::none, Verb::read),
        .handler =
            [document](RequestContext& context) {
                context.exchange.respond(HttpResponse{
                    .content_type = "application/json",
                    .headers = "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n",
                    .body = *document
                });
            },
        .doc = {.summary = "This document", .answers = {{.text = "the OpenAPI document"}}},
    });
    *document = openapi_json(doors);
}

}  // namespace belfry
