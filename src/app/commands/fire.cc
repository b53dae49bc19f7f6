// belfry fire: publish one event.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/json.h"
#include "base/utf8.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

// More than any hub takes by default; the hub says what its limit is.
constexpr std::size_t kDataBytesMax = 64ULL << 20U;

constexpr const char* kFireExamples = R"(EXAMPLES
  belfry fire deploy                                  an event without data
  belfry fire deploy '{"version":"1.2"}' --source /ci
  belfry fire report @report.pdf --content-type application/pdf
  make 2>&1 | belfry fire build.log -                 data from standard input
)";

struct FireOptions {
    std::string type;
    std::string data;
    std::string source;
    std::string subject;
    std::string id;
    std::string content_type;
    CommandOption data_argument;
};

std::string guessed_content_type(const std::string& data) {
    if (parse_json(data, Limits{})) {
        return "application/json";
    }
    return is_utf8(data) ? "text/plain; charset=utf-8" : "application/octet-stream";
}

ExitCode fire(const FireOptions& options, const Invocation& invocation, Console& console) {
    HubRequest request{.method = "POST", .target = Target("/api/v1/events")};
    request.target.parameter("type", options.type)
        .parameter("source", options.source)
        .parameter("subject", options.subject)
        .parameter("id", options.id);
    if (options.data_argument.given()) {
        HubResult<std::string> data = read_argument(options.data, kDataBytesMax);
        if (!data) {
            return report(console, data.error());
        }
        request.body = *std::move(data);
        request.content_type = options.content_type.empty() ? guessed_content_type(request.body)
                                                            : options.content_type;
    }
    return call_and_print(invocation, console, request, [&](std::string_view body) {
        Result<boost::json::value> receipt = parse_json(body, Limits{});
        if (!receipt) {
            print_members(console, body);
            return;
        }
        console.data(fmt::format(
            "{}  offset {}{}\n",
            screen_text(member_text(*receipt, "id")),
            screen_text(member_text(*receipt, "offset")),
            member_text(*receipt, "duplicate") == "true" ? "  duplicate: stored before" : ""
        ));
    });
}

}  // namespace

void add_fire(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("fire", "Publish an event", kFireExamples);
    auto options = std::make_shared<FireOptions>();
    command.add_option("TYPE", options->type, "the event's type").required();
    options->data_argument =
        command.add_option("DATA", options->data, "the data; - reads standard input, @FILE a file");
    command.add_option("--source", options->source, "who publishes, a URI reference");
    command.add_option("--subject", options->subject, "what the event is about");
    command.add_option(
        "--id", options->id, "an id of yours; the same id from the same source is stored once"
    );
    command.add_option(
        "--content-type", options->content_type, "media type of the data; guessed if left out"
    );
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return fire(*options, invocation, console);
        };
    });
}

}  // namespace belfry
