// belfry dead-letter: list, show, replay, purge.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "app/text_table.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kLettersPageMax = 1000;

constexpr const char* kDeadLetterExamples = R"(EXAMPLES
  belfry dead-letter list --subscription chat
  belfry dead-letter show 3f0c…                       the event, the reason, the attempts
  belfry dead-letter replay 3f0c…                     try one again
  belfry dead-letter replay --all --subscription chat --since 1h
)";

struct LetterFilter {
    std::string subscription;
    std::string type;
    std::string since;

    void add_to(CommandArguments command) {
        command.add_option("--subscription", subscription, "of this subscription");
        command.add_option("--type", type, "a type, or a prefix that ends in *");
        command.add_option("--since", since, "given up since: an age such as 1h, or a time");
    }
};

Target dead_letters() {
    return Target("/api/v1/dead-letters");
}

// Calls `take` with every dead letter that matches, until it says false.
HubResult<void> each(
    HubClient& hub,
    const LetterFilter& filter,
    std::uint64_t limit,
    const std::function<bool(const json::value&)>& take
) {
    std::string next;
    do {
        Target target = dead_letters();
        target.parameter("subscription", filter.subscription)
            .parameter("type", filter.type)
            .parameter("since", filter.since)
            .parameter("after", next)
            .parameter("limit", std::to_string(std::min(limit, kLettersPageMax)));
        HubResult<HttpReply> reply = hub.call({.target = target});
        if (!reply) {
            return std::unexpected(std::move(reply.error()));
        }
        // Events stand in it, nested as deep as their publishers liked.
        json::error_code error;
        json::value page = json::parse(reply->body, error);
        const json::value* letters =
            page.is_object() ? page.as_object().if_contains("dead_letters") : nullptr;
        if (error || letters == nullptr || !letters->is_array()) {
            return std::unexpected(
                HubFailure{.sentence = "the hub's answer is not a list", .next_step = {}}
            );
        }
        for (const json::value& letter : letters->as_array()) {
            if (limit-- == 0 || !take(letter)) {
                return {};
            }
        }
        next = member_text(page, "next");
    } while (!next.empty() && limit > 0);
    return {};
}

std::vector<std::string> table_row(const json::value& letter) {
    const json::value* event = letter.as_object().if_contains("event");
    const json::value* range = letter.as_object().if_contains("range");
    const json::value none;
    const json::value& what = event != nullptr ? *event : none;
    std::string offset = member_text(what, "offset");
    if (range != nullptr) {
        offset = member_text(*range, "from") + "–" + member_text(*range, "to");
    }
    std::vector<std::string> row;
    for (std::string_view name : {"id", "subscription", "reason", "at"}) {
        row.push_back(member_text(letter, name));
    }
    row.push_back(std::move(offset));
    row.push_back(member_text(what, "type"));
    return row;
}

ExitCode list_letters(
    const LetterFilter& filter, std::uint64_t limit, const Invocation& invocation, Console& console
) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    std::vector<std::vector<std::string>> rows = {
        {"ID", "SUBSCRIPTION", "REASON", "AT", "OFFSET", "TYPE"}
    };
    HubResult<void> read = each(**hub, filter, limit, [&](const json::value& letter) {
        if (console.json()) {
            console.data(screen_json(json::serialize(letter)) + "\n");
        } else if (letter.is_object()) {
            rows.push_back(table_row(letter));
        }
        return true;
    });
    if (!read) {
        return report(console, read.error());
    }
    if (!console.json()) {
        console.data(text_table(rows, console.width()));
    }
    return ExitCode::ok;
}

ExitCode show_letter(const std::string& id, const Invocation& invocation, Console& console) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    bool found = false;
    HubResult<void> read = each(**hub, {}, UINT64_MAX, [&](const json::value& letter) {
        found = member_text(letter, "id") == id;
        if (found && console.json()) {
            console.data(screen_json(json::serialize(letter)) + "\n");
        } else if (found) {
            console.data(member_lines(letter));
        }
        return !found;
    });
    if (!read) {
        return report(console, read.error());
    }
    if (!found) {
        return report(
            console,
            {.code = ExitCode::not_found,
             .sentence = "there is no dead letter " + screen_text(id),
             .next_step = "`belfry dead-letter list` shows what there is."}
        );
    }
    return ExitCode::ok;
}

ExitCode replay(const HubRequest& request, const Invocation& invocation, Console& console) {
    return call_and_print(invocation, console, request, [&](std::string_view body) {
        print_members(console, body);
    });
}

ExitCode replay_matching(
    const LetterFilter& filter, const Invocation& invocation, Console& console
) {
    json::object body;
    for (const auto& [name, value] :
         {std::pair("subscription", filter.subscription),
          {"type", filter.type},
          {"since", filter.since}}) {
        if (!value.empty()) {
            body[name] = value;
        }
    }
    HubRequest request{.method = "POST", .target = dead_letters().segment("replay")};
    request.content_type = "application/json";
    request.body = json::serialize(body);
    return replay(request, invocation, console);
}

void add_letter_list(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "list",
        "List them, oldest first",
        "EXAMPLES\n  belfry dead-letter list --subscription chat --since 1d\n"
    );
    auto filter = std::make_shared<LetterFilter>();
    auto limit = std::make_shared<std::uint64_t>(100);
    filter->add_to(command);
    command.add_option("--limit", *limit, "how many at most").with_default_in_help();
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return list_letters(*filter, *limit, invocation, console);
        };
    });
}

void add_letter_show(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "show",
        "Show one with its event and attempts",
        "EXAMPLES\n  belfry dead-letter show 3f0c…\n"
    );
    auto id = std::make_shared<std::string>();
    command.add_option("ID", *id, "its id").required();
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return show_letter(*id, invocation, console);
        };
    });
}

void add_letter_replay(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "replay",
        "Deliver again, out of order",
        "EXAMPLES\n  belfry dead-letter replay 3f0c…\n  belfry dead-letter replay --all --type "
        "'deploy*'\n"
    );
    auto id = std::make_shared<std::string>();
    auto all = std::make_shared<bool>(false);
    auto filter = std::make_shared<LetterFilter>();
    command.add_option("ID", *id, "one of them");
    command.add_flag("--all", *all, "all that match the filters");
    filter->add_to(command);
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            if (id->empty() != *all) {
                return usage_error(console, "either ID or --all is needed");
            }
            if (*all) {
                return replay_matching(*filter, invocation, console);
            }
            HubRequest request{
                .method = "POST", .target = dead_letters().segment(*id).segment("replay")
            };
            return replay(request, invocation, console);
        };
    });
}

void add_letter_purge(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "purge", "Remove one for good", "EXAMPLES\n  belfry dead-letter purge 3f0c… --yes\n"
    );
    auto id = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    command.add_option("ID", *id, "its id").required();
    command.add_flag("--yes", *yes, "do not ask");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            if (!confirmed(*yes, console, fmt::format("Purge {}?", screen_text(*id)))) {
                return ExitCode::usage;
            }
            return call_and_print(
                invocation,
                console,
                {.method = "DELETE", .target = dead_letters().segment(*id)},
                [&](std::string_view) { console.say(screen_text(*id) + " is purged"); }
            );
        };
    });
}

}  // namespace

void add_dead_letter(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand(
        "dead-letter", "Events that could not be delivered", kDeadLetterExamples
    );
    command.require_subcommand();
    add_letter_list(command, invocation);
    add_letter_show(command, invocation);
    add_letter_replay(command, invocation);
    add_letter_purge(command, invocation);
}

}  // namespace belfry
