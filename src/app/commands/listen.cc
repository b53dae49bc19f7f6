// belfry listen: a listener to try deliveries with.
#include "app/commands/commands.h"
#include "app/receiver.h"
#include "app/screen_text.h"
#include "auth/standard_webhooks.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

constexpr const char* kListenExamples = R"(EXAMPLES
  belfry listen --port 9000                           be http://127.0.0.1:9000/
  belfry listen --secret-file secret                  check signatures
  belfry listen --fail 3                              see retries: the first 3 are answered 500
)";

struct ListenOptions {
    std::uint16_t port = 9000;
    std::string secret;
    std::string secret_file;
    std::uint64_t fail = 0;
    int status = 204;
    std::uint64_t count = 0;
};

// A shared check, because the receiver's options are copied.
HubResult<std::function<Result<void>(const HttpRequest&)>> signature_check(
    const ListenOptions& options, const Clock& clock
) {
    std::string secret = options.secret;
    if (!options.secret_file.empty()) {
        HubResult<std::string> text = read_file_argument(options.secret_file, kSecretBytesMax);
        if (!text) {
            return std::unexpected(std::move(text.error()));
        }
        secret = text->substr(0, text->find_last_not_of(" \r\n") + 1);
    }
    if (secret.empty()) {
        return nullptr;
    }
    Result<StandardWebhooks> keys = StandardWebhooks::with(std::span(&secret, 1));
    if (!keys) {
        return std::unexpected(HubFailure{
            .code = ExitCode::usage, .sentence = keys.error().detail, .next_step = "See --help."
        });
    }
    auto shared = std::make_shared<StandardWebhooks>(*std::move(keys));
    return [shared, &clock](const HttpRequest& request) {
        WebhookHeaders headers{
            .id = request.header("webhook-id").value_or(""),
            .timestamp = request.header("webhook-timestamp").value_or(""),
            .signature = request.header("webhook-signature").value_or("")
        };
        return shared->verify(headers, request.body, clock.wall());
    };
}

ExitCode listen(const ListenOptions& options, Console& console) {
    Limits limits;
    Loop loop;
    auto check = signature_check(options, loop);
    if (!check) {
        return report(console, check.error());
    }
    std::unique_ptr<HttpServer> server;
    auto stop = [&] { server->stop(std::chrono::seconds(1), [&loop] { loop.stop(); }); };
    Receiver receiver(
        {.status = options.status,
         .fail = options.fail,
         .count = options.count,
         .body_bytes = limits.batch_bytes,
         .check_signature = *std::move(check),
         // Not from within the request that is being answered.
         .on_done = [&] { loop.post(stop); }},
        console
    );
    server = std::make_unique<HttpServer>(loop, receiver, limits);
    if (Result<void> listening = server->listen(fmt::format("127.0.0.1:{}", options.port));
        !listening) {
        return report(
            console,
            {.code = ExitCode::failure,
             .sentence = screen_text(listening.error().detail),
             .next_step = "Choose another one with --port; 0 takes a free one."}
        );
    }
    loop.on_signal([&loop](int) { loop.stop(); });
    console.say(fmt::format("listening on http://{}/ (Ctrl-C ends)", server->address()));
    loop.run();
    console.say(fmt::format("{} received", receiver.received()));
    return ExitCode::ok;
}

}  // namespace

void add_listen(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand(
        "listen", "Be a webhook: print deliveries and answer them", kListenExamples
    );
    auto options = std::make_shared<ListenOptions>();
    command.add_option("--port", options->port, "on 127.0.0.1; 0 takes a free one")
        .with_default_in_help();
    command.add_option(
        "--secret", options->secret, "signing secret whsec_…; visible to others in ps"
    );
    command.add_option("--secret-file", options->secret_file, "file that holds it");
    command.add_option("--fail", options->fail, "answer so many with 500 first");
    command.add_option("--status", options->status, "answer the others with this")
        .between(200, 599)
        .with_default_in_help();
    command.add_option("-n,--count", options->count, "end after so many deliveries");
    command.when_chosen([options, &invocation] {
        invocation.run = [options](Console& console) { return listen(*options, console); };
    });
}

}  // namespace belfry
