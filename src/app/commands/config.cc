// belfry config: what a hub would run with, and whether a file is good.
#include "app/config.h"

#include "app/commands/commands.h"
#include "app/commands/config_flags.h"
#include "app/config_text.h"
#include "app/screen_text.h"
#include "doors/json_writer.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace belfry {

namespace {

constexpr const char* kConfigExamples = R"(EXAMPLES
  belfry config show --origin                         every value and where it came from
  belfry config check --config belfry.yaml            5 and what is wrong, if it is bad
)";

ExitCode show(
    const ConfigFlags& flags, ShowOrigin origin, const Invocation& invocation, Console& console
) {
    auto loaded = load_config(flags.sources(invocation.environment));
    if (!loaded) {
        console.complain("the configuration is invalid:\n" + problem_lines(loaded.error()));
        return ExitCode::invalid;
    }
    console.data(console.json() ? config_json(*loaded) : config_yaml(*loaded, origin));
    return ExitCode::ok;
}

std::string verdict_json(const std::vector<ConfigProblem>& problems) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("valid", problems.empty()).name("problems").begin_array();
    for (const ConfigProblem& problem : problems) {
        json.begin_object().member("where", problem.where).member("what", problem.what);
        json.end_object();
    }
    json.end_array().end_object();
    return screen_json(out) + "\n";
}

ExitCode check(const ConfigFlags& flags, const Invocation& invocation, Console& console) {
    auto loaded = load_config(flags.sources(invocation.environment));
    if (console.json()) {
        console.data(verdict_json(loaded ? std::vector<ConfigProblem>() : loaded.error()));
        return loaded ? ExitCode::ok : ExitCode::invalid;
    }
    if (!loaded) {
        console.complain("the configuration is invalid:\n" + problem_lines(loaded.error()));
        return ExitCode::invalid;
    }
    console.say("the configuration is good");
    return ExitCode::ok;
}

}  // namespace

void add_config(CommandArguments app, Invocation& invocation) {
    CommandArguments command =
        app.add_subcommand("config", "Show or check the configuration of a hub", kConfigExamples);
    command.require_subcommand();

    CommandArguments show_command =
        command.add_subcommand("show", "Print all settings as a file", kConfigExamples);
    auto show_flags = std::make_shared<ConfigFlags>();
    show_flags->add_to(show_command);
    auto origin = std::make_shared<bool>(false);
    show_command.add_flag("--origin", *origin, "say where each value came from");
    show_command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return show(*show_flags, ShowOrigin{*origin}, invocation, console);
        };
    });

    CommandArguments check_command = command.add_subcommand(
        "check", "Read the configuration and say what is wrong", kConfigExamples
    );
    auto check_flags = std::make_shared<ConfigFlags>();
    check_flags->add_to(check_command);
    check_command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return check(*check_flags, invocation, console);
        };
    });
}

}  // namespace belfry
