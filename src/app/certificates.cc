#include "app/certificates.h"

#include "base/logging.h"

#include <system_error>
#include <utility>

namespace belfry {

namespace {

std::string file_of(const std::string& setting) {
    return setting == "none" ? std::string() : setting;
}

Result<void> check_pair(
    const char* prefix, const std::string& certificate, const std::string& key
) {
    if (certificate.empty() == key.empty()) {
        return {};
    }
    const char* there = key.empty() ? "certificate" : "key";
    const char* missing = key.empty() ? "key" : "certificate";
    return fail(
        Errc::bad_request,
        std::string(prefix) + there + " is set, but " + prefix + missing +
            " is not: one is nothing "
            "without the other"
    );
}

}  // namespace

Certificates::Certificates(const Config& config, Clock& clock)
    : clock_(clock),
      server_files_{
          .certificate = file_of(config.http_tls_certificate),
          .key = file_of(config.http_tls_key),
          .client_ca = file_of(config.http_tls_client_ca)
      },
      client_files_{
          .ca = file_of(config.outbound_tls_ca),
          .certificate = file_of(config.outbound_tls_certificate),
          .key = file_of(config.outbound_tls_key)
      } {}

Certificates::~Certificates() {
    clock_.cancel(timer_);
}

Result<std::unique_ptr<Certificates>> Certificates::load(const Config& config, Clock& clock) {
    std::unique_ptr<Certificates> made(new Certificates(config, clock));
    const TlsServerFiles& server = made->server_files_;
    const TlsClientFiles& client = made->client_files_;
    if (Result<void> whole = check_pair("http.tls.", server.certificate, server.key); !whole) {
        return std::unexpected(std::move(whole.error()));
    }
    if (Result<void> whole = check_pair("outbound.tls.", client.certificate, client.key); !whole) {
        return std::unexpected(std::move(whole.error()));
    }
    if (server.certificate.empty() && !server.client_ca.empty()) {
        return fail(
            Errc::bad_request,
            "http.tls.client_ca is set, but http.tls.certificate is not: without TLS no client "
            "shows "
            "a certificate"
        );
    }
    if (Result<void> good = made->read(); !good) {
        return std::unexpected(std::move(good.error()));
    }
    return made;
}

// Both or neither: what is half new would be hard to explain.
Result<void> Certificates::read() {
    seen_ = times();
    std::shared_ptr<const TlsContext> server;
    if (!server_files_.certificate.empty()) {
        auto made = TlsContext::server(server_files_);
        if (!made) {
            return std::unexpected(std::move(made.error()));
        }
        server = *std::move(made);
    }
    std::shared_ptr<const TlsContext> client;
    if (names_client_files()) {
        auto made = TlsContext::client(client_files_);
        if (!made) {
            return std::unexpected(std::move(made.error()));
        }
        client = *std::move(made);
    }
    server_ = std::move(server);
    client_ = std::move(client);
    return {};
}

bool Certificates::names_client_files() const {
    return !client_files_.ca.empty() || !client_files_.certificate.empty();
}

const std::shared_ptr<const TlsContext>& Certificates::client() {
    if (client_ == nullptr) {
        auto made = TlsContext::client(client_files_);
        if (made) {
            client_ = *std::move(made);
        } else {
            log_error("no https calls are possible", {{"detail", made.error().detail}});
        }
    }
    return client_;
}

void Certificates::on_change(std::function<void()> changed) {
    changed_ = std::move(changed);
    look();
}

void Certificates::look() {
    if (times() != seen_) {
        reload();
    }
    timer_ = clock_.call_after(kInterval, [this] { look(); });
}

void Certificates::reload() {
    if (Result<void> good = read(); !good) {
        log_error(
            "certificates cannot be used; what was good before stays",
            {{"detail", good.error().detail}}
        );
        return;
    }
    log_info("certificates were read again");
    if (changed_) {
        changed_();
    }
}

// A file that is not there has the least time: coming back is a change, too.
std::vector<std::filesystem::file_time_type> Certificates::times() const {
    std::vector<std::filesystem::file_time_type> times;
    for (const std::string* file :
         {&server_files_.certificate,
          &server_files_.key,
          &server_files_.client_ca,
          &client_files_.ca,
          &client_files_.certificate,
          &client_files_.key}) {
        if (!file->empty()) {
            std::error_code missing;
            times.push_back(std::filesystem::last_write_time(*file, missing));
        }
    }
    return times;
}

}  // namespace belfry
