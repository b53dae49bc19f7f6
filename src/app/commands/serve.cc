// belfry serve: runs a hub until it is told to stop.
#include "app/commands/commands.h"
#include "app/commands/config_flags.h"
#include "app/config_text.h"
#include "app/screen_text.h"
#include "app/version.h"
#include "app/wiring.h"
#include "base/logging.h"

#include <fmt/format.h>

#include <csignal>
#include <memory>
#include <sys/resource.h>
#include <unistd.h>

namespace belfry {

namespace {

constexpr const char* kServeExamples = R"(EXAMPLES
  belfry serve                                        on 127.0.0.1:8420, data in ./belfry-data
  belfry serve --config /etc/belfry/belfry.yaml
  belfry serve --listen 127.0.0.1:9000 --data /var/lib/belfry --set log.retention.age=30d
)";

struct ServeOptions {
    ConfigFlags config;
    bool accept_data_loss = false;
};

void set_up_logging(const Config& config) {
    LogLevel level = LogLevel::info;
    for (auto [name, value] :
         {std::pair("debug", LogLevel::debug),
          {"warn", LogLevel::warn},
          {"error", LogLevel::error},
          {"off", LogLevel::off}}) {
        if (config.logging_level == name) {
            level = value;
        }
    }
    bool text = config.logging_format == "text" ||
                (config.logging_format == "auto" && ::isatty(STDERR_FILENO) == 1);
    set_up_logging(level, text ? LogFormat::text : LogFormat::json);
}

// A hub holds as many connections as the system allows, and outlives whoever read its stderr.
void prepare_process() {
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
            log_warn("the limit on open files could not be raised", {});
        }
    }
}

ExitCode refused_start(const Error& error, const Config& config, Console& console) {
    if (error.code == Errc::denied) {
        console.complain(
            screen_text(error.detail),
            "Make a token with `belfry token bootstrap --data " + screen_text(config.data) +
                "`, or listen on 127.0.0.1, or say --insecure if that is what you want."
        );
        return ExitCode::invalid;
    }
    if (error.field == "http.listen") {
        console.complain(
            screen_text(error.detail),
            "If a hub runs there, `belfry status` shows it; another address is chosen with "
            "--listen."
        );
        return ExitCode::failure;
    }
    console.complain(screen_text(error.detail));
    return ExitCode::failure;
}

void announce(const Config& config, const Wiring& hub) {
    log_info(
        "listening",
        {{"url", hub.url()},
         {"data", config.data},
         {"next_offset", hub.log_status().next.value},
         {"version", version()}}
    );
    if (hub.closed()) {
        log_info("whoever calls needs a token");
    } else if (config.insecure) {
        log_warn("open to everybody who reaches this address: there are no tokens");
    } else {
        log_info(
            "open to every program on this machine: there are no tokens; pages of other sites are "
            "refused"
        );
    }
}

ExitCode serve(const ServeOptions& options, const Invocation& invocation, Console& console) {
    auto loaded = load_config(options.config.sources(invocation.environment));
    if (!loaded) {
        console.complain("the configuration is invalid:\n" + problem_lines(loaded.error()));
        return ExitCode::invalid;
    }
    const Config& config = loaded->config;
    set_up_logging(config);
    prepare_process();
    Result<std::unique_ptr<Wiring>> hub =
        Wiring::open(config, options.accept_data_loss ? DataLoss::accept : DataLoss::refuse);
    if (!hub) {
        console.complain(screen_text(hub.error().detail));
        return ExitCode::failure;
    }
    (*hub)->loop().on_signal([&hub](int number) {
        number == SIGHUP ? (*hub)->reload() : (*hub)->stop();
    });
    if (Result<void> started = (*hub)->start(); !started) {
        return refused_start(started.error(), config, console);
    }
    announce(config, **hub);
    (*hub)->run();
    return ExitCode::ok;
}

}  // namespace

void add_serve(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("serve", "Run a hub", kServeExamples);
    auto options = std::make_shared<ServeOptions>();
    options->config.add_to(command);
    command.add_flag(
        "--accept-data-loss",
        options->accept_data_loss,
        "go on although the end of the log is missing; what is lost was named when it refused"
    );
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return serve(*options, invocation, console);
        };
    });
}

}  // namespace belfry
