// belfry subscription: list, show, remove, pause, resume, test, rotate-secret, attempts.
#include "app/commands/commands.h"
#include "app/commands/named_command.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "app/text_table.h"
#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr const char* kSubscriptionExamples = R"(EXAMPLES
  belfry subscription add chat http://127.0.0.1:9000/in --type 'deploy*'
  belfry subscription list
  belfry subscription attempts chat --outcome failed
  belfry subscription test chat                       deliver a made event and show the attempt
)";

Target subscriptions() {
    return Target("/api/v1/subscriptions");
}

const json::array* array_member(const Result<json::value>& document, std::string_view name) {
    if (!document || !document->is_object()) {
        return nullptr;
    }
    const json::value* member = document->as_object().if_contains(name);
    return member == nullptr ? nullptr : member->if_array();
}

std::string sink_text(const json::value& subscription) {
    const json::value* sink =
        subscription.is_object() ? subscription.as_object().if_contains("sink") : nullptr;
    if (sink == nullptr) {
        return "";
    }
    const std::string url = member_text(*sink, "url");
    const std::string extension = member_text(*sink, "extension");
    if (!extension.empty()) {
        return "extension " + extension;
    }
    return url.empty() ? "command " + member_text(*sink, "command") : url;
}

ExitCode list_subscriptions(const Invocation& invocation, Console& console) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    std::vector<std::vector<std::string>> rows = {
        {"NAME", "STATE", "PENDING", "RETRYING", "DEAD", "LAST ERROR", "SINK"}
    };
    std::string next;
    do {
        HubResult<HttpReply> reply =
            (*hub)->call({.target = subscriptions().parameter("after", next)});
        if (!reply) {
            return report(console, reply.error());
        }
        Result<json::value> page = parse_json(reply->body, Limits{});
        const json::array* found = array_member(page, "subscriptions");
        if (found == nullptr) {
            return report(console, {.sentence = "the hub's answer is not a list", .next_step = {}});
        }
        for (const json::value& subscription : *found) {
            if (console.json()) {
                console.data(screen_json(json::serialize(subscription)) + "\n");
                continue;
            }
            std::vector<std::string> row;
            for (std::string_view name :
                 {"name", "state", "pending", "retrying", "dead", "last_error"}) {
                row.push_back(member_text(subscription, name));
            }
            row.push_back(sink_text(subscription));
            rows.push_back(std::move(row));
        }
        next = member_text(*page, "next");
    } while (!next.empty());
    if (!console.json()) {
        console.data(text_table(rows, console.width()));
    }
    return ExitCode::ok;
}

ExitCode show_subscription(
    const std::string& name, const Invocation& invocation, Console& console
) {
    return call_and_print(
        invocation,
        console,
        {.target = subscriptions().segment(name)},
        [&](std::string_view body) { print_members(console, body); }
    );
}

// POST …/{name}/{action}, answered with a sentence on stderr.
auto action(std::string_view verb, std::string_view done) {
    return [verb, done](const std::string& name, const Invocation& invocation, Console& console) {
        return call_and_print(
            invocation,
            console,
            {.method = "POST", .target = subscriptions().segment(name).segment(verb)},
            [&](std::string_view) { console.say(fmt::format("{} {}", screen_text(name), done)); }
        );
    };
}

void print_rotated(std::string_view body, Console& console) {
    Result<json::value> answer = parse_json(body, Limits{});
    if (!answer) {
        console.data(screen_text(body) + "\n");
        return;
    }
    const std::string until = member_text(*answer, "previous_until");
    console.say(
        until.empty() ? "the new signing secret, shown this once; it alone signs from now on:"
                      : "the new signing secret, shown this once; the one before signs too until " +
                            screen_text(until) + ":"
    );
    console.data(screen_text(member_text(*answer, "secret")) + "\n");
}

void add_rotate(CommandArguments parent, Invocation& invocation) {
    struct Options {
        std::string name;
        std::string overlap;
        bool force = false;
    };
    CommandArguments command = parent.add_subcommand(
        "rotate-secret",
        "Sign with a new secret",
        "EXAMPLES\n  belfry subscription rotate-secret chat\n"
        "  belfry subscription rotate-secret chat --overlap 0s --force   the old one is known to "
        "others\n"
    );
    auto options = std::make_shared<Options>();
    command.add_option("NAME", options->name, "its name").required();
    command.add_option("--overlap", options->overlap, "how long the one before signs too; 24h");
    command.add_flag("--force", options->force, "also while two secrets sign; ends the older one");
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            json::object body;
            if (!options->overlap.empty()) {
                body["overlap"] = options->overlap;
            }
            if (options->force) {
                body["force"] = true;
            }
            HubRequest request{.method = "POST", .target = subscriptions().segment(options->name)};
            request.target.segment("rotate-secret");
            request.content_type = "application/json";
            request.body = json::serialize(body);
            return call_and_print(invocation, console, request, [&](std::string_view answer) {
                print_rotated(answer, console);
            });
        };
    });
}

// Ends with 1 if the listener did not take the event.
ExitCode test(const std::string& name, const Invocation& invocation, Console& console) {
    bool settled = false;
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    HubResult<HttpReply> reply =
        (*hub)->call({.method = "POST", .target = subscriptions().segment(name).segment("test")});
    if (!reply) {
        return report(console, reply.error());
    }
    if (Result<json::value> attempt = parse_json(reply->body, Limits{})) {
        settled = member_text(*attempt, "outcome") == "settled";
    }
    if (console.json()) {
        console.data(screen_json(reply->body) + "\n");
    } else {
        print_members(console, reply->body);
    }
    return settled ? ExitCode::ok : ExitCode::failure;
}

void add_subscription_remove(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "remove",
        "Remove it with its position; dead letters stay",
        "EXAMPLES\n  belfry subscription remove chat --yes\n"
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
                {.method = "DELETE", .target = subscriptions().segment(*name)},
                [&](std::string_view) { console.say(screen_text(*name) + " is removed"); }
            );
        };
    });
}

void print_attempts(std::string_view body, Console& console) {
    Result<json::value> page = parse_json(body, Limits{});
    const json::array* attempts = array_member(page, "attempts");
    if (attempts == nullptr) {
        print_members(console, body);
        return;
    }
    std::vector<std::vector<std::string>> rows = {
        {"AT", "OFFSET", "ATTEMPT", "OUTCOME", "STATUS", "MS", "NEXT", "ERROR"}
    };
    for (const json::value& attempt : *attempts) {
        std::vector<std::string> row;
        for (std::string_view name :
             {"at", "offset", "attempt", "outcome", "status", "duration_ms", "next_at", "error"}) {
            row.push_back(member_text(attempt, name));
        }
        rows.push_back(std::move(row));
    }
    console.data(text_table(rows, console.width()));
}

void add_attempts(CommandArguments parent, Invocation& invocation) {
    struct Options {
        std::string name;
        std::string event;
        std::string outcome;
    };
    CommandArguments command = parent.add_subcommand(
        "attempts",
        "What became of the latest attempts",
        "EXAMPLES\n  belfry subscription attempts chat --event 17\n"
    );
    auto options = std::make_shared<Options>();
    command.add_option("NAME", options->name, "its name").required();
    command.add_option("--event", options->event, "of this event: offset or id");
    command.add_option("--outcome", options->outcome, "settled, rejected, failed, wait or gone");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            Target target = subscriptions().segment(options->name).segment("attempts");
            target.parameter("event", options->event).parameter("outcome", options->outcome);
            return call_and_print(
                invocation,
                console,
                {.target = target},
                [&](std::string_view body) { print_attempts(body, console); }
            );
        };
    });
}

}  // namespace

void add_subscription(CommandArguments app, Invocation& invocation) {
    CommandArguments command =
        app.add_subcommand("subscription", "Who gets which events", kSubscriptionExamples);
    command.require_subcommand();
    add_subscription_add(command, invocation);
    CommandArguments list_command = command.add_subcommand(
        "list", "List all with their state", "EXAMPLES\n  belfry subscription list\n"
    );
    list_command.when_chosen([&invocation] {
        invocation.run = [&invocation](Console& console) {
            return list_subscriptions(invocation, console);
        };
    });
    add_named(
        command,
        invocation,
        {"show", "Show one", "belfry subscription show chat", show_subscription}
    );
    add_subscription_remove(command, invocation);
    add_named(
        command,
        invocation,
        {"pause",
         "Stop delivering; the position stays",
         "belfry subscription pause chat",
         action("pause", "is paused")}
    );
    add_named(
        command,
        invocation,
        {"resume",
         "Deliver again, from where it stood",
         "belfry subscription resume chat",
         action("resume", "is active")}
    );
    add_named(
        command,
        invocation,
        {"test", "Deliver one made event", "belfry subscription test chat", test}
    );
    add_rotate(command, invocation);
    add_attempts(command, invocation);
}

}  // namespace belfry
