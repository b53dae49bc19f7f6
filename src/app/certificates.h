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
    [[nodiscard]] const std::shared_ptr<const TlsContext>& client() const { return client_; }
    // Told after a reload that brought something new; watching begins with this call.
    void on_change(std::function<void()> changed);
    // Reads all files again, whether they changed or not.
    void reload();

 private:
    Certificates(const Config& config, Clock& clock);
    [[nodiscard]] Result<void> read();
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
