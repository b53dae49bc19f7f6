#include "app/command_line.h"

#include "app/command_arguments.h"
#include "app/go_flags.h"
#include "app/screen_text.h"
#include "app/version.h"

#include <unistd.h>

namespace belfry {

namespace {

constexpr std::string_view kProgramExamples = R"(EXAMPLES
  belfry serve                                        run a hub in ./belfry-data
  belfry fire deploy '{"version":"1.2"}'              publish an event
  belfry tail 'deploy*'                               watch events arrive
  belfry subscription add chat http://127.0.0.1:9000/in --type 'deploy*'
                                                      deliver them to a webhook
  belfry dead-letter list                             what could not be delivered
)";

void add_global_options(CommandArguments program, Invocation& invocation) {
    program.add_option(
        "--url", invocation.url, "hub to talk to (BELFRY_URL; http://127.0.0.1:8420)"
    );
    program.add_option(
        "--ca-file",
        invocation.ca_file,
        "PEM file with who may sign an https hub's certificate, beside the system's "
        "(BELFRY_CA_FILE)"
    );
    program.add_option(
        "--token-file",
        invocation.token_file,
        "file that holds the access token; - is stdin (BELFRY_TOKEN)"
    );
    program.add_flag("--json", invocation.json, "print JSON, one value a line");
    program.add_flag("--no-color", invocation.no_color, "no colours (NO_COLOR)");
    program.add_flag("-q,--quiet", invocation.quiet, "print data and errors only");
}

void add_all(CommandArguments program, Invocation& invocation) {
    add_global_options(program, invocation);
    add_serve(program, invocation);
    add_fire(program, invocation);
    add_list(program, invocation);
    add_get(program, invocation);
    add_tail(program, invocation);
    add_listen(program, invocation);
    add_subscription(program, invocation);
    add_dead_letter(program, invocation);
    add_extension(program, invocation);
    add_config(program, invocation);
    add_log(program, invocation);
    add_bench(program, invocation);
    add_token(program, invocation);
    add_policy(program, invocation);
    add_event(program, invocation);
    add_watch(program, invocation);
    add_status(program, invocation);
    add_version(program, invocation);
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
    ArgumentParser parser(
        {.name = "belfry",
         .summary = "Belfry takes events in, keeps them, and delivers them.",
         .examples = std::string(kProgramExamples),
         .version = version_text()}
    );
    add_all(parser.program(), invocation);
    const ParsedWords parsed = parser.parse(with_double_dashes(line.arguments));
    switch (parsed.kind) {
        case ParsedWords::Kind::command:
            break;
        case ParsedWords::Kind::question:
            console.data(parsed.text);
            return console.flush() ? ExitCode::ok : ExitCode::failure;
        case ParsedWords::Kind::mistake:
            return usage_error(console, screen_text(parsed.text));
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
