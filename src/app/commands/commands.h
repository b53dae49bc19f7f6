// The subcommands: each file of this folder adds one to the parser and, when it was chosen, leaves
// what to do in Invocation::run. Parsing has no effects; running has no access to the parser.
#pragma once

#include "app/command_arguments.h"
#include "app/console.h"
#include "app/exit_code.h"
#include "app/hub_client.h"

#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace belfry {

using Environment = std::vector<std::pair<std::string, std::string>>;

// One run of the program. Lives in main() from parsing to the end.
struct Invocation {
    Environment environment;
    // --url, --ca-file, --token-file; empty: not given.
    std::string url;
    std::string ca_file;
    std::string token_file;
    bool json = false;
    bool quiet = false;
    bool no_color = false;
    // Of a command made after Consul's: -http-addr; CONSUL_HTTP_ADDR and CONSUL_HTTP_TOKEN count
    // where ours are not given.
    bool as_consul = false;
    std::string http_addr;
    mode_t umask_before = 022;              // of whoever started us
    std::function<ExitCode(Console&)> run;  // set by the chosen command

    [[nodiscard]] std::string variable(std::string_view name) const;
    // Where the hub is: --url or BELFRY_URL, or 127.0.0.1:8420; a failure for a URL that is none.
    // As Consul: -http-addr before, CONSUL_HTTP_ADDR after them.
    [[nodiscard]] HubResult<Url> address() const;
    // What --token-file holds, or BELFRY_TOKEN; may be empty. As Consul: CONSUL_HTTP_TOKEN too,
    // but it is not sent to a hub that --url or BELFRY_URL name.
    [[nodiscard]] HubResult<std::string> access_token() const;
    // Who may sign an https hub's certificate: --ca-file or BELFRY_CA_FILE beside the system's; and
    // what is shown to a hub that asks: BELFRY_CERTIFICATE_FILE, BELFRY_KEY_FILE.
    [[nodiscard]] HubResult<std::shared_ptr<const TlsContext>> certificates(const Url& hub_url
    ) const;
    // All together.
    [[nodiscard]] HubResult<std::unique_ptr<HubClient>> hub() const;

 private:
    [[nodiscard]] bool is_named_our_way() const;
    [[nodiscard]] HubResult<Url> consul_address() const;
};

void add_serve(CommandArguments app, Invocation& invocation);
void add_fire(CommandArguments app, Invocation& invocation);
void add_list(CommandArguments app, Invocation& invocation);
void add_get(CommandArguments app, Invocation& invocation);
void add_tail(CommandArguments app, Invocation& invocation);
void add_listen(CommandArguments app, Invocation& invocation);
void add_subscription(CommandArguments app, Invocation& invocation);
void add_subscription_add(CommandArguments subscription, Invocation& invocation);
void add_dead_letter(CommandArguments app, Invocation& invocation);
void add_extension(CommandArguments app, Invocation& invocation);
void add_config(CommandArguments app, Invocation& invocation);
void add_log(CommandArguments app, Invocation& invocation);
void add_bench(CommandArguments app, Invocation& invocation);
void add_event(CommandArguments app, Invocation& invocation);
void add_watch(CommandArguments app, Invocation& invocation);
void add_status(CommandArguments app, Invocation& invocation);
void add_token(CommandArguments app, Invocation& invocation);
void add_policy(CommandArguments app, Invocation& invocation);
void add_version(CommandArguments app, Invocation& invocation);

// What a user asked for cannot be meant.
[[nodiscard]] HubFailure invalid_usage(std::string sentence, std::string next_step = "See --help.");
// Says what went wrong and gives the code to end with.
ExitCode report(Console& console, const HubFailure& failure);
ExitCode usage_error(Console& console, std::string sentence);

// A plain command against the hub: one call, then `print` for its answer; with --json the answer as
// it came, one line.
ExitCode call_and_print(
    const Invocation& invocation,
    Console& console,
    const HubRequest& request,
    const std::function<void(std::string_view body)>& print
);
// All pages of a list whose answer has its documents in `plural`: a table of `members`, or with
// --json a document a line.
ExitCode list_and_print(
    const Invocation& invocation,
    Console& console,
    const Target& target,
    std::string_view plural,
    const std::vector<std::string_view>& members
);
// The document in `body` as "member  value" lines.
void print_members(Console& console, std::string_view body);

// True if the user agrees: by `--yes`, or when asked on a terminal. Otherwise says what is missing.
[[nodiscard]] bool confirmed(bool yes, Console& console, std::string_view question);

// Bytes from "-" (standard input), "@FILE", or the argument itself; at most `bytes_max`.
[[nodiscard]] HubResult<std::string> read_argument(
    const std::string& argument, std::size_t bytes_max
);
// The same with a file's name.
[[nodiscard]] HubResult<std::string> read_file_argument(
    const std::string& path, std::size_t bytes_max
);
// Of a webhook's secret in a file.
inline constexpr std::size_t kSecretBytesMax = 4096;

}  // namespace belfry
