// The certificates that the options name, as a TLS context, read again when their files change: a
// look a second. Files that cannot be used then are complained of once in the log, and what was
// good stays. Owned by Serving; I/O thread only.
#pragma once

#include "base/clock.h"
#include "net/tls_context.h"

#include <belfry/eventkit/options.h>

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belfry::eventkit {

class ServerCertificates {
 public:
    static constexpr std::chrono::seconds kInterval{1};

    // The options must name a certificate.
    ServerCertificates(const Options& options, Clock& clock);
    ~ServerCertificates();
    ServerCertificates(const ServerCertificates&) = delete;
    ServerCertificates& operator=(const ServerCertificates&) = delete;

    [[nodiscard]] Result<void> read();
    // Told after a reload that brought something new; watching begins with this call.
    void on_change(std::function<void()> changed);
    // Whether the files changed or not.
    void reload();
    [[nodiscard]] const std::shared_ptr<const TlsContext>& context() const { return context_; }

 private:
    // What a look at a file shows.
    struct Stamp {
        std::string path;
        std::filesystem::file_time_type time;
        std::uintmax_t size = 0;
        bool operator==(const Stamp&) const = default;
    };
    void look();
    [[nodiscard]] std::vector<Stamp> stamps() const;

    const Options& options_;
    Clock& clock_;
    std::shared_ptr<const TlsContext> context_;
    std::vector<Stamp> seen_;
    std::function<void()> changed_;
    TimerId timer_;
};

}  // namespace belfry::eventkit
