// belfry watch: a command for each new event, as `consul watch -type=event` does it.
#include "app/commands/commands.h"
#include "app/event_watch.h"
#include "app/screen_text.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

constexpr const char* kWatchExamples = R"(EXAMPLES
  belfry watch -type=event -name=deploy ./deploy.sh   instead of `consul watch`
  belfry watch -type=event -name=deploy 'jq -r .[].ID >>deployed'
  belfry watch -type=event -name=deploy -shell=false ./deploy.sh --fast
  belfry watch -type=event -name=deploy               print the events there are
  belfry watch -type=event -name=deploy -state=none ./every-start.sh

  The command gets the new events on standard input, a JSON array, and CONSUL_INDEX. Each event
  is handed over until the command has ended with 0 for it; a restart goes on behind the last.
)";

struct WatchFlags {
    std::string type;
    std::string name;
    std::string state;
    CommandOption state_option;
    bool shell = true;
    std::vector<std::string> command;
};

HubFailure usage_failure(std::string sentence) {
    return {.code = ExitCode::usage, .sentence = std::move(sentence), .next_step = "See --help."};
}

HubResult<void> check(const WatchFlags& flags) {
    if (flags.type.empty()) {
        return std::unexpected(usage_failure("Watch type must be specified: -type=event"));
    }
    if (flags.type != "event") {
        return std::unexpected(usage_failure(fmt::format(
            "-type={} is not here: a hub has events, -type=event", screen_text(flags.type)
        )));
    }
    if (flags.command.empty() && flags.state_option.given()) {
        return std::unexpected(usage_failure("-state is for a watch with a command"));
    }
    if (!is_utf8(flags.name)) {
        return std::unexpected(usage_failure("-name is not UTF-8"));
    }
    return {};
}

// One for each hub and name; empty: none is wanted.
HubResult<std::string> state_path(const WatchFlags& flags, const Invocation& invocation) {
    if (flags.state_option.given()) {
        return flags.state == "none" ? "" : flags.state;
    }
    HubResult<Url> hub_url = invocation.address();
    if (!hub_url) {
        return std::unexpected(std::move(hub_url.error()));
    }
    // A relative one does not count, says the XDG Base Directory Specification.
    std::string base = invocation.variable("XDG_STATE_HOME");
    if (!base.starts_with('/')) {
        const std::string home = invocation.variable("HOME");
        if (!home.starts_with('/')) {
            return std::unexpected(usage_failure(
                "HOME is not set, so there is no place for the state; name a file with -state=FILE"
            ));
        }
        base = home + "/.local/state";
    }
    return fmt::format(
        "{}/belfry/watch-{:016x}.json", base, uuid_low_half(hub_url->text(), flags.name)
    );
}

HubFailure state_failure(const std::string& path, const Error& error) {
    switch (error.code) {
        case Errc::conflict:
            return {
                .code = ExitCode::failure,
                .sentence = fmt::format("another watch uses {}", screen_text(path)),
                .next_step = "Give this one a file of its own: -state=FILE."
            };
        case Errc::bad_request:
            return {
                .code = ExitCode::invalid,
                .sentence = screen_text(error.detail),
                .next_step =
                    "Nothing was handed over. Without the file all events that the hub lists are "
                    "handed over again; -state=FILE names another."
            };
        default:
            return {
                .code = ExitCode::failure,
                .sentence = screen_text(error.detail),
                .next_step = "Name a file that can be written with -state=FILE, or -state=none."
            };
    }
}

Program program_of(const WatchFlags& flags, const Invocation& invocation) {
    Program program{
        .arguments = flags.command,
        .environment = invocation.environment,
        .input = {},
        .umask = invocation.umask_before
    };
    if (flags.shell) {
        const std::string shell = invocation.variable("SHELL");
        std::string script;
        for (const std::string& word : flags.command) {
            script += (script.empty() ? "" : " ") + word;
        }
        program.arguments = {shell.empty() ? "/bin/sh" : shell, "-c", script};
    }
    return program;
}

ExitCode print_once(const WatchFlags& flags, const Invocation& invocation, Console& console) {
    const HubRequest request{.target = event_list_target(flags.name, 0, {})};
    return call_and_print(invocation, console, request, [&](std::string_view body) {
        console.data(indented_json(screen_json(body)) + "\n");
    });
}

ExitCode watch(const WatchFlags& flags, const Invocation& invocation, Console& console) {
    if (HubResult<void> good = check(flags); !good) {
        return report(console, good.error());
    }
    if (flags.command.empty()) {
        return print_once(flags, invocation, console);
    }
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    HubResult<std::string> path = state_path(flags, invocation);
    if (!path) {
        return report(console, path.error());
    }
    std::optional<WatchState> state;
    if (!path->empty()) {
        Result<WatchState> opened = WatchState::open(posix_file_system(), *path, flags.name);
        if (!opened) {
            return report(console, state_failure(*path, opened.error()));
        }
        state = *std::move(opened);
    }
    EventWatch events(
        **hub,
        {.name = flags.name, .program = program_of(flags, invocation)},
        state ? &*state : nullptr,
        console
    );
    return events.run();
}

}  // namespace

void add_watch(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand(
        "watch", "Run a command for each new event, as `consul watch` does", kWatchExamples
    );
    auto flags = std::make_shared<WatchFlags>();
    command.add_option("--type", flags->type, "what to watch: event");
    command.add_option("--name", flags->name, "the events' name; all if left out");
    flags->state_option = command.add_option(
        "--state",
        flags->state,
        "file that remembers the last event handed over; none: every start is the first (one for "
        "each hub and name in $XDG_STATE_HOME/belfry)"
    );
    command.add_flag(
        "--shell", flags->shell, "run the command by $SHELL -c (true), or as it stands"
    );
    command.add_option(
        "--http-addr", invocation.http_addr, "hub to talk to, as host:port (CONSUL_HTTP_ADDR)"
    );
    command.add_option("COMMAND", flags->command, "what to run; none: print the events and end");
    command.when_chosen([flags, &invocation] {
        invocation.as_consul = true;
        invocation.run = [flags, &invocation](Console& console) {
            return watch(*flags, invocation, console);
        };
    });
}

}  // namespace belfry
