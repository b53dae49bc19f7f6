// belfry extension: add, list, show, refresh, remove.
#include "app/commands/commands.h"
#include "app/commands/named_command.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "app/text_table.h"
#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <memory>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kPasswordBytesMax = 4096;

constexpr const char* kExtensionExamples = R"(EXAMPLES
  belfry extension add http://127.0.0.1:8080          its listeners get events from now on
  belfry extension add unix:/run/steadybit/extension-datadog.sock
  belfry extension list
  belfry extension show 127.0.0.1:8080                its listeners, and why one is refused
  belfry extension refresh 127.0.0.1:8080             ask for its index now
)";

constexpr const char* kAddExamples = R"(EXAMPLES
  belfry extension add http://127.0.0.1:8080 --name chat
  belfry extension add https://datadog.internal:8443 --user belfry --password-file pw --ca ca.pem
  belfry extension add http://10.0.0.5:8080 --profile poll --poll-interval 5s --poll-limit 50
)";

Target extensions() {
    return Target("/api/v1/extensions");
}

struct AddExtensionOptions {
    std::string place;
    std::string name;
    std::string method;
    std::string user;
    std::string password_file;
    std::string ca;
    std::string certificate;
    std::string key;
    std::string paths;
    std::string profile;
    std::string poll_interval;
    std::optional<std::uint64_t> poll_limit;
};

// The hub reads the files, wherever it was started.
std::string absolute(const std::string& path) {
    std::error_code error;
    const std::filesystem::path full = std::filesystem::absolute(path, error);
    return error ? path : full.string();
}

HubResult<void> add_basic(json::object& document, const AddExtensionOptions& options) {
    if (options.user.empty() && options.password_file.empty()) {
        return {};
    }
    if (options.user.empty()) {
        return std::unexpected(invalid_usage("--password-file needs --user"));
    }
    std::string password;
    if (!options.password_file.empty()) {
        HubResult<std::string> text = read_file_argument(options.password_file, kPasswordBytesMax);
        if (!text) {
            return std::unexpected(std::move(text.error()));
        }
        password = text->substr(0, text->find_last_not_of("\r\n") + 1);
    }
    document["basic"] = json::object{{"username", options.user}, {"password", password}};
    return {};
}

HubResult<void> add_profile(json::object& document, const AddExtensionOptions& options) {
    json::object poll;
    if (!options.poll_interval.empty()) {
        poll["interval"] = options.poll_interval;
    }
    if (options.poll_limit) {
        poll["limit"] = *options.poll_limit;
    }
    if (options.profile == "poll") {
        document["profile"] = json::object{{"poll", std::move(poll)}};
    } else if (!poll.empty()) {
        return std::unexpected(invalid_usage("--poll-interval and --poll-limit need --profile poll")
        );
    } else if (!options.profile.empty()) {
        document["profile"] = options.profile;
    }
    return {};
}

HubResult<std::string> registration(const AddExtensionOptions& options) {
    json::object document;
    constexpr std::string_view kUnix = "unix:";
    if (options.place.starts_with(kUnix)) {
        document["unixSocket"] = options.place.substr(kUnix.size());
    } else {
        document["url"] = options.place;
    }
    for (const auto& [name, value] :
         {std::pair{"name", &options.name},
          std::pair{"method", &options.method},
          std::pair{"pathResolution", &options.paths}}) {
        if (!value->empty()) {
            document[name] = *value;
        }
    }
    json::object tls;
    for (const auto& [name, file] :
         {std::pair{"ca", &options.ca},
          std::pair{"cert", &options.certificate},
          std::pair{"key", &options.key}}) {
        if (!file->empty()) {
            tls[name] = absolute(*file);
        }
    }
    if (!tls.empty()) {
        document["tls"] = std::move(tls);
    }
    if (HubResult<void> added = add_basic(document, options); !added) {
        return std::unexpected(std::move(added.error()));
    }
    if (HubResult<void> added = add_profile(document, options); !added) {
        return std::unexpected(std::move(added.error()));
    }
    return json::serialize(document);
}

const json::value* member(const json::value& document, std::string_view name) {
    return document.is_object() ? document.as_object().if_contains(name) : nullptr;
}

std::string joined(const json::value* names) {
    std::string text;
    if (names == nullptr || !names->is_array()) {
        return text;
    }
    for (const json::value& name : names->as_array()) {
        if (const json::string* one = name.if_string()) {
            text += text.empty() ? "" : " ";
            text.append(one->data(), one->size());
        }
    }
    return text;
}

std::string index_error(const json::value& extension) {
    const json::value* index = member(extension, "index");
    return index == nullptr ? "" : member_text(*index, "error");
}

std::string place_of(const json::value& extension) {
    const std::string url = member_text(extension, "url");
    return url.empty() ? "unix:" + member_text(extension, "unixSocket") : url;
}

std::size_t count(const json::value& extension, std::string_view state) {
    const json::value* listeners = member(extension, "listeners");
    std::size_t found = 0;
    if (listeners != nullptr && listeners->is_array()) {
        for (const json::value& listener : listeners->as_array()) {
            found += member_text(listener, "state") == state ? 1 : 0;
        }
    }
    return found;
}

void print_listeners(const json::value& extension, Console& console) {
    const json::value* listeners = member(extension, "listeners");
    if (listeners == nullptr || !listeners->is_array() || listeners->as_array().empty()) {
        console.say("it names no listeners");
        return;
    }
    std::vector<std::vector<std::string>> rows = {
        {"METHOD", "PATH", "STATE", "LISTENS TO", "REASON"}
    };
    for (const json::value& listener : listeners->as_array()) {
        std::string reason = member_text(listener, "reason");
        if (reason.empty()) {
            reason = member_text(listener, "warning");
        }
        rows.push_back(
            {member_text(listener, "method"),
             member_text(listener, "path"),
             member_text(listener, "state"),
             joined(member(listener, "listenTo")),
             std::move(reason)}
        );
    }
    console.data(text_table(rows, console.width()));
}

// What matters of one, then its listeners.
void print_extension(Console& console, std::string_view body) {
    Result<json::value> extension = parse_json(body, Limits{});
    if (!extension || !extension->is_object()) {
        console.data(screen_text(body) + "\n");
        return;
    }
    json::value listeners = json::object{};
    json::object& members = extension->as_object();
    if (const json::value* found = members.if_contains("listeners")) {
        listeners.as_object()["listeners"] = *found;
        members.erase("listeners");
    }
    console.data(member_lines(*extension));
    print_listeners(listeners, console);
}

ExitCode list_extensions(const Invocation& invocation, Console& console) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    std::vector<std::vector<std::string>> rows = {
        {"NAME", "ORIGIN", "LISTENERS", "REFUSED", "LAG", "DEAD", "ERROR", "PLACE"}
    };
    std::string next;
    do {
        HubResult<HttpReply> reply =
            (*hub)->call({.target = extensions().parameter("after", next)});
        if (!reply) {
            return report(console, reply.error());
        }
        Result<json::value> page = parse_json(reply->body, Limits{});
        const json::value* found = page ? member(*page, "extensions") : nullptr;
        if (found == nullptr || !found->is_array()) {
            return report(console, {.sentence = "the hub's answer is not a list", .next_step = {}});
        }
        for (const json::value& extension : found->as_array()) {
            if (console.json()) {
                console.data(screen_json(json::serialize(extension)) + "\n");
                continue;
            }
            std::string error = index_error(extension);
            rows.push_back(
                {member_text(extension, "name"),
                 member_text(extension, "origin"),
                 std::to_string(count(extension, "active")),
                 std::to_string(count(extension, "refused")),
                 member_text(extension, "lag"),
                 member_text(extension, "dead"),
                 error.empty() ? member_text(extension, "last_error") : std::move(error),
                 place_of(extension)}
            );
        }
        next = member_text(*page, "next");
    } while (!next.empty());
    if (!console.json()) {
        console.data(text_table(rows, console.width()));
    }
    return ExitCode::ok;
}

ExitCode call_and_show(const Invocation& invocation, Console& console, const HubRequest& request) {
    return call_and_print(invocation, console, request, [&](std::string_view body) {
        print_extension(console, body);
    });
}

void add_add(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "add", "Register one, or change how it is called; it keeps its position", kAddExamples
    );
    auto options = std::make_shared<AddExtensionOptions>();
    command.add_option("PLACE", options->place, "its URL, or unix: and the path of its socket")
        .required();
    command.add_option("--name", options->name, "what it is called here; its host and port");
    command.add_option("--method", options->method, "of the request for its index; GET");
    command.add_option("--user", options->user, "for basic authentication");
    command.add_option("--password-file", options->password_file, "its password; - is stdin");
    command.add_option("--ca", options->ca, "PEM file on the hub's machine: whom to trust");
    command.add_option("--cert", options->certificate, "PEM file there: the certificate to show");
    command.add_option("--key", options->key, "PEM file there: that certificate's key");
    command
        .add_option(
            "--path-resolution",
            options->paths,
            "listeners' paths are behind the URL's, or at its origin; prefix"
        )
        .one_of({"prefix", "origin"});
    command.add_option("--profile", options->profile, "at once, or so many now and then; push")
        .one_of({"push", "poll"});
    command.add_option("--poll-interval", options->poll_interval, "of the profile poll; 5s");
    command.add_option("--poll-limit", options->poll_limit, "events in one interval; 50");
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            HubResult<std::string> document = registration(*options);
            if (!document) {
                return report(console, document.error());
            }
            HubRequest request{.method = "POST", .target = extensions()};
            request.content_type = "application/json";
            request.body = *std::move(document);
            return call_and_show(invocation, console, request);
        };
    });
}

ExitCode show_extension(const std::string& name, const Invocation& invocation, Console& console) {
    return call_and_show(invocation, console, {.target = extensions().segment(name)});
}

ExitCode refresh(const std::string& name, const Invocation& invocation, Console& console) {
    return call_and_show(
        invocation,
        console,
        {.method = "POST", .target = extensions().segment(name).segment("refresh")}
    );
}

void add_extension_remove(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "remove",
        "Remove it with its position; dead letters stay",
        "EXAMPLES\n  belfry extension remove 127.0.0.1:8080 --yes\n"
    );
    auto name = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    command.add_option("NAME", *name, "its name").required();
    command.add_flag("--yes", *yes, "do not ask");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            if (!confirmed(*yes, console, fmt::format("Remove {}?", screen_text(*name)))) {
                return ExitCode::usage;
            }
            return call_and_print(
                invocation,
                console,
                {.method = "DELETE", .target = extensions().segment(*name)},
                [&](std::string_view) { console.say(screen_text(*name) + " is removed"); }
            );
        };
    });
}

}  // namespace

void add_extension(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand(
        "extension", "Extensions of Steadybit whose listeners get events", kExtensionExamples
    );
    command.require_subcommand();
    add_add(command, invocation);
    CommandArguments list_command = command.add_subcommand(
        "list", "List all with their state", "EXAMPLES\n  belfry extension list\n"
    );
    list_command.when_chosen([&invocation] {
        invocation.run = [&invocation](Console& console) {
            return list_extensions(invocation, console);
        };
    });
    add_named(
        command,
        invocation,
        {"show",
         "Show one with its listeners",
         "belfry extension show 127.0.0.1:8080",
         show_extension}
    );
    add_named(
        command,
        invocation,
        {"refresh", "Ask for its index now", "belfry extension refresh 127.0.0.1:8080", refresh}
    );
    add_extension_remove(command, invocation);
}

}  // namespace belfry
