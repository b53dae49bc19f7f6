// What an extension offers, as one constant value: its index, that one's entity tag, and who gets
// the events of which path. Made anew whenever a listener or a member is added. Any thread.
#pragma once

#include <belfry/eventkit/extension.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::eventkit {

// Who listens to what comes to one path with one method; to callers, one listener.
struct Route {
    struct Wish {
        std::vector<std::string> events;
        Extension::ContextHandler handler;
        bool wants_context = true;

        [[nodiscard]] bool is_for(std::string_view event) const;
    };
    std::string path;
    Method method = Method::post;
    std::uint32_t number = 0;  // its place among the routes, which only grow
    std::vector<std::shared_ptr<const Wish>> wishes;
    bool wants_context = false;  // one of them does

    // Somebody wants events of that name.
    [[nodiscard]] bool wants(std::string_view event) const;
};

struct Index {
    std::string json;
    std::string tag;  // raw
    std::vector<std::shared_ptr<const Route>> routes;

    // nullptr if there is none.
    [[nodiscard]] std::shared_ptr<const Route> find(std::string_view path, std::string_view method)
        const;
    // "POST, PUT": what the listeners of a path take; empty if it has none.
    [[nodiscard]] std::string methods_of(std::string_view path) const;
};

// "POST", "PUT", "DELETE".
[[nodiscard]] std::string_view method_name(Method method);
// `members` by name, each a JSON array.
[[nodiscard]] std::string index_json(
    const std::vector<std::shared_ptr<const Route>>& routes,
    const std::map<std::string, std::string>& members
);

}  // namespace belfry::eventkit
