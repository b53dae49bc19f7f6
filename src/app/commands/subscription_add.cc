// belfry subscription add: a subscription from flags, or from a document.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/rng.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kDocumentBytesMax = 1ULL << 20U;
// Standard Webhooks asks for 24 to 64 bytes.
constexpr std::size_t kSecretBytes = 32;

constexpr const char* kSubscriptionAddExamples = R"(EXAMPLES
  belfry subscription add chat http://127.0.0.1:9000/in --type 'deploy*'
  belfry subscription add audit http://127.0.0.1:9001/ --start earliest --order all
  belfry subscription add ci http://127.0.0.1:9002/ --type push --secret-generate
  belfry subscription add restart --command restart   a command of the hub's configuration
  belfry subscription add ci --document ci.json       everything docs/api.md names
)";

struct AddSubscriptionOptions {
    std::string name;
    std::string sink_url;
    std::string command;
    std::string document;
    std::vector<std::string> types;
    std::string format;
    std::vector<std::string> headers;
    std::string secret;
    std::string secret_file;
    bool secret_generate = false;
    std::string start;
    std::string order;
    std::string timeout;
    std::optional<std::uint64_t> max_in_flight;
};

std::string generated_secret() {
    std::array<std::byte, kSecretBytes> bytes;
    system_rng().fill(bytes);
    std::string secret = "whsec_";
    append_base64(secret, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return secret;
}

HubResult<json::object> headers_object(const std::vector<std::string>& headers) {
    json::object object;
    for (const std::string& header : headers) {
        std::size_t colon = header.find(':');
        if (colon == std::string::npos || colon == 0) {
            return std::unexpected(invalid_usage("a header is written 'Name: value'"));
        }
        std::size_t value = header.find_first_not_of(' ', colon + 1);
        object[header.substr(0, colon)] = value == std::string::npos ? "" : header.substr(value);
    }
    return object;
}

// "new", "earliest", an offset or a time.
json::value start_value(const std::string& start) {
    if (start == "new" || start == "earliest") {
        return json::value(start);
    }
    if (start.find_first_not_of("0123456789") == std::string::npos && start.size() < 20) {
        return json::object{{"offset", std::stoull(start)}};
    }
    return json::object{{"time", start}};
}

HubResult<json::object> sink_object(
    const AddSubscriptionOptions& options, const std::string& secret
) {
    if (!options.command.empty()) {
        if (!options.format.empty() || !options.headers.empty() || !secret.empty()) {
            return std::unexpected(
                invalid_usage("a command has no format, no headers and no secret here")
            );
        }
        return json::object{{"kind", "command"}, {"command", options.command}};
    }
    json::object sink{{"kind", "webhook"}, {"url", options.sink_url}};
    if (!options.format.empty()) {
        sink["format"] = options.format;
    }
    if (!options.headers.empty()) {
        HubResult<json::object> headers = headers_object(options.headers);
        if (!headers) {
            return headers;
        }
        sink["headers"] = *std::move(headers);
    }
    if (!secret.empty()) {
        sink["secret"] = secret;
    }
    return sink;
}

HubResult<std::string> document_from_flags(
    const AddSubscriptionOptions& options, const std::string& secret
) {
    HubResult<json::object> sink = sink_object(options, secret);
    if (!sink) {
        return std::unexpected(std::move(sink.error()));
    }
    json::object document{{"name", options.name}, {"sink", *std::move(sink)}};
    if (!options.types.empty()) {
        document["filter"] =
            json::object{{"types", json::array(options.types.begin(), options.types.end())}};
    }
    if (!options.start.empty()) {
        document["start"] = start_value(options.start);
    }
    json::object delivery;
    if (!options.order.empty()) {
        delivery["order"] = options.order;
    }
    if (!options.timeout.empty()) {
        delivery["timeout"] = options.timeout;
    }
    if (options.max_in_flight) {
        delivery["max_in_flight"] = *options.max_in_flight;
    }
    if (!delivery.empty()) {
        document["delivery"] = std::move(delivery);
    }
    return json::serialize(document);
}

// The file's document under the name that was given, with a secret if one was made.
HubResult<std::string> document_from_file(
    const AddSubscriptionOptions& options, const std::string& secret
) {
    HubResult<std::string> text = read_file_argument(options.document, kDocumentBytesMax);
    if (!text) {
        return text;
    }
    Result<json::value> document = parse_json(*text, Limits{});
    if (!document || !document->is_object()) {
        std::string reason = document ? "it is not an object" : document.error().detail;
        return std::unexpected(HubFailure{
            .code = ExitCode::invalid,
            .sentence = fmt::format("{}: {}", screen_text(options.document), screen_text(reason)),
            .next_step = {}
        });
    }
    json::object& members = document->as_object();
    members["name"] = options.name;
    if (!secret.empty()) {
        json::value* sink = members.if_contains("sink");
        if (sink == nullptr || !sink->is_object()) {
            return std::unexpected(
                invalid_usage("the document has no sink that the secret could stand in")
            );
        }
        sink->as_object()["secret"] = secret;
    }
    return json::serialize(*document);
}

HubResult<std::string> chosen_secret(const AddSubscriptionOptions& options) {
    int chosen = (options.secret.empty() ? 0 : 1) + (options.secret_file.empty() ? 0 : 1) +
                 (options.secret_generate ? 1 : 0);
    if (chosen > 1) {
        return std::unexpected(
            invalid_usage("only one of --secret, --secret-file and --secret-generate is possible")
        );
    }
    if (options.secret_generate) {
        return generated_secret();
    }
    if (options.secret_file.empty()) {
        return options.secret;
    }
    HubResult<std::string> text = read_file_argument(options.secret_file, kSecretBytesMax);
    if (text) {
        text->resize(text->find_last_not_of(" \r\n") + 1);
    }
    return text;
}

void print_added(std::string_view body, const std::string& new_secret, Console& console) {
    Result<json::value> document = parse_json(body, Limits{});
    if (console.json()) {
        if (document && document->is_object() && !new_secret.empty()) {
            document->as_object()["secret"] = new_secret;
        }
        std::string line = document ? json::serialize(*document) : std::string(body);
        console.data(screen_json(line) + "\n");
        return;
    }
    std::string state = document ? member_text(*document, "state") : "";
    console.say(fmt::format("added; it is {}", state.empty() ? "served" : screen_text(state)));
    if (!new_secret.empty()) {
        console.say("its signing secret, shown this once:");
        console.data(new_secret + "\n");
    }
}

ExitCode add(
    const AddSubscriptionOptions& options, const Invocation& invocation, Console& console
) {
    const int sinks = (options.document.empty() ? 0 : 1) + (options.sink_url.empty() ? 0 : 1) +
                      (options.command.empty() ? 0 : 1);
    if (sinks != 1) {
        return usage_error(console, "one of URL, --command and --document is needed");
    }
    HubResult<std::string> secret = chosen_secret(options);
    if (!secret) {
        return report(console, secret.error());
    }
    HubResult<std::string> document = options.document.empty()
                                          ? document_from_flags(options, *secret)
                                          : document_from_file(options, *secret);
    if (!document) {
        return report(console, document.error());
    }
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    HubRequest request{.method = "POST", .target = Target("/api/v1/subscriptions")};
    request.content_type = "application/json";
    request.body = *std::move(document);
    HubResult<HttpReply> reply = (*hub)->call(request);
    if (!reply) {
        return report(console, reply.error());
    }
    print_added(reply->body, options.secret_generate ? *secret : "", console);
    return ExitCode::ok;
}

void add_options(CommandArguments command, AddSubscriptionOptions& options) {
    command.add_option("NAME", options.name, "lower-case letters, digits and ._-").required();
    command.add_option("URL", options.sink_url, "webhook that gets the events");
    command.add_option(
        "--command", options.command, "instead of URL: a command of the hub's configuration"
    );
    command.add_option(
        "--document", options.document, "JSON document instead of flags; - is standard input"
    );
    command
        .add_option("--type", options.types, "a type, or a prefix that ends in *; may be repeated")
        .one_value_each();
    command.add_option(
        "--format", options.format, "cloudevents-binary (default), cloudevents-structured or body"
    );
    command.add_option("--header", options.headers, "'Name: value' to send; may be repeated")
        .one_value_each();
    command.add_option(
        "--secret", options.secret, "signing secret whsec_…; visible to others in ps"
    );
    command.add_option("--secret-file", options.secret_file, "file that holds it");
    command.add_flag("--secret-generate", options.secret_generate, "make one and print it");
    command.add_option("--start", options.start, "new (default), earliest, an offset, or a time");
    command.add_option("--order", options.order, "none (default), key or all");
    command.add_option("--timeout", options.timeout, "of one attempt; 15s");
    command.add_option("--max-in-flight", options.max_in_flight, "attempts at a time; 16");
}

}  // namespace

void add_subscription_add(CommandArguments subscription, Invocation& invocation) {
    CommandArguments command = subscription.add_subcommand(
        "add", "Deliver events to a webhook or a command from now on", kSubscriptionAddExamples
    );
    auto options = std::make_shared<AddSubscriptionOptions>();
    add_options(command, *options);
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return add(*options, invocation, console);
        };
    });
}

}  // namespace belfry
