#include "app/extension_sources.h"

#include "app/extension_environment.h"
#include "app/extension_files.h"
#include "base/json.h"
#include "base/logging.h"

#include <boost/json.hpp>

#include <algorithm>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::string_view kHidden = "(hidden)";

void add(ConfiguredExtensions& all, FoundExtensions found, RegisteredExtension::Origin origin) {
    for (const ExtensionProblem& problem : found.problems) {
        log_error(
            "an extension is not registered", {{"at", problem.where}, {"error", problem.what}}
        );
    }
    for (const ExtensionProblem& variable : found.not_read) {
        log_warn(
            "a variable of the agent has no effect",
            {{"at", variable.where}, {"error", variable.what}}
        );
    }
    if (!found.problems.empty()) {
        all.unread.push_back(origin);
    }
    for (RegisteredExtension& extension : found.extensions) {
        if (std::ranges::find(
                all.extensions, extension.identity(), &RegisteredExtension::identity
            ) == all.extensions.end()) {
            all.extensions.push_back(std::move(extension));
        }
    }
}

void hide_user(json::value& url) {
    const json::string* text = url.if_string();
    if (text == nullptr) {
        return;
    }
    RegisteredExtension extension;
    if (set_extension_url(extension, {text->data(), text->size()}) && extension.basic) {
        url = extension.url;
    }
}

}  // namespace

ExtensionDefaults extension_defaults(const Config& config) {
    return {
        .poll =
            {.events = static_cast<std::uint32_t>(config.steadybit_poll_limit),
             .every = std::chrono::ceil<std::chrono::milliseconds>(config.steadybit_poll_interval)}
    };
}

ConfiguredExtensions configured_extensions(
    const Config& config, const std::vector<std::pair<std::string, std::string>>& environment
) {
    const ExtensionDefaults defaults = extension_defaults(config);
    using Origin = RegisteredExtension::Origin;
    ConfiguredExtensions all;
    all.extensions = parse_extensions(config.steadybit_extensions, defaults, config.limits)
                         .value_or(std::vector<RegisteredExtension>());
    add(all,
        extensions_in_directory(config.steadybit_extensions_directory, defaults, config.limits),
        Origin::drop_in);
    add(all, extensions_of_environment(environment), Origin::environment);
    return all;
}

std::string without_passwords(std::string_view extensions) {
    Result<json::value> document = parse_json(extensions, Limits());
    json::array* list = document ? document->if_array() : nullptr;
    if (list == nullptr) {
        return std::string(kHidden);
    }
    for (json::value& value : *list) {
        json::object* members = value.if_object();
        if (members == nullptr) {
            continue;
        }
        if (json::value* url = members->if_contains("url")) {
            hide_user(*url);
        }
        json::value* basic = members->if_contains("basic");
        if (basic != nullptr && basic->is_object() && basic->as_object().contains("password")) {
            basic->as_object()["password"] = kHidden;
        }
    }
    return json::serialize(*document);
}

}  // namespace belfry
