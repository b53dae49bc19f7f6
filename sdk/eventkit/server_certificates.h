// The certificates that the options name, as a TLS context, read again when their files change: a
// look a second. Files that cannot be used then are complained of once in the log, and what was
// good stays. Owned by Serving; I/O thread only.
#pragma once

#include "base/clock.h"
#include "net/tls_context.h"

#include <belfry/eventkit/options.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
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
    // What a look at a file shows without reading it.
    struct Stamp {
        std::string path;
        unsigned long node = 0;  // 0: it is not there
        std::int64_t size = 0;
        std::chrono::nanoseconds modified{};
        std::chrono::nanoseconds changed{};
        bool operator==(const Stamp&) const = default;
    };
    struct Found {
        Stamp stamp;
        bool holds_certificate = false;
    };
    // A certificate, its key, and what callers' certificates are checked with.
    struct Files {
        Stamp certificate;
        Stamp key;
        std::vector<Stamp> authorities;
        bool operator==(const Files&) const = default;
    };
    void look();
    [[nodiscard]] static Stamp stamp_of(std::string path);
    [[nodiscard]] Files find();
    void search(const std::filesystem::path& directory, std::map<std::string, Found>& found) const;

    const Options& options_;
    Clock& clock_;
    std::shared_ptr<const TlsContext> context_;
    Files seen_;
    std::map<std::string, Found> searched_;  // all that lay in directories at the last look
    std::function<void()> changed_;
    TimerId timer_;
};

}  // namespace belfry::eventkit
