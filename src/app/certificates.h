// Certificates: the TLS contexts that the configuration names, read at start and again when their
// files change. Files that cannot be used then are complained of in the log and what was good
// stays. Owned by the wiring; I/O thread only.
#pragma once

#include "app/config.h"
#include "net/tls_context.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace belfry {

class Certificates {
 public:
    // How often the files are looked at.
    static constexpr std::chrono::seconds kInterval{10};

    // bad_request: a certificate without a key or the other way round, a file that is not what it
    // should be.
    [[nodiscard]] static Result<std::unique_ptr<Certificates>> load(
        const Config& config, Clock& clock
    );
    ~Certificates();
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;

    // None: the server speaks plain HTTP.
    [[nodiscard]] const std::shared_ptr<const TlsContext>& server() const { return server_; }
    // Made when it is first asked for unless the configuration names files for it: reading the
    // system's authorities takes tens of milliseconds and some MiB, which a hub that calls nobody
    // by https should not pay. None if they cannot be read, which is logged.
    [[nodiscard]] const std::shared_ptr<const TlsContext>& client();
    // Told after a reload that brought something new; watching begins with this call.
    void on_change(std::function<void()> changed);
    // Reads all files again, whether they changed or not.
    void reload();

 private:
    Certificates(const Config& config, Clock& clock);
    [[nodiscard]] Result<void> read();
    [[nodiscard]] bool names_client_files() const;
    void look();
    [[nodiscard]] std::vector<std::filesystem::file_time_type> times() const;

    Clock& clock_;
    const TlsServerFiles server_files_;
    const TlsClientFiles client_files_;
    std::shared_ptr<const TlsContext> server_;
    std::shared_ptr<const TlsContext> client_;
    std::vector<std::filesystem::file_time_type> seen_;
    std::function<void()> changed_;
    TimerId timer_;
};

}  // namespace belfry
