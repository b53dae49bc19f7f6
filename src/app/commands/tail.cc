// belfry tail: events as they arrive.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/rfc3339.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

constexpr const char* kTailExamples = R"(EXAMPLES
  belfry tail                                         everything, from now on
  belfry tail 'experiment.*' --source /steadybit/prod
  belfry tail --after 1000 --json | jq .data
  belfry tail deploy -n 1                             wait for the next deploy
)";

struct TailOptions {
    std::string pattern;
    std::string source;
    std::string subject;
    std::string after;
    std::uint64_t count = 0;
};

// A stream's events do not say when they were stored; they have just arrived. False if the output
// is gone.
bool print_event(
    const StreamEvent& event, std::string_view id, WallTime arrived, Console& console
) {
    boost::json::error_code error;
    boost::json::value value = boost::json::parse(event.data, error);
    if (boost::json::object* members = value.if_object()) {
        members->emplace("recorded", rfc3339(arrived));
    }
    if (console.json() || error) {
        console.data(screen_json(event.data) + "\n");
    } else {
        console.data(event_line(value, id, console));
    }
    // At once: somebody watches.
    return console.flush();
}

void print_gap(const StreamEvent& event, Console& console) {
    boost::json::error_code error;
    boost::json::value gap = boost::json::parse(event.data, error);
    console.say(fmt::format(
        "offsets {} to {} cannot be read: {}",
        screen_text(member_text(gap, "from")),
        screen_text(member_text(gap, "to")),
        screen_text(member_text(gap, "reason"))
    ));
}

ExitCode tail(const TailOptions& options, const Invocation& invocation, Console& console) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    StreamRequest request{
        .target = Target("/api/v1/events/stream"),
        .after = options.after,
        .on_event = {},
        .on_wait = {}
    };
    request.target.parameter("type", options.pattern)
        .parameter("source", options.source)
        .parameter("subject", options.subject);
    std::uint64_t printed = 0;
    request.on_event = [&](const StreamEvent& event, std::string_view id) {
        if (event.event == "gap") {
            print_gap(event, console);
            return true;
        }
        return print_event(event, id, (*hub)->clock().wall(), console) &&
               (++printed != options.count);
    };
    request.on_wait = [&](std::string_view reason, Duration wait) {
        console.say(fmt::format(
            "{}; connecting again in {:.1f} s",
            screen_text(reason),
            std::chrono::duration<double>(wait).count()
        ));
    };
    HubResult<void> ended = (*hub)->follow(std::move(request));
    return ended ? ExitCode::ok : report(console, ended.error());
}

}  // namespace

void add_tail(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("tail", "Watch events arrive", kTailExamples);
    auto options = std::make_shared<TailOptions>();
    command.add_option("PATTERN", options->pattern, "a type, or a prefix that ends in *");
    command.add_option("--source", options->source, "who published");
    command.add_option("--subject", options->subject, "what the event is about");
    command.add_option("--after", options->after, "begin behind this offset instead of now");
    command.add_option("-n,--count", options->count, "end after so many events");
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return tail(*options, invocation, console);
        };
    });
}

}  // namespace belfry
