// belfry status, belfry version.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/version.h"
#include "base/json.h"
#include "base/json_text.h"

#include <boost/json.hpp>

namespace belfry {

namespace {

constexpr const char* kStatusExamples = R"(EXAMPLES
  belfry status                                       exits 0 if ready, 1 if not, 6 without a hub
  belfry status --json | jq .log
)";
constexpr const char* kVersionExamples = R"(EXAMPLES
  belfry version
  belfry version --json
)";

ExitCode status(const Invocation& invocation, Console& console) {
    ExitCode ready = ExitCode::ok;
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    HubResult<HttpReply> reply = (*hub)->call({.target = Target("/api/v1/status")});
    if (!reply) {
        return report(console, reply.error());
    }
    Result<boost::json::value> document = parse_json(reply->body, Limits{});
    if (document && member_text(*document, "ready") == "false") {
        ready = ExitCode::failure;
    }
    if (console.json()) {
        console.data(reply->body + "\n");
    } else {
        print_members(console, reply->body);
    }
    return ready;
}

ExitCode print_version(Console& console) {
    if (!console.json()) {
        console.data(version_text() + "\n");
        return ExitCode::ok;
    }
    std::string line = R"({"version":)";
    append_json_string(line, version());
    line += R"(,"commit":)";
    append_json_string(line, build_commit());
    console.data(line + "}\n");
    return ExitCode::ok;
}

}  // namespace

void add_status(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("status", "Say how the hub is", kStatusExamples);
    command.when_chosen([&invocation] {
        invocation.run = [&invocation](Console& console) { return status(invocation, console); };
    });
}

void add_version(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("version", "Print the version", kVersionExamples);
    command.when_chosen([&invocation] { invocation.run = print_version; });
}

}  // namespace belfry
