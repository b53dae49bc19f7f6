// belfry list: events of the log, page by page.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/json.h"

#include <boost/json.hpp>

#include <algorithm>
#include <memory>

namespace belfry {

namespace {

constexpr std::uint64_t kEventsPageMax = 1000;

constexpr const char* kListExamples = R"(EXAMPLES
  belfry list                                         the newest 100 events
  belfry list --type 'deploy*' --since 1h
  belfry list --oldest-first --after 1000 --limit 50
  belfry list --json --limit 10000 | jq .type
)";

struct ListOptions {
    std::string type;
    std::string source;
    std::string subject;
    std::string since;
    std::string until;
    std::string after;
    std::string before;
    bool oldest_first = false;
    std::uint64_t limit = 100;
};

Target page_target(const ListOptions& options, const std::string& next, std::uint64_t limit) {
    std::string after = options.oldest_first && !next.empty() ? next : options.after;
    std::string before = !options.oldest_first && !next.empty() ? next : options.before;
    Target target("/api/v1/events");
    target.parameter("type", options.type)
        .parameter("source", options.source)
        .parameter("subject", options.subject)
        .parameter("since", options.since)
        .parameter("until", options.until)
        .parameter("after", after)
        .parameter("before", before)
        .parameter("order", options.oldest_first ? "asc" : "desc")
        .parameter("limit", std::to_string(std::min(limit, kEventsPageMax)));
    return target;
}

void print_event(const boost::json::value& event, Console& console) {
    console.data(
        console.json() ? screen_json(boost::json::serialize(event)) + "\n"
                       : event_line(event, "", console)
    );
}

ExitCode list(const ListOptions& options, const Invocation& invocation, Console& console) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    std::uint64_t left = options.limit;
    std::string next;
    // A page may be short, even empty, and still have a next one: the hub bounds what one request
    // examines.
    while (left > 0) {
        HubResult<HttpReply> reply = (*hub)->call({.target = page_target(options, next, left)});
        if (!reply) {
            return report(console, reply.error());
        }
        // Event data is nested as deep as its publisher liked.
        boost::json::error_code error;
        boost::json::value page = boost::json::parse(reply->body, error);
        const boost::json::value* events =
            page.is_object() ? page.as_object().if_contains("events") : nullptr;
        if (error || events == nullptr || !events->is_array()) {
            return report(
                console, {.sentence = "the hub's answer is not a list of events", .next_step = {}}
            );
        }
        for (const boost::json::value& event : events->as_array()) {
            print_event(event, console);
        }
        left -= std::min<std::uint64_t>(left, events->as_array().size());
        next = member_text(page, "next");
        if (next.empty() || !console.flush()) {
            break;
        }
    }
    return ExitCode::ok;
}

}  // namespace

void add_list(CommandArguments app, Invocation& invocation) {
    CommandArguments command =
        app.add_subcommand("list", "List stored events, newest first", kListExamples);
    auto options = std::make_shared<ListOptions>();
    command.add_option("--type", options->type, "exact, or a prefix that ends in *");
    command.add_option("--source", options->source, "who published");
    command.add_option("--subject", options->subject, "what the event is about");
    command.add_option("--since", options->since, "an age such as 1h, or a time (RFC 3339)");
    command.add_option("--until", options->until, "the same");
    command.add_option("--after", options->after, "offsets above this one");
    command.add_option("--before", options->before, "offsets below this one");
    command.add_flag("--oldest-first", options->oldest_first, "in the order of the log");
    command.add_option("--limit", options->limit, "how many at most").with_default_in_help();
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return list(*options, invocation, console);
        };
    });
}

}  // namespace belfry
