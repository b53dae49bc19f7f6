#include "eventkit/server_certificates.h"

#include "base/file_system.h"
#include "base/logging.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace belfry::eventkit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCertificate = "-----BEGIN CERTIFICATE-----";
constexpr std::uint64_t kFileBytes = 4U << 20U;

bool holds_certificate(const fs::path& file) {
    const auto opened = posix_file_system().open(file.native(), OpenMode::read);
    if (!opened) {
        return false;
    }
    const Result<std::uint64_t> size = (*opened)->size();
    if (!size || *size > kFileBytes) {
        return false;
    }
    std::string text(*size, '\0');
    const auto read = (*opened)->read_at(0, std::as_writable_bytes(std::span(text)));
    return read && text.contains(kCertificate);
}

// Kubernetes keeps the files of a mounted secret in directories whose names begin with dots, and
// links to them.
bool is_hidden(const fs::path& path) {
    return path.filename().native().starts_with('.');
}

void add_directory(const fs::path& directory, std::vector<std::string>& files) {
    std::error_code error;
    fs::recursive_directory_iterator entry(directory, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code unreadable;
        if (is_hidden(entry->path())) {
            entry.disable_recursion_pending();
        } else if (entry->is_regular_file(unreadable) && holds_certificate(entry->path())) {
            files.push_back(entry->path().native());
        }
    }
}

// Of a directory those that hold certificates; what is named itself must.
std::vector<std::string> authority_files(const Options& options) {
    std::vector<std::string> files;
    for (const std::string& name : options.tls_client_cas) {
        std::error_code error;
        if (fs::is_directory(name, error)) {
            add_directory(name, files);
        } else {
            files.push_back(name);
        }
    }
    std::ranges::sort(files);
    return files;
}

}  // namespace

ServerCertificates::ServerCertificates(const Options& options, Clock& clock)
    : options_(options), clock_(clock) {}

ServerCertificates::~ServerCertificates() {
    clock_.cancel(timer_);
}

Result<void> ServerCertificates::read() {
    seen_ = stamps();
    std::vector<std::string> authorities = authority_files(options_);
    if (authorities.empty() && !options_.tls_client_cas.empty()) {
        return fail(Errc::bad_request, "no certificate is in " + options_.tls_client_cas.front());
    }
    TlsServerFiles files{
        .certificate = options_.tls_certificate, .key = options_.tls_key, .client_ca = {}
    };
    if (!authorities.empty()) {
        files.client_ca = std::move(authorities.back());
        authorities.pop_back();
        files.more_client_cas = std::move(authorities);
    }
    auto made = TlsContext::server(files);
    if (!made) {
        return std::unexpected(std::move(made.error()));
    }
    context_ = *std::move(made);
    return {};
}

void ServerCertificates::on_change(std::function<void()> changed) {
    changed_ = std::move(changed);
    look();
}

void ServerCertificates::look() {
    if (stamps() != seen_) {
        reload();
    }
    timer_ = clock_.call_after(kInterval, [this] { look(); });
}

void ServerCertificates::reload() {
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
std::vector<ServerCertificates::Stamp> ServerCertificates::stamps() const {
    std::vector<std::string> files = authority_files(options_);
    files.push_back(options_.tls_certificate);
    files.push_back(options_.tls_key);
    std::vector<Stamp> stamps;
    for (std::string& file : files) {
        std::error_code missing;
        const auto time = fs::last_write_time(file, missing);
        const std::uintmax_t size = fs::file_size(file, missing);
        stamps.push_back({.path = std::move(file), .time = time, .size = size});
    }
    return stamps;
}

}  // namespace belfry::eventkit
