#include "eventkit/server_certificates.h"

#include "base/file_system.h"
#include "base/logging.h"

#include <ctime>
#include <span>
#include <string_view>
#include <sys/stat.h>
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

std::chrono::nanoseconds since_epoch(const timespec& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

ServerCertificates::ServerCertificates(const Options& options, Clock& clock)
    : options_(options), clock_(clock) {}

ServerCertificates::~ServerCertificates() {
    clock_.cancel(timer_);
}

Result<void> ServerCertificates::read() {
    seen_ = find();
    if (seen_.authorities.empty() && !options_.tls_client_cas.empty()) {
        return fail(Errc::bad_request, "no certificate is in " + options_.tls_client_cas.front());
    }
    TlsServerFiles files{
        .certificate = options_.tls_certificate, .key = options_.tls_key, .client_ca = {}
    };
    for (const Stamp& authority : seen_.authorities) {
        if (files.client_ca.empty()) {
            files.client_ca = authority.path;
        } else {
            files.more_client_cas.push_back(authority.path);
        }
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
    if (find() != seen_) {
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

ServerCertificates::Stamp ServerCertificates::stamp_of(std::string path) {
    struct stat there{};
    if (::stat(path.c_str(), &there) != 0) {
        return {.path = std::move(path)};
    }
    return {
        .path = std::move(path),
        .node = there.st_ino,
        .size = there.st_size,
        .modified = since_epoch(there.st_mtim),
        .changed = since_epoch(there.st_ctim)
    };
}

// Of a directory those that hold certificates; what is named itself must.
ServerCertificates::Files ServerCertificates::find() {
    Files files{
        .certificate = stamp_of(options_.tls_certificate),
        .key = stamp_of(options_.tls_key),
        .authorities = {}
    };
    std::map<std::string, Found> found;
    for (const std::string& name : options_.tls_client_cas) {
        std::error_code error;
        if (fs::is_directory(name, error)) {
            search(name, found);
        } else {
            files.authorities.push_back(stamp_of(name));
        }
    }
    for (const auto& [path, file] : found) {
        if (file.holds_certificate) {
            files.authorities.push_back(file.stamp);
        }
    }
    searched_ = std::move(found);
    return files;
}

// A file is read when it is new or has changed, not at each look.
void ServerCertificates::search(const fs::path& directory, std::map<std::string, Found>& found)
    const {
    std::error_code error;
    fs::recursive_directory_iterator entry(directory, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code unreadable;
        if (is_hidden(entry->path())) {
            entry.disable_recursion_pending();
        } else if (entry->is_regular_file(unreadable)) {
            Stamp stamp = stamp_of(entry->path().native());
            const auto known = searched_.find(stamp.path);
            const bool holds = known != searched_.end() && known->second.stamp == stamp
                                   ? known->second.holds_certificate
                                   : holds_certificate(entry->path());
            std::string path = stamp.path;
            found.insert_or_assign(std::move(path), Found{std::move(stamp), holds});
        }
    }
}

}  // namespace belfry::eventkit
