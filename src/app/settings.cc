// The table of settings.
#include "app/config.h"
#include "app/extension_sources.h"
#include "app/node.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"
#include "catalog/service.h"
#include "net/outbound_guard.h"
#include "net/socket_address.h"
#include "sinks/command_definition.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace belfry {

namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

template <typename T>
Result<void> only_error(const Result<T>& parsed) {
    return parsed ? Result<void>() : std::unexpected(parsed.error());
}

Setting text_row(
    std::string key,
    std::string Config::* member,
    Result<void> (*check)(std::string_view),
    std::string_view text
) {
    return {
        .key = std::move(key),
        .type = SettingType::text,
        .member = member,
        .choices = {},
        .check = check,
        .text = text
    };
}

Setting choice_row(
    std::string key,
    std::string Config::* member,
    std::vector<std::string_view> choices,
    std::string_view text
) {
    return {
        .key = std::move(key),
        .type = SettingType::choice,
        .member = member,
        .choices = std::move(choices),
        .text = text
    };
}

template <typename T>
struct Range {
    T least;
    T most;
};

Setting number_row(
    std::string key,
    SettingType type,
    std::uint64_t Config::* member,
    Range<std::uint64_t> range,
    std::string_view text
) {
    return {
        .key = std::move(key),
        .type = type,
        .member = member,
        .least = range.least,
        .most = range.most,
        .choices = {},
        .text = text
    };
}

Setting duration_row(
    std::string key, Duration Config::* member, Range<Duration> range, std::string_view text
) {
    return {
        .key = std::move(key),
        .type = SettingType::duration,
        .member = member,
        .least = nanoseconds(range.least),
        .most = nanoseconds(range.most),
        .choices = {},
        .text = text
    };
}

Setting json_row(
    std::string key,
    std::string Config::* member,
    Result<void> (*check)(std::string_view),
    std::string_view text
) {
    return {
        .key = std::move(key),
        .type = SettingType::json,
        .member = member,
        .choices = {},
        .check = check,
        .text = text
    };
}

std::vector<Setting> hub_rows() {
    return {
        text_row(
            "http.listen",
            &Config::http_listen,
            [](std::string_view value) { return only_error(parse_listen_address(value)); },
            "address and port of the HTTP server; port 0 takes a free one. Off loopback only with "
            "a token or `insecure`"
        ),
        text_row(
            "http.tls.certificate",
            &Config::http_tls_certificate,
            nullptr,
            "PEM file with the server's certificate and its chain, `none` for plain HTTP; read "
            "again when it changes and on SIGHUP"
        ),
        text_row(
            "http.tls.key", &Config::http_tls_key, nullptr, "PEM file with that certificate's key"
        ),
        text_row(
            "http.tls.client_ca",
            &Config::http_tls_client_ca,
            nullptr,
            "PEM file with who may sign clients' certificates; with it, a client without one is "
            "not served"
        ),
        text_row(
            "data",
            &Config::data,
            nullptr,
            "directory of the log and the state; made, readable by its owner only"
        ),
        {.key = "insecure",
         .type = SettingType::boolean,
         .member = &Config::insecure,
         .choices = {},
         .text = "serve without tokens on an address that other machines reach"},
        choice_row(
            "acl.default_policy",
            &Config::acl_default_policy,
            {"deny", "allow"},
            "what a token may do where none of its rules says; never tokens and operator "
            "(docs/access.md)"
        ),
    };
}

std::vector<Setting> node_rows() {
    return {
        text_row(
            "node.name",
            &Config::node_name,
            check_node_name,
            "what this node is called, which the node filter of an event is held against; `auto` "
            "is the machine's name"
        ),
        text_row(
            "node.address", &Config::node_address, check_node_address, "where this node says it is"
        ),
        json_row(
            "node.services",
            &Config::node_services,
            [](std::string_view value) { return only_error(parse_services(value, Limits())); },
            "services of this node beside the registered ones, in the shape of a registration: "
            "`[{name: web, tags: [v1], port: 80}]`"
        ),
        text_row(
            "consul.datacenter",
            &Config::consul_datacenter,
            check_datacenter,
            "the datacenter that clients of Consul see; asked for another, Belfry has no path to it"
        ),
    };
}

std::vector<Setting> outbound_rows() {
    return {
        text_row(
            "outbound.allow",
            &Config::outbound_allow,
            [](std::string_view value) { return only_error(parse_address_ranges(value)); },
            "addresses and ranges that deliveries may reach beside the public internet, with "
            "commas between: `10.0.0.0/8, fd00::/8`. Loopback is allowed while `http.listen` is "
            "loopback; cloud metadata addresses only when named one by one (docs/security.md)"
        ),
        text_row(
            "outbound.allow_ports",
            &Config::outbound_allow_ports,
            [](std::string_view value) { return only_error(parse_ports(value)); },
            "ports that deliveries may reach beside 80, 443 and from 1024 on those of no "
            "well-known service, with commas between"
        ),
        text_row(
            "outbound.allow_unix",
            &Config::outbound_allow_unix,
            [](std::string_view value) { return only_error(parse_directories(value)); },
            "directories whose Unix sockets registered extensions may be called by, with commas "
            "between, or `none`; all while `http.listen` is loopback"
        ),
        text_row(
            "outbound.tls.ca",
            &Config::outbound_tls_ca,
            nullptr,
            "PEM file with authorities that are trusted beside the system's when delivering"
        ),
        text_row(
            "outbound.tls.certificate",
            &Config::outbound_tls_certificate,
            nullptr,
            "PEM file with the certificate shown to listeners that ask for one"
        ),
        text_row(
            "outbound.tls.key",
            &Config::outbound_tls_key,
            nullptr,
            "PEM file with that certificate's key"
        ),
        text_row(
            "secrets.key_file",
            &Config::secrets_key_file,
            nullptr,
            "the keys that seal documents with secrets, readable by the hub's user only; `auto` is "
            "`secrets.key` in the data directory, made at the first start. A file named here must "
            "exist"
        ),
    };
}

std::vector<Setting> logging_rows() {
    return {
        choice_row(
            "logging.level",
            &Config::logging_level,
            {"debug", "info", "warn", "error", "off"},
            "the least level that is printed"
        ),
        choice_row(
            "logging.format",
            &Config::logging_format,
            {"auto", "text", "json"},
            "of log lines; `auto` is text on a terminal and JSON elsewhere"
        ),
    };
}

std::vector<Setting> log_rows() {
    using namespace std::chrono_literals;
    constexpr auto kDay = std::chrono::days(1);
    using enum SettingType;
    return {
        number_row(
            "log.segment_bytes",
            bytes,
            &Config::log_segment_bytes,
            {kMiB, 4 * kGiB},
            "size of one segment file"
        ),
        number_row(
            "log.pending_bytes",
            bytes,
            &Config::log_pending_bytes,
            {kMiB, kGiB},
            "events that wait for the commit under way; past it 503 and `Retry-After`"
        ),
        number_row(
            "log.tail_bytes",
            bytes,
            &Config::log_tail_bytes,
            {0, 4 * kGiB},
            "newest records kept in memory for readers"
        ),
        number_row(
            "log.reserve_bytes",
            bytes,
            &Config::log_reserve_bytes,
            {0, 64 * kGiB},
            "a file that is given up when the disk is full, so that Belfry can go on"
        ),
        duration_row(
            "log.dedup_window",
            &Config::log_dedup_window,
            {1s, kDay},
            "how long the id of a publisher is remembered; the same event again gets the first "
            "receipt"
        ),
        number_row(
            "log.dedup_ids",
            count,
            &Config::log_dedup_ids,
            {0, 100'000'000},
            "ids remembered at most, the newest"
        ),
        duration_row(
            "log.slow_commit",
            &Config::log_slow_commit,
            {1us, 10s},
            "commits move to the log thread when their moving average passes this, and come back "
            "when the disk is fast again"
        ),
        duration_row(
            "log.watermark_idle",
            &Config::log_watermark_idle,
            {1ms, 1h},
            "quiet time after which the log notes that everything before is durable"
        ),
    };
}

std::vector<Setting> retention_rows() {
    constexpr auto kForever = std::chrono::days(36'500);
    return {
        duration_row(
            "log.retention.age",
            &Config::log_retention_age,
            {std::chrono::seconds(1), kForever},
            "events older than this are dropped, a segment at a time, but not before every active "
            "subscription is done with them"
        ),
        number_row(
            "log.retention.bytes",
            SettingType::bytes,
            &Config::log_retention_bytes,
            {kMiB, UINT64_MAX},
            "size of the log past which the oldest segments are dropped, under the same condition"
        ),
        number_row(
            "log.retention.hard_bytes",
            SettingType::bytes,
            &Config::log_retention_hard_bytes,
            {0, UINT64_MAX},
            "size past which they are dropped without that condition; a dead-letter range tells "
            "each subscription it passed. 0 is 0.8 of the disk"
        ),
        duration_row(
            "log.retention.every",
            &Config::log_retention_every,
            {std::chrono::milliseconds(10), std::chrono::hours(1)},
            "how often age and size of the log are looked at"
        ),
    };
}

std::vector<Setting> sink_rows() {
    return {
        json_row(
            "commands",
            &Config::commands,
            [](std::string_view value) { return only_error(parse_command_definitions(value)); },
            "programs that subscriptions may have run, by name; below"
        ),
    };
}

std::vector<Setting> circuit_rows() {
    return {
        duration_row(
            "circuit.probe_interval",
            &Config::circuit_probe_interval,
            {std::chrono::milliseconds(10), std::chrono::days(1)},
            "least time between two attempts of a tenant to reach an endpoint that failed 5 times "
            "in a row"
        ),
    };
}

std::vector<Setting> consul_rows() {
    return {
        number_row(
            "consul.list.events",
            SettingType::count,
            &Config::consul_list_events,
            {1, 100'000},
            "events in a list of the Consul door: the newest of a name, or of all"
        ),
        number_row(
            "consul.list.max_bytes",
            SettingType::bytes,
            &Config::consul_list_max_bytes,
            {kMiB, kGiB},
            "size of such a list; past it the oldest events are left out"
        ),
        {.key = "consul.strict_status",
         .type = SettingType::boolean,
         .member = &Config::consul_strict_status,
         .choices = {},
         .text = "400 and 413 for requests that are wrong, where Consul answers 500"},
    };
}

std::vector<Setting> steadybit_rows() {
    return {
        {.key = "steadybit.strict_status",
         .type = SettingType::boolean,
         .member = &Config::steadybit_strict_status,
         .choices = {},
         .text = "400 for events that are malformed, where Steadybit's extensions answer 500"},
        [] {
            Setting row = json_row(
                "steadybit.extensions",
                &Config::steadybit_extensions,
                [](std::string_view value) {
                    return only_error(parse_extensions(value, ExtensionDefaults{}, Limits()));
                },
                "extensions of Steadybit whose listeners get events, in the shape of a "
                "registration: `[{name: chat, url: http://10.0.0.5:8080}]` (docs/steadybit.md)"
            );
            row.shown = without_passwords;
            return row;
        }(),
        text_row(
            "steadybit.extensions_directory",
            &Config::steadybit_extensions_directory,
            nullptr,
            "directory whose files `extension-*.yaml` register such extensions, too, or `none`; "
            "read at start and on SIGHUP"
        ),
        choice_row(
            "steadybit.agent_mode",
            &Config::steadybit_agent_mode,
            {"default", "aws"},
            "`aws`: listeners with `restrictTo: aws` are called"
        ),
        duration_row(
            "steadybit.index_refresh",
            &Config::steadybit_index_refresh,
            {std::chrono::milliseconds(100), std::chrono::days(1)},
            "how often extensions are asked for their indexes"
        ),
        duration_row(
            "steadybit.poll.interval",
            &Config::steadybit_poll_interval,
            {std::chrono::milliseconds(1), std::chrono::days(1)},
            "of the profile `poll` where a registration does not say"
        ),
        number_row(
            "steadybit.poll.limit",
            SettingType::count,
            &Config::steadybit_poll_limit,
            {1, 1'000'000},
            "events in one such interval"
        ),
    };
}

SettingType limit_type(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::bytes:
            return SettingType::bytes;
        case LimitUnit::count:
            return SettingType::count;
        case LimitUnit::milliseconds:
            return SettingType::milliseconds;
    }
    return SettingType::count;
}

std::vector<Setting> all_rows() {
    std::vector<Setting> rows = hub_rows();
    std::ranges::move(node_rows(), std::back_inserter(rows));
    std::ranges::move(outbound_rows(), std::back_inserter(rows));
    std::ranges::move(logging_rows(), std::back_inserter(rows));
    std::ranges::move(log_rows(), std::back_inserter(rows));
    std::ranges::move(retention_rows(), std::back_inserter(rows));
    std::ranges::move(circuit_rows(), std::back_inserter(rows));
    std::ranges::move(sink_rows(), std::back_inserter(rows));
    std::ranges::move(consul_rows(), std::back_inserter(rows));
    std::ranges::move(steadybit_rows(), std::back_inserter(rows));
    for (const LimitInfo& limit : limit_table()) {
        // Nothing works with a limit of zero, and products of limits must not overflow.
        rows.push_back(
            {.key = "limits." + std::string(limit.name),
             .type = limit_type(limit.unit),
             .member = limit.member,
             .least = 1,
             .most = 1ULL << 40U,
             .choices = {},
             .text = limit.text}
        );
    }
    return rows;
}

}  // namespace

std::span<const Setting> settings() {
    static const std::vector<Setting> kRows = all_rows();
    return kRows;
}

const Setting* find_setting(std::string_view key) {
    std::span<const Setting> rows = settings();
    auto found = std::ranges::find(rows, key, &Setting::key);
    return found == rows.end() ? nullptr : &*found;
}

std::string environment_name(std::string_view key) {
    std::string name = "BELFRY_";
    for (char c : key) {
        if (c == '.') {
            name += "__";
        } else {
            name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return name;
}

}  // namespace belfry
