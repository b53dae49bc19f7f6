// What an extension can be told: where it listens, with which certificates, how many events it
// takes at a time. from_environment() reads the variables that extension-kit reads, and more of the
// same kind (the table in the README). Values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace belfry::eventkit {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

struct Options {
    // Where: a Unix socket if one is named, else host and port; 0 takes a free port.
    std::string host = "::";  // an address; `::` is every one, of IPv4, too
    std::uint16_t port = 8080;
    std::string unix_socket;
    std::uint16_t health_port = 0;  // 0: no port of their own for the health paths

    // PEM files, read again when they change. A certificate makes it https.
    std::string tls_certificate;
    std::string tls_key;
    std::vector<std::string> tls_client_cas;  // files or directories; any: clients must show one

    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;

    std::size_t body_bytes = 4U << 20U;  // of one event; 413 past it
    int schema_status = 500;             // what a body that is no event is answered: 500 or 400

    // Handlers run on `workers` threads. At most `queue_events` wait for one; past that 503.
    std::size_t workers = 4;
    std::size_t queue_events = 1024;
    // Answer 200 as soon as an event waits; handlers of one execution keep their order.
    bool asynchronous = false;
    std::chrono::milliseconds drain_time{5'000};  // handlers may take so long after SIGTERM

    // An event that a listener handled is not handed to it again while it is remembered.
    std::size_t dedup_events = 10'000;  // 0: always again
    std::chrono::milliseconds dedup_window{std::chrono::minutes(10)};

    std::size_t step_cache_steps = 1'000;  // that target events may ask for; 0: none
    std::string step_cache_file;           // empty: they are forgotten at the end

    // `defaults` with what the environment says; an error is a sentence that names the variable.
    [[nodiscard]] static std::expected<Options, std::string> from_environment(
        const Options& defaults
    );
    [[nodiscard]] static std::expected<Options, std::string> from_environment() {
        return from_environment(Options());
    }
};

}  // namespace belfry::eventkit
