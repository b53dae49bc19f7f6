#include "app/command_line.h"

#include "app/go_flags.h"
#include "app/screen_text.h"
#include "app/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::string_view kExamples = R"(EXAMPLES
  belfry serve                                        run a hub in ./belfry-data
  belfry fire deploy '{"version":"1.2"}'              publish an event
  belfry tail 'deploy*'                               watch events arrive
  belfry subscription add chat http://127.0.0.1:9000/in --type 'deploy*'
                                                      deliver them to a webhook
  belfry dead-letter list                             what could not be delivered
)";

// Examples first, then the rest as the library prints it.
class ExamplesFirst final : public CLI::Formatter {
 public:
    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode)
        const override {
        std::string help = make_footer(app) + "\nUSAGE\n" + make_description(app);
        std::string usage = make_usage(app, std::move(name));
        help +=
            usage + make_positionals(app) + make_groups(app, mode) + make_subcommands(app, mode);
        return help.substr(help.find_first_not_of('\n'));
    }
};

void add_global_options(CLI::App& app, Invocation& invocation) {
    app.add_option("--url", invocation.url, "hub to talk to (BELFRY_URL; http://127.0.0.1:8420)");
    app.add_option(
        "--ca-file",
        invocation.ca_file,
        "PEM file with who may sign an https hub's certificate, beside the system's "
        "(BELFRY_CA_FILE)"
    );
    app.add_option(
        "--token-file",
        invocation.token_file,
        "file that holds the access token; - is stdin (BELFRY_TOKEN)"
    );
    app.add_flag("--json", invocation.json, "print JSON, one value a line");
    app.add_flag("--no-color", invocation.no_color, "no colours (NO_COLOR)");
    app.add_flag("-q,--quiet", invocation.quiet, "print data and errors only");
}

// A hidden flag of the root: subcommands show the global options too, because they accept them.
void finish(CLI::App& app) {
    app.fallthrough();
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        finish(*command);
    }
}

std::unique_ptr<CLI::App> make_parser(Invocation& invocation) {
    auto app = std::make_unique<CLI::App>(
        "Belfry takes events in, keeps them, and delivers them.", "belfry"
    );
    app->formatter(std::make_shared<ExamplesFirst>());
    app->footer(std::string(kExamples));
    app->require_subcommand(1);
    app->set_version_flag("--version", version_text());
    add_global_options(*app, invocation);
    add_serve(*app, invocation);
    add_fire(*app, invocation);
    add_list(*app, invocation);
    add_get(*app, invocation);
    add_tail(*app, invocation);
    add_listen(*app, invocation);
    add_subscription(*app, invocation);
    add_dead_letter(*app, invocation);
    add_config(*app, invocation);
    add_log(*app, invocation);
    add_bench(*app, invocation);
    add_token(*app, invocation);
    add_policy(*app, invocation);
    add_event(*app, invocation);
    add_watch(*app, invocation);
    add_status(*app, invocation);
    add_version(*app, invocation);
    finish(*app);
    return app;
}

bool wants_colour(const Invocation& invocation, std::FILE* out) {
    int descriptor = ::fileno(out);
    return !invocation.no_color && invocation.variable("NO_COLOR").empty() &&
           invocation.variable("TERM") != "dumb" && descriptor >= 0 && ::isatty(descriptor) == 1;
}

}  // namespace

ExitCode run_command_line(const CommandLine& line) {
    Console console(line.out, line.err);
    Invocation invocation;
    invocation.environment = line.environment;
    invocation.umask_before = line.umask_before;
    std::unique_ptr<CLI::App> app = make_parser(invocation);
    try {
        std::vector<std::string> arguments = with_double_dashes(line.arguments);
        std::ranges::reverse(arguments);  // as the library wants them
        app->parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        console.data(app->help());
        return console.flush() ? ExitCode::ok : ExitCode::failure;
    } catch (const CLI::CallForVersion&) {
        console.data(version_text() + "\n");
        return console.flush() ? ExitCode::ok : ExitCode::failure;
    } catch (const CLI::ParseError& error) {
        return usage_error(console, screen_text(error.what()));
    }
    console.set_style(
        {.json = invocation.json,
         .quiet = invocation.quiet,
         .colour = wants_colour(invocation, line.out)}
    );
    ExitCode code = invocation.run(console);
    if (!console.flush() && code == ExitCode::ok) {
        console.complain("the output could not be written");
        return ExitCode::failure;
    }
    return code;
}

}  // namespace belfry
