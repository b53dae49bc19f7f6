#include "app/config_text.h"

#include "app/screen_text.h"
#include "base/json_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

// Text that YAML reads as itself without quotes.
bool is_plain(std::string_view text) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-:";
    return !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos &&
           text.front() != '-' && text.front() != ':' && text.back() != ':';
}

std::string yaml_value(const Setting& setting, const Config& config) {
    std::string value = shown_value(setting, config);
    if (setting.type == SettingType::json || is_plain(value)) {
        return value;
    }
    std::string quoted;
    append_json_string(quoted, value);
    return quoted;
}

std::string_view type_name(SettingType type) {
    switch (type) {
        case SettingType::text:
            return "text";
        case SettingType::boolean:
            return "true, false";
        case SettingType::choice:
            return "";
        case SettingType::count:
            return "number";
        case SettingType::bytes:
            return "size";
        case SettingType::milliseconds:
            return "milliseconds";
        case SettingType::duration:
            return "duration";
        case SettingType::json:
            return "document";
    }
    return "";
}

std::string values_column(const Setting& setting) {
    if (setting.type == SettingType::choice) {
        return fmt::format("{}", fmt::join(setting.choices, ", "));
    }
    return std::string(type_name(setting.type));
}

constexpr std::string_view kIntroduction = R"(# Configuration

Every setting has a default; a hub needs no file. A value may come from four places, and the
first that has it counts:

1. a flag: `--listen`, `--data`, `--insecure`, and for every setting `--set key=value`;
2. the environment: `BELFRY_`, the key in capitals, two underscores for each dot
   (`BELFRY_HTTP__LISTEN=127.0.0.1:9000`);
3. the file named by `--config`;
4. the default.

`belfry config show --origin` prints all values and where each came from, as a file that can be
used again. `belfry config check --config FILE` reads a file without starting anything. A file
with an error is refused as a whole: `belfry serve` then opens nothing and exits with 5, and
says file, line, column and, for an unknown key, the nearest name.

## The file

YAML (so JSON is accepted too), at most 1 MiB of UTF-8. Keys may be nested or written with dots:

```yaml
http:
  listen: 127.0.0.1:8420
log:
  retention: {age: 3d, bytes: 5GiB}
logging.level: debug
```

The table below gives a value its type, not YAML: `no` is the text "no" and never false.
Durations are `10s`, `5m`, `1h30m`, `7d`; sizes `64MiB`, `10GB`, `4096`. Anchors and aliases
work. Refused are duplicate keys, unknown keys, tags, merge keys (`<<`), a second document,
control characters, keys over 255 bytes, more than 100,000 values after aliases are expanded,
more than 10,000 of `[`, `{` and `,` together, and what passes
`limits.yaml_bytes`, `limits.yaml_depth` or
`limits.yaml_aliases` (these three count from flags and environment only).

A setting whose values are a *document* is everything below its key, nested, with the types of
YAML's core schema: `8080` is a number there and `true` is true, so a text that looks like one
needs quotes. In the environment and in `--set` it is JSON. The first place that has it gives the
whole of it; documents are not merged. An error in one names the member and its place.

In the environment a name that begins with `BELFRY_` and has two underscores in a row must be a
setting; other names are ignored, but for one that only lacks underscores
(`BELFRY_HTTP_LISTEN`), which is an error.

Loopback is exempt from the limits on addresses and on requests of a connection; answers that
wait by nature (streams) from the time of a request.

## Commands

A subscription with the sink `{"kind":"command","command":"restart"}` has a program run with each
event. Which one, only the configuration says, so whoever may make subscriptions cannot run what
they like:

```yaml
commands:
  restart:
    argv: [/usr/local/bin/restart-service, --quick]
    user: www-data
    environment: {SERVICE: web, PORT: '8080'}
    timeout: 30s
    concurrency: 1
    format: cloudevents
```

- `argv` (needed): program and arguments, never read by a shell. The program is an absolute path,
  or a name that is looked up in the hub's PATH when it starts.
- `user`: who runs it, with that user's groups; needs a hub that root runs, and setpriv(1). Without
  it, the hub's user.
- `environment`: variables beside those below. `config show` prints them, so a secret belongs into
  a file that the program reads.
- `timeout` (`100ms` to `1d`; without it, the subscription's): after it the process group gets
  SIGTERM, 5 seconds later SIGKILL.
- `concurrency` (1): how many run at once, whichever subscriptions they are for; the others wait
  their turn.
- `format` (`cloudevents`): what is on its standard input, the event as CloudEvents JSON, or
  `consul`: an array with the event as `consul watch` gives it. Events that Consul's filters mean
  for other nodes are then settled without a run.

It starts in `/` with PATH, HOME, USER, LOGNAME, LANG, LC_ALL and TZ of the hub (as far as it has
them) and `BELFRY_EVENT_ID`, `BELFRY_EVENT_TYPE`, `BELFRY_EVENT_SOURCE`, `BELFRY_OFFSET`,
`BELFRY_SUBSCRIPTION`, `BELFRY_ATTEMPT`, in a replay `BELFRY_REPLAY`, in the format `consul`
`CONSUL_INDEX`; nothing else of the hub's environment. Standard output is thrown away. Exit 0
settles the event; any other end is a failed attempt with the exit code as `status` and the first
KiB of standard error as `response`, retried by the subscription's schedule. A hub that stops
waits for programs as for all attempts, then ends them; one that is killed leaves them running and
runs them again, so they should bear that.

## Settings

| key | default | values | what it is |
|---|---|---|---|
)";

}  // namespace

std::string config_yaml(const LoadedConfig& loaded, ShowOrigin origin) {
    std::string out;
    for (std::size_t i = 0; i < settings().size(); ++i) {
        const Setting& setting = settings()[i];
        std::string line = setting.key + ": " + yaml_value(setting, loaded.config);
        if (origin == ShowOrigin::yes) {
            line = fmt::format("{:<48} # {}", line, screen_text(loaded.origins[i]));
        }
        out += line + "\n";
    }
    return out;
}

std::string config_json(const LoadedConfig& loaded) {
    std::string out = "{";
    for (std::size_t i = 0; i < settings().size(); ++i) {
        const Setting& setting = settings()[i];
        out += i == 0 ? "" : ",";
        append_json_name(out, setting.key);
        out += R"({"value":)";
        const std::string value = shown_value(setting, loaded.config);
        if (setting.type == SettingType::json) {
            out += value;
        } else {
            append_json_string(out, value);
        }
        out += R"(,"origin":)";
        append_json_string(out, loaded.origins[i]);
        out += "}";
    }
    return out + "}\n";
}

std::string problem_lines(const std::vector<ConfigProblem>& problems) {
    std::string out;
    for (const ConfigProblem& problem : problems) {
        out += screen_text(problem.where) + ": " + screen_text(problem.what) + "\n";
    }
    return out;
}

std::string configuration_page() {
    std::string out(kIntroduction);
    Config defaults;
    for (const Setting& setting : settings()) {
        out += fmt::format(
            "| `{}` | `{}` | {} | {} |\n",
            setting.key,
            setting_value(setting, defaults),
            values_column(setting),
            setting.text
        );
    }
    return out;
}

}  // namespace belfry
