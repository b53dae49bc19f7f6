// belfry get: one event.
#include "app/commands/commands.h"

#include <memory>

namespace belfry {

namespace {

constexpr const char* kGetExamples = R"(EXAMPLES
  belfry get 17                                       by offset
  belfry get 6f1cb8d6-02f1-4f5a-6f1c-b8d602f14f49     by id
  belfry get build-81 --source /ci --data > build.log the bytes alone
)";

struct GetOptions {
    std::string id;
    std::string source;
    bool data = false;
};

ExitCode get(const GetOptions& options, const Invocation& invocation, Console& console) {
    HubRequest request{.target = Target("/api/v1/events")};
    request.target.segment(options.id);
    if (!options.data) {
        request.target.parameter("source", options.source);
        return call_and_print(invocation, console, request, [&](std::string_view body) {
            print_members(console, body);
        });
    }
    request.target.segment("data").parameter("source", options.source);
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    HubResult<HttpReply> reply = (*hub)->call(request);
    if (!reply) {
        return report(console, reply.error());
    }
    console.data(reply->body);
    return ExitCode::ok;
}

}  // namespace

void add_get(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("get", "Show one event", kGetExamples);
    auto options = std::make_shared<GetOptions>();
    command.add_option("ID", options->id, "offset, id, or UUID form").required();
    command.add_option("--source", options->source, "whose, if two publishers use the same id");
    command.add_flag(
        "--data", options->data, "print the data exactly as it is stored, nothing else"
    );
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return get(*options, invocation, console);
        };
    });
}

}  // namespace belfry
