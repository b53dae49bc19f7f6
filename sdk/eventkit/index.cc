#include "eventkit/index.h"

#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <set>

namespace belfry::eventkit {
namespace {

constexpr std::string_view kEverything = "*";

// Each name once, and `*` alone if it is among them.
std::vector<std::string> all_names(const Route& route) {
    std::vector<std::string> names;
    for (const auto& wish : route.wishes) {
        for (const std::string& name : wish->events) {
            if (name == kEverything) {
                return {name};
            }
            if (std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    return names;
}

void append_listener(std::string& json, const Route& route) {
    json += R"({"path":)";
    append_json_string(json, route.path);
    json += R"(,"method":)";
    append_json_string(json, method_name(route.method));
    json += R"(,"listenTo":[)";
    for (std::string_view comma; const std::string& name : all_names(route)) {
        json += comma;
        append_json_string(json, name);
        comma = ",";
    }
    json += "]}";
}

}  // namespace

bool Route::Wish::is_for(std::string_view event) const {
    return std::ranges::any_of(events, [event](const std::string& name) {
        return name == event || name == kEverything;
    });
}

bool Route::wants(std::string_view event) const {
    return std::ranges::any_of(wishes, [event](const auto& wish) { return wish->is_for(event); });
}

std::shared_ptr<const Route> Index::find(std::string_view path, std::string_view method) const {
    const auto found = std::ranges::find_if(routes, [&](const auto& route) {
        return route->path == path && method_name(route->method) == method;
    });
    return found == routes.end() ? nullptr : *found;
}

std::string Index::methods_of(std::string_view path) const {
    std::string methods;
    for (const auto& route : routes) {
        if (route->path == path) {
            methods += methods.empty() ? "" : ", ";
            methods += method_name(route->method);
        }
    }
    return methods;
}

std::string_view method_name(Method method) {
    switch (method) {
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::del:
            return "DELETE";
    }
    return "POST";
}

std::string index_json(
    const std::vector<std::shared_ptr<const Route>>& routes,
    const std::map<std::string, std::string>& members
) {
    std::string json = R"({"eventListeners":[)";
    for (std::string_view comma; const auto& route : routes) {
        json += comma;
        append_listener(json, *route);
        comma = ",";
    }
    json += ']';
    for (const auto& [name, value] : members) {
        json += ',';
        append_json_string(json, name);
        json += ':';
        json += value;
    }
    json += '}';
    return json;
}

}  // namespace belfry::eventkit
