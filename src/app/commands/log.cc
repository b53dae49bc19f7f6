// belfry log verify: reads the log of a data directory while no hub runs, and says what is damaged.
#include "app/commands/commands.h"
#include "app/commands/config_flags.h"
#include "app/config_text.h"
#include "app/screen_text.h"
#include "base/json_text.h"
#include "engine/embedded/log_verify.h"

#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

constexpr const char* kLogExamples = R"(EXAMPLES
  belfry log verify                                   the log in ./belfry-data; 5 if it is damaged
  belfry log verify --data /var/lib/belfry --json | jq .damage
)";
constexpr std::size_t kBarWidth = 40;

std::string_view word(LogTail::Kind kind) {
    switch (kind) {
        case LogTail::Kind::none:
            return "none";
        case LogTail::Kind::whole:
            return "whole";
        case LogTail::Kind::torn:
            return "torn";
    }
    return "none";
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
    append_json_name(out, name);
    append_json_number(out, number);
    out += ',';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
    append_json_name(out, name);
    append_json_string(out, text);
    out += ',';
}

// `{a,b,` becomes `{a,b}`.
void close(std::string& out, char bracket) {
    if (out.back() == ',') {
        out.back() = bracket;
    } else {
        out += bracket;
    }
}

void append_holes(std::string& out, const LogReport& report) {
    out += R"("gaps":[)";
    for (const LogHole& hole : report.holes) {
        out += '{';
        append_member(out, "from", hole.from.value);
        append_member(out, "to", hole.to.value);
        out += hole.accepted ? R"("accepted":true},)" : R"("accepted":false},)";
    }
    close(out, ']');
}

void append_damage(std::string& out, const LogReport& report) {
    out += R"("damage":[)";
    for (const LogDamage& damage : report.damage) {
        out += '{';
        append_member(out, "file", damage.file);
        append_member(out, "position", damage.position);
        append_member(out, "bytes", damage.bytes);
        append_member(out, "what", screen_text(damage.what));
        close(out, '}');
        out += ',';
    }
    close(out, ']');
}

std::string report_json(const LogReport& report) {
    std::string out = report.intact() ? R"({"intact":true,)" : R"({"intact":false,)";
    append_member(out, "first_offset", report.first.value);
    append_member(out, "next_offset", report.next.value);
    append_member(out, "segments", report.segments);
    append_member(out, "batches", report.batches);
    append_member(out, "watermarks", report.watermarks);
    append_member(out, "events", report.records);
    append_member(out, "bytes", report.bytes);
    append_member(out, "missing_events", report.missing_events);
    append_holes(out, report);
    out += ',';
    append_member(out, "damaged_places", report.damaged_places);
    append_damage(out, report);
    out += R"(,"tail":{)";
    append_member(out, "kind", word(report.tail.kind));
    if (report.tail.kind != LogTail::Kind::none) {
        append_member(out, "file", report.tail.file);
        append_member(out, "position", report.tail.position);
        append_member(out, "bytes", report.tail.bytes);
    }
    close(out, '}');
    return out + "}\n";
}

std::string events(Offset from, Offset to) {
    return from.next() == to ? fmt::format("event {}", from.value)
                             : fmt::format("events {} to {}", from.value, to.value - 1);
}

std::string report_text(const LogReport& report) {
    std::string out = fmt::format(
        "segments  {}\nbatches   {}, {} watermarks\nevents    {}{}\nbytes     {}\n",
        report.segments,
        report.batches,
        report.watermarks,
        report.records,
        report.first < report.next ? ", " + events(report.first, report.next) : "",
        report.bytes
    );
    for (const LogDamage& damage : report.damage) {
        out += fmt::format(
            "damaged   {} at byte {}, {} bytes: {}\n",
            damage.file,
            damage.position,
            damage.bytes,
            screen_text(damage.what)
        );
    }
    if (report.damaged_places > report.damage.size()) {
        out +=
            fmt::format("damaged   {} more places\n", report.damaged_places - report.damage.size());
    }
    for (const LogHole& hole : report.holes) {
        out += fmt::format(
            "missing   {}{}\n",
            events(hole.from, hole.to),
            hole.accepted ? ", given up with --accept-data-loss" : ""
        );
    }
    if (report.tail.kind != LogTail::Kind::none) {
        out += fmt::format(
            "unproven  {} at byte {}, {} bytes: {}\n",
            report.tail.file,
            report.tail.position,
            report.tail.bytes,
            report.tail.kind == LogTail::Kind::whole
                ? "the last batch; the next start writes it again"
                : "torn and never acknowledged; the next start cuts it"
        );
    }
    return out;
}

void show_progress(Console& console, std::uint64_t done, std::uint64_t total) {
    std::uint64_t part = total == 0 ? kBarWidth : done * kBarWidth / total;
    std::size_t full = std::min<std::uint64_t>(part, kBarWidth);
    console.progress(fmt::format(
        "[{}{}] {} of {} MiB",
        std::string(full, '#'),
        std::string(kBarWidth - full, '.'),
        done >> 20U,
        total >> 20U
    ));
}

ExitCode verify(const ConfigFlags& flags, const Invocation& invocation, Console& console) {
    auto loaded = load_config(flags.sources(invocation.environment));
    if (!loaded) {
        console.complain("the configuration is invalid:\n" + problem_lines(loaded.error()));
        return ExitCode::invalid;
    }
    LogVerifyOptions options{.directory = loaded->config.data};
    options.progress = [&console](std::uint64_t done, std::uint64_t total) {
        show_progress(console, done, total);
    };
    auto report = verify_log(posix_file_system(), options);
    console.progress({});
    if (!report) {
        console.complain(screen_text(report.error().detail));
        return report.error().code == Errc::not_found ? ExitCode::not_found : ExitCode::failure;
    }
    console.data(console.json() ? report_json(*report) : report_text(*report));
    if (!report->intact()) {
        console.complain(fmt::format(
            "the log is damaged in {} places, {} events are missing",
            report->damaged_places,
            report->missing_events
        ));
        return ExitCode::invalid;
    }
    console.say("the log is intact");
    return ExitCode::ok;
}

}  // namespace

void add_log(CommandArguments app, Invocation& invocation) {
    CommandArguments command =
        app.add_subcommand("log", "Look at the log of a hub that does not run", kLogExamples);
    command.require_subcommand();
    CommandArguments verify_command = command.add_subcommand(
        "verify", "Read all of it and say what is damaged or missing", kLogExamples
    );
    auto flags = std::make_shared<ConfigFlags>();
    flags->add_to(verify_command);
    verify_command.when_chosen([flags, &invocation] {
        invocation.run = [flags, &invocation](Console& console) {
            return verify(*flags, invocation, console);
        };
    });
}

}  // namespace belfry
