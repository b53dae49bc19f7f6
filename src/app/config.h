// The configuration of a hub: one table of settings, from which come parsing, defaults, `config
// show`, docs/configuration.md and the hints for mistyped names. A new setting is a member of
// Config and a row. Every value has one of four sources, the first that has it counts: flag,
// environment, file, default. Everything is checked before anything is opened. May be called from
// any thread; after start a Config is constant.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace belfry {

// The initialisers are the defaults.
struct Config {
    std::string http_listen = "127.0.0.1:8420";
    std::string http_tls_certificate = "none";
    std::string http_tls_key = "none";
    std::string http_tls_client_ca = "none";
    std::string data = "./belfry-data";
    bool insecure = false;
    std::string acl_default_policy = "deny";

    std::string node_name = "auto";
    std::string node_address = "127.0.0.1";
    std::string node_services = "[]";
    std::string consul_datacenter = "dc1";

    std::string outbound_allow = "none";
    std::string outbound_allow_ports = "none";
    std::string outbound_allow_unix = "/run/steadybit";
    std::string outbound_tls_ca = "none";
    std::string outbound_tls_certificate = "none";
    std::string outbound_tls_key = "none";

    std::string secrets_key_file = "auto";

    std::string logging_level = "info";
    std::string logging_format = "auto";

    std::uint64_t log_segment_bytes = 64ULL << 20U;
    std::uint64_t log_pending_bytes = 16ULL << 20U;
    std::uint64_t log_tail_bytes = 16ULL << 20U;
    std::uint64_t log_reserve_bytes = 64ULL << 20U;
    Duration log_dedup_window = std::chrono::minutes(10);
    std::uint64_t log_dedup_ids = 1'000'000;
    Duration log_slow_commit = std::chrono::milliseconds(1);
    Duration log_watermark_idle = std::chrono::milliseconds(50);
    Duration log_retention_age = std::chrono::days(7);
    std::uint64_t log_retention_bytes = 10ULL << 30U;
    std::uint64_t log_retention_hard_bytes = 0;
    Duration log_retention_every = std::chrono::seconds(2);
    Duration circuit_probe_interval = std::chrono::minutes(5);

    std::string commands = "{}";

    std::uint64_t consul_list_events = 256;
    std::uint64_t consul_list_max_bytes = 8ULL << 20U;
    bool consul_strict_status = false;

    bool steadybit_strict_status = false;
    std::string steadybit_extensions = "[]";
    std::string steadybit_extensions_directory = "/etc/steadybit/extensions.d";
    std::string steadybit_agent_mode = "default";
    Duration steadybit_index_refresh = std::chrono::minutes(5);
    Duration steadybit_poll_interval = std::chrono::seconds(5);
    std::uint64_t steadybit_poll_limit = 50;

    Limits limits;
};

enum class SettingType : std::uint8_t {
    text,
    boolean,
    choice,
    count,
    bytes,
    milliseconds,
    duration,
    json
};

// The number that a setting of a duration has.
[[nodiscard]] constexpr std::uint64_t nanoseconds(Duration duration) {
    return static_cast<std::uint64_t>(duration.count());
}

// One row. `least` and `most` bound a number (durations in nanoseconds), inclusive. A json setting
// is a document: in a file what stands below its key, with the types of YAML's core schema,
// elsewhere JSON text; in a Config JSON on one line.
struct Setting {
    using Member = std::variant<
        std::string Config::*,
        bool Config::*,
        std::uint64_t Config::*,
        Duration Config::*,
        std::uint64_t Limits::*>;
    std::string key;
    SettingType type = SettingType::text;
    Member member;
    std::uint64_t least = 0;
    std::uint64_t most = UINT64_MAX;
    std::vector<std::string_view> choices;
    // Of a text, beside being one; of a JSON document, whose errors have `field`, a path from the
    // document's root.
    Result<void> (*check)(std::string_view value) = nullptr;
    std::string_view text;  // what it does, for the documentation
    // What is printed in the value's place where it may hold secrets.
    std::string (*shown)(std::string_view value) = nullptr;
};
// Sorted as the documentation shows them.
[[nodiscard]] std::span<const Setting> settings();
// The row of a key, nullptr if there is none.
[[nodiscard]] const Setting* find_setting(std::string_view key);
// "BELFRY_HTTP__LISTEN" for http.listen.
[[nodiscard]] std::string environment_name(std::string_view key);
// The value as text that reads back equal; where it may hold secrets, print shown_value().
[[nodiscard]] std::string setting_value(const Setting& setting, const Config& config);
[[nodiscard]] std::string shown_value(const Setting& setting, const Config& config);
// bad_request with a sentence that shows what would be right.
[[nodiscard]] Result<void> set_setting(
    const Setting& setting, std::string_view value, Config& config
);

struct FlagSetting {
    std::string flag;  // as the user wrote it: "--listen", "--set"
    std::string key;
    std::string value;
};
struct ConfigSources {
    std::string file;                                              // path; empty: none
    std::vector<std::pair<std::string, std::string>> environment;  // all of it
    std::vector<FlagSetting> flags;
};
// The environment of this process.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> process_environment();

struct LoadedConfig {
    Config config;
    std::vector<std::string>
        origins;  // per row of settings(): "default", "--listen", "belfry.yaml:3:5" …
};
struct ConfigProblem {
    std::string where;  // an origin
    std::string what;
};
// All problems that were found, not only the first; of a file the first 50.
[[nodiscard]] std::expected<LoadedConfig, std::vector<ConfigProblem>> load_config(
    const ConfigSources& sources
);

}  // namespace belfry
