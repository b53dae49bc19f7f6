// TlsContext: one side's certificates and rules for TLS, made from PEM files: 1.2 or newer, forward
// secrecy and authenticated encryption only, no renegotiation, no compression, no early data.
// Constant, so that connections under way keep theirs while a reload makes another for the next.
// Any thread.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;

namespace belfry {

struct TlsServerFiles {
    std::string certificate;  // the chain, leaf first
    std::string key;
    std::string client_ca;  // who signs clients' certificates; empty: none is asked for
    std::vector<std::string> more_client_cas = {};  // further files of them
};

struct TlsClientFiles {
    std::string ca;           // beside the system's; empty: only those
    std::string certificate;  // shown to servers that ask; empty: none
    std::string key;
};

class TlsContext {
 public:
    // Errors name the file and say what is wrong with it: unreadable, no certificate in it, a key
    // of another certificate, a certificate that has expired.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> server(
        const TlsServerFiles& files
    );
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> client(
        const TlsClientFiles& files
    );
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    [[nodiscard]] ssl_ctx_st* get() const { return context_; }
    // When the own certificate ends; WallTime::max() without one.
    [[nodiscard]] WallTime expires() const { return expires_; }

 private:
    explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
    [[nodiscard]] Result<void> load_own(const std::string& certificate, const std::string& key);

    ssl_ctx_st* const context_;
    WallTime expires_ = WallTime::max();
};

}  // namespace belfry
