// belfry event: publish an event as `consul event` does.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

// More than any hub takes by default; the hub says what its limit is.
constexpr std::size_t kPayloadBytesMax = 64ULL << 20U;

constexpr const char* kEventExamples = R"(EXAMPLES
  belfry event -name=deploy 1.2.3                     instead of `consul event`
  belfry event -name=deploy -service='^web$' -tag=canary 1.2.3
  belfry event -name=report - <report.json            payload from standard input
)";

struct EventOptions {
    std::string name;
    std::string node;
    std::string service;
    std::string tag;
    std::string payload;
};

ExitCode fire_event(const EventOptions& options, const Invocation& invocation, Console& console) {
    if (options.name.empty()) {
        return usage_error(console, "Event name must be specified: -name=NAME");
    }
    if (!options.tag.empty() && options.service.empty()) {
        return usage_error(console, "Cannot provide tag filter without service filter.");
    }
    HubRequest request{.method = "PUT", .target = Target("/v1/event/fire")};
    request.target.segment(options.name)
        .parameter("node", options.node)
        .parameter("service", options.service)
        .parameter("tag", options.tag);
    request.content_type = "application/octet-stream";
    request.body = options.payload;
    if (options.payload == "-") {
        HubResult<std::string> input = read_argument(options.payload, kPayloadBytesMax);
        if (!input) {
            return report(console, input.error());
        }
        request.body = *std::move(input);
    }
    ExitCode code = ExitCode::ok;
    const ExitCode called =
        call_and_print(invocation, console, request, [&](std::string_view body) {
            Result<boost::json::value> event = parse_json(body, Limits{});
            const std::string id = event ? member_text(*event, "ID") : "";
            if (id.empty()) {
                console.complain(
                    "the hub took the event, but its answer names no id: " + screen_text(body, 200)
                );
                code = ExitCode::failure;
                return;
            }
            console.data(fmt::format("Event ID: {}\n", screen_text(id)));
        });
    return called == ExitCode::ok ? code : called;
}

}  // namespace

void add_event(CommandArguments app, Invocation& invocation) {
    CommandArguments command =
        app.add_subcommand("event", "Publish an event as `consul event` does", kEventExamples);
    auto options = std::make_shared<EventOptions>();
    command.add_option("--name", options->name, "the event's name");
    command.add_option("--node", options->node, "only nodes whose name matches this expression");
    command.add_option("--service", options->service, "only nodes with such a service");
    command.add_option("--tag", options->tag, "only services with such a tag");
    command.add_option("PAYLOAD", options->payload, "the payload; - reads standard input");
    command.add_option(
        "--http-addr", invocation.http_addr, "hub to talk to, as host:port (CONSUL_HTTP_ADDR)"
    );
    command.when_chosen([options, &invocation] {
        invocation.as_consul = true;
        invocation.run = [options, &invocation](Console& console) {
            return fire_event(*options, invocation, console);
        };
    });
}

}  // namespace belfry
