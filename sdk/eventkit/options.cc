#include "base/duration.h"
#include "eventkit/options_check.h"
#include "net/socket_address.h"

#include <belfry/eventkit/options.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <span>
#include <string_view>

namespace belfry::eventkit {
namespace {

// Reads a value into its option; what was expected if it cannot.
using Reader = const char* (*)(const std::string& text, Options& options);

struct Variable {
    const char* name;
    Reader read;
};

template <auto Member>
const char* read_text(const std::string& text, Options& options) {
    options.*Member = text;
    return nullptr;
}

template <auto Member, std::uint64_t Min, std::uint64_t Max>
const char* read_number(const std::string& text, Options& options) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || number < Min || number > Max) {
        static const std::string kWanted = fmt::format("a whole number from {} to {}", Min, Max);
        return kWanted.c_str();
    }
    using Number = std::remove_cvref_t<decltype(options.*Member)>;
    options.*Member = static_cast<Number>(number);
    return nullptr;
}

template <auto Member>
const char* read_duration(const std::string& text, Options& options) {
    const Result<Duration> duration = parse_duration(text);
    if (!duration) {
        return "a duration such as 10m or 500ms";
    }
    options.*Member = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
    return nullptr;
}

template <auto Member>
const char* read_flag(const std::string& text, Options& options) {
    if (text != "true" && text != "false") {
        return "true or false";
    }
    options.*Member = text == "true";
    return nullptr;
}

const char* read_client_cas(const std::string& text, Options& options) {
    options.tls_client_cas.clear();
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end > begin) {
            options.tls_client_cas.push_back(text.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return options.tls_client_cas.empty() ? "files or directories with commas between" : nullptr;
}

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    return text;
}

// extension-kit's lowest level, trace, is debug here.
const char* read_log_level(const std::string& text, Options& options) {
    const std::string name = lower_case(text);
    if (name == "debug" || name == "trace") {
        options.log_level = LogLevel::debug;
    } else if (name == "info") {
        options.log_level = LogLevel::info;
    } else if (name == "warn") {
        options.log_level = LogLevel::warn;
    } else if (name == "error") {
        options.log_level = LogLevel::error;
    } else {
        return "debug, info, warn or error";
    }
    return nullptr;
}

const char* read_log_format(const std::string& text, Options& options) {
    const std::string name = lower_case(text);
    if (name != "text" && name != "json") {
        return "text or json";
    }
    options.log_format = name == "json" ? LogFormat::json : LogFormat::text;
    return nullptr;
}

constexpr std::uint64_t kCountMax = 10'000'000;

constexpr std::array kVariables = std::to_array<Variable>({
    {"STEADYBIT_EXTENSION_HOST", read_text<&Options::host>},
    {"STEADYBIT_EXTENSION_PORT", read_number<&Options::port, 0, 65535>},
    {"STEADYBIT_EXTENSION_HEALTH_PORT", read_number<&Options::health_port, 0, 65535>},
    {"STEADYBIT_EXTENSION_UNIX_SOCKET", read_text<&Options::unix_socket>},
    {"STEADYBIT_EXTENSION_TLS_SERVER_CERT", read_text<&Options::tls_certificate>},
    {"STEADYBIT_EXTENSION_TLS_SERVER_KEY", read_text<&Options::tls_key>},
    {"STEADYBIT_EXTENSION_TLS_CLIENT_CAS", read_client_cas},
    {"STEADYBIT_LOG_LEVEL", read_log_level},
    {"STEADYBIT_LOG_FORMAT", read_log_format},
    {"STEADYBIT_EXTENSION_BODY_BYTES", read_number<&Options::body_bytes, 1, 1U << 30U>},
    {"STEADYBIT_EXTENSION_SCHEMA_STATUS", read_number<&Options::schema_status, 400, 500>},
    {"STEADYBIT_EXTENSION_WORKERS", read_number<&Options::workers, 1, 256>},
    {"STEADYBIT_EXTENSION_QUEUE_EVENTS", read_number<&Options::queue_events, 1, kCountMax>},
    {"STEADYBIT_EXTENSION_ASYNCHRONOUS", read_flag<&Options::asynchronous>},
    {"STEADYBIT_EXTENSION_DRAIN_TIME", read_duration<&Options::drain_time>},
    {"STEADYBIT_EXTENSION_DEDUP_EVENTS", read_number<&Options::dedup_events, 0, kCountMax>},
    {"STEADYBIT_EXTENSION_DEDUP_WINDOW", read_duration<&Options::dedup_window>},
    {"STEADYBIT_EXTENSION_STEP_CACHE_STEPS", read_number<&Options::step_cache_steps, 0, kCountMax>},
    {"STEADYBIT_EXTENSION_STEP_CACHE_FILE", read_text<&Options::step_cache_file>},
});

}  // namespace

// An empty variable says nothing: that is how charts leave them out.
std::expected<Options, std::string> Options::from_environment(const Options& defaults) {
    Options options = defaults;
    for (const Variable& variable : kVariables) {
        const char* value = std::getenv(variable.name);
        if (value == nullptr || *value == '\0') {
            continue;
        }
        if (const char* wanted = variable.read(value, options)) {
            return std::unexpected(
                fmt::format("{} is \"{}\"; {} is expected", variable.name, value, wanted)
            );
        }
    }
    if (std::string problem = problem_of(options); !problem.empty()) {
        return std::unexpected(std::move(problem));
    }
    return options;
}

std::string problem_of(const Options& options) {
    if (options.tls_certificate.empty() != options.tls_key.empty()) {
        const bool has_key = options.tls_certificate.empty();
        return fmt::format(
            "STEADYBIT_EXTENSION_TLS_SERVER_{} is set, but STEADYBIT_EXTENSION_TLS_SERVER_{} is "
            "not: one is nothing without the other",
            has_key ? "KEY" : "CERT",
            has_key ? "CERT" : "KEY"
        );
    }
    if (options.tls_certificate.empty() && !options.tls_client_cas.empty()) {
        return "STEADYBIT_EXTENSION_TLS_CLIENT_CAS is set, but STEADYBIT_EXTENSION_TLS_SERVER_CERT "
               "is not: without TLS no client shows a certificate";
    }
    if (options.unix_socket.empty() && !parse_literal(options.host, 1)) {
        return fmt::format(
            "STEADYBIT_EXTENSION_HOST is \"{}\"; an address such as 127.0.0.1 or :: is expected",
            options.host
        );
    }
    if (options.schema_status != 400 && options.schema_status != 500) {
        return fmt::format(
            "STEADYBIT_EXTENSION_SCHEMA_STATUS is {}; 400 or 500 is expected", options.schema_status
        );
    }
    if (options.workers == 0 || options.queue_events == 0 || options.body_bytes == 0) {
        return "at least one worker, one waiting event and one byte of a body must be allowed";
    }
    return {};
}

}  // namespace belfry::eventkit
