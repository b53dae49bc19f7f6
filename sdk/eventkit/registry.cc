#include "eventkit/registry.h"

#include "base/json.h"
#include "base/rng.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <simdjson.h>

namespace belfry::eventkit {
namespace {

// Printable ASCII without what ends a path in a request.
bool is_path(std::string_view path) {
    return path.size() > 1 && path.starts_with('/') && std::ranges::all_of(path, [](char c) {
               return c > ' ' && c < '\x7f' && c != '?' && c != '#' && c != '"' && c != '\\';
           });
}

Result<void> check_names(const std::string& path, const std::vector<std::string>& names) {
    if (names.empty()) {
        return fail(
            Errc::bad_request, "the listener of " + path + " names no event; `*` is every one"
        );
    }
    for (const std::string& name : names) {
        if (name.empty() || !simdjson::validate_utf8(name)) {
            return fail(
                Errc::bad_request,
                "the listener of " + path + " names an event that is empty or not UTF-8"
            );
        }
    }
    return {};
}

}  // namespace

Registry::Registry() : start_(fmt::format("{:016x}", system_rng().next())) {
    make_index();
}

Result<void> Registry::listen(const std::string& path, Method method, Route::Wish wish) {
    if (!is_path(path)) {
        return fail(
            Errc::bad_request,
            "\"" + path + "\" is no path of a listener, such as /events: `/` itself is the index"
        );
    }
    if (Result<void> good = check_names(path, wish.events); !good) {
        return good;
    }
    if (!wish.handler) {
        return fail(Errc::bad_request, "the listener of " + path + " has no handler");
    }
    auto added = std::make_shared<const Route::Wish>(std::move(wish));
    const std::lock_guard lock(mutex_);
    const auto place = std::ranges::find_if(routes_, [&](const auto& route) {
        return route->path == path && route->method == method;
    });
    const bool is_new = place == routes_.end();
    Route route;
    if (is_new) {
        route.path = path;
        route.method = method;
        route.number = static_cast<std::uint32_t>(routes_.size());
    } else {
        route = **place;
    }
    route.wants_context |= added->wants_context;
    route.wishes.push_back(std::move(added));
    auto made = std::make_shared<const Route>(std::move(route));
    if (is_new) {
        routes_.push_back(std::move(made));
    } else {
        *place = std::move(made);
    }
    make_index();
    return {};
}

Result<void> Registry::set_member(const std::string& name, const std::string& json) {
    if (name.empty() || name == "eventListeners" || !simdjson::validate_utf8(name)) {
        return fail(
            Errc::bad_request,
            "\"" + name + "\" cannot be added to the index: a name such as actions is expected"
        );
    }
    const Result<boost::json::value> value = parse_json(json, Limits());
    if (!value) {
        return fail(Errc::bad_request, "the index member " + name + ": " + value.error().detail);
    }
    if (!value->is_array() && !value->is_null()) {
        return fail(Errc::bad_request, "the index member " + name + " is no JSON array");
    }
    const std::lock_guard lock(mutex_);
    members_[name] = value->is_null() ? "[]" : json;
    make_index();
    return {};
}

std::shared_ptr<const Index> Registry::current() const {
    const std::lock_guard lock(mutex_);
    return index_;
}

void Registry::make_index() {
    index_ = std::make_shared<const Index>(Index{
        .json = index_json(routes_, members_),
        .tag = fmt::format("{}-{}", start_, ++version_),
        .routes = routes_
    });
}

}  // namespace belfry::eventkit
