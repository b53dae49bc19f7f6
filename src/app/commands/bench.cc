// belfry bench: publishes to a running hub and says how fast it was.
#include "app/commands/commands.h"
#include "app/load/load.h"
#include "app/screen_text.h"
#include "base/duration.h"
#include "doors/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

namespace belfry {

namespace {

constexpr const char* kBenchExamples = R"(EXAMPLES
  belfry bench                                        as fast as the hub answers, for 10 seconds
  belfry bench --rate 5000 --duration 1m              5,000 events a second, whatever the hub does
  belfry bench --connections 8 --batch 100 --format ndjson --json

It stores real events, of the type `bench` unless told otherwise: use a hub that is there for it.
The load speaks plain http only.
With --rate a latency counts from the moment an event was due, not from when a connection was free
to send it: what a stall of the hub holds up is in the figures.
)";

const std::map<std::string, LoadFormat> kFormats = {
    {"plain", LoadFormat::plain},
    {"consul", LoadFormat::consul},
    {"json", LoadFormat::json_batch},
    {"ndjson", LoadFormat::ndjson}
};

struct BenchOptions {
    std::size_t connections = 64;
    double rate = 0;
    std::string duration = "10s";
    std::string warm_up = "0s";
    std::size_t size = 200;
    std::size_t batch = 1;
    std::string format = "plain";
    std::string type = "bench";
};

std::vector<std::string> format_words() {
    const auto words = std::views::keys(kFormats);
    return {words.begin(), words.end()};
}

HubResult<Duration> read_duration(const char* option, const std::string& text) {
    Result<Duration> duration = parse_duration(text);
    if (!duration) {
        return std::unexpected(invalid_usage(fmt::format("{}: {}", option, duration.error().detail))
        );
    }
    return *duration;
}

HubResult<LoadOptions> load_options(const BenchOptions& options, const Invocation& invocation) {
    HubResult<Url> hub = invocation.address();
    HubResult<std::string> token = invocation.access_token();
    HubResult<Duration> duration = read_duration("--duration", options.duration);
    HubResult<Duration> warm_up = read_duration("--warm-up", options.warm_up);
    if (!hub || !token || !duration || !warm_up) {
        return std::unexpected(
            !hub        ? hub.error()
            : !token    ? token.error()
            : !duration ? duration.error()
                        : warm_up.error()
        );
    }
    if (hub->scheme == Url::Scheme::https) {
        return std::unexpected(invalid_usage(
            "the load speaks plain http only", "Name the hub's http address, or one beside it."
        ));
    }
    if (*duration == Duration::zero()) {
        return std::unexpected(invalid_usage("--duration must be above zero"));
    }
    const LoadFormat format = kFormats.at(options.format);
    if (options.batch > 1 && (format == LoadFormat::plain || format == LoadFormat::consul)) {
        return std::unexpected(invalid_usage(
            fmt::format("a {} body is one event", options.format),
            "Add --format json or --format ndjson to --batch."
        ));
    }
    if (std::ranges::any_of(*token, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
        return std::unexpected(invalid_usage("the access token holds a space or control character")
        );
    }
    return LoadOptions{
        .hub = *std::move(hub),
        .token = *std::move(token),
        .shape =
            {.type = options.type, .size = options.size, .events = options.batch, .format = format},
        .connections = options.connections,
        .rate = options.rate,
        .duration = *duration,
        .warm_up = *warm_up,
    };
}

double events_per_second(const LoadReport& report, std::size_t batch) {
    const auto events = static_cast<double>(report.requests * batch);
    return report.seconds > 0 ? events / report.seconds : 0;
}

void print_json(const LoadReport& report, std::size_t batch, Console& console) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().member("requests", report.requests);
    json.member("events", report.requests * batch);
    json.member("events_with_warm_up", report.events_in_all);
    json.member("failed", report.failed()).member("lost", report.lost);
    json.member("unsent", report.unsent).name("refused").begin_object();
    for (const auto& [status, count] : report.refused) {
        json.member(std::to_string(status), count);
    }
    json.end_object().name("seconds").raw(fmt::format("{:.3f}", report.seconds));
    json.name("events_per_second").raw(fmt::format("{:.1f}", events_per_second(report, batch)));
    for (auto [name, part] :
         {std::pair("p50_us", 0.5),
          std::pair("p90_us", 0.9),
          std::pair("p99_us", 0.99),
          std::pair("p999_us", 0.999),
          std::pair("max_us", 1.0)}) {
        json.name(name).raw(fmt::format("{:.0f}", report.latency.quantile_us(part)));
    }
    json.end_object();
    console.data(line + "\n");
}

void print_report(const LoadReport& report, std::size_t batch, Console& console) {
    const Latency& latency = report.latency;
    console.data(fmt::format(
        "{:.0f} events/s: {} events in {} requests, {:.1f} s\n"
        "latency of a request, us: p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  p99.9 {:.0f}  max {:.0f}\n",
        events_per_second(report, batch),
        report.requests * batch,
        report.requests,
        report.seconds,
        latency.quantile_us(0.5),
        latency.quantile_us(0.9),
        latency.quantile_us(0.99),
        latency.quantile_us(0.999),
        latency.quantile_us(1.0)
    ));
}

// Failed requests make the figures of the others worthless, so they are said and the command fails.
ExitCode complain_about(const LoadReport& report, Console& console) {
    for (const auto& [status, count] : report.refused) {
        console.complain(fmt::format("{} requests were answered {}", count, status));
    }
    if (!report.first_refusal.empty()) {
        console.complain("the first of them: " + screen_text(report.first_refusal));
    }
    if (report.lost > 0) {
        console.complain(fmt::format("{} requests were not answered", report.lost));
    }
    if (report.unsent > 0) {
        console.complain(
            fmt::format("{} requests were due and never sent: the hub is slower", report.unsent),
            "Ask for a lower --rate, or for more --connections."
        );
    }
    return report.failed() > 0 ? ExitCode::failure : ExitCode::ok;
}

ExitCode bench(const BenchOptions& options, const Invocation& invocation, Console& console) {
    HubResult<LoadOptions> load = load_options(options, invocation);
    if (!load) {
        return belfry::report(console, load.error());
    }
    Result<LoadReport> report = generate_load(*load);
    if (!report) {
        return belfry::report(
            console,
            {.code = ExitCode::unreachable,
             .sentence = fmt::format(
                 "no answer from http://{}: {}",
                 screen_text(load->hub.authority()),
                 screen_text(report.error().detail)
             ),
             .next_step =
                 "Is the hub running, and does it allow so many connections? Start one with "
                 "`belfry serve`, or name it with --url or BELFRY_URL."}
        );
    }
    if (console.json()) {
        print_json(*report, options.batch, console);
    } else {
        print_report(*report, options.batch, console);
    }
    return complain_about(*report, console);
}

}  // namespace

void add_bench(CommandArguments app, Invocation& invocation) {
    CommandArguments command =
        app.add_subcommand("bench", "Publish as load, and say how fast it was", kBenchExamples);
    auto options = std::make_shared<BenchOptions>();
    command.add_option("--connections", options->connections, "each waits for its answer")
        .between(1, 20'000)
        .with_default_in_help();
    command.add_option("--rate", options->rate, "events a second; without, as fast as it goes")
        .between(0.001, 1e8);
    command.add_option("--duration", options->duration, "such as 30s, 5m").with_default_in_help();
    command.add_option("--warm-up", options->warm_up, "publishes before that, not counted")
        .with_default_in_help();
    command.add_option("--size", options->size, "bytes of an event's data")
        .between(0, 64 * 1024 * 1024)
        .with_default_in_help();
    command.add_option("--batch", options->batch, "events of a request")
        .between(1, 100'000)
        .with_default_in_help();
    command
        .add_option(
            "--format",
            options->format,
            "plain, consul (fired by its API), json (CloudEvents batch) or ndjson"
        )
        .one_of(format_words())
        .with_default_in_help();
    command.add_option("--type", options->type, "of the events").with_default_in_help();
    command.when_chosen([options, &invocation] {
        invocation.run = [options, &invocation](Console& console) {
            return bench(*options, invocation, console);
        };
    });
}

}  // namespace belfry
