// A whole hub: every room, made in the order in which they need one another and torn down in
// reverse. This is the one place that knows all of them. Owned by the serve command (or a test).
// open(), start() and run() belong to one thread, which becomes the I/O thread; stop() and
// address() are for it, too.
#pragma once

#include "app/certificates.h"
#include "app/config.h"
#include "auth/access_administration.h"
#include "auth/expired_tokens.h"
#include "auth/oauth2_tokens.h"
#include "auth/token_access.h"
#include "base/file_system.h"
#include "base/secret_box.h"
#include "base/worker_thread.h"
#include "catalog/catalog.h"
#include "catalog/extensions.h"
#include "catalog/kept_index.h"
#include "catalog/node_identity.h"
#include "catalog/sealed_kv.h"
#include "catalog/services.h"
#include "doors/router.h"
#include "doors/steadybit/extension_registry.h"
#include "engine/embedded/embedded_log.h"
#include "engine/embedded/sqlite_stores.h"
#include "engine/lease.h"
#include "hub/hub.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "sinks/commands.h"
#include "sinks/steadybit.h"

#include <memory>
#include <optional>
#include <string>

namespace belfry {

enum class DataLoss : bool { refuse, accept };

class Wiring {
 public:
    // Takes the data directory and recovers the log; nothing listens yet. conflict: another Belfry
    // has it.
    [[nodiscard]] static Result<std::unique_ptr<Wiring>> open(
        const Config& config, DataLoss data_loss
    );
    ~Wiring();
    Wiring(const Wiring&) = delete;
    Wiring& operator=(const Wiring&) = delete;

    // Begins to deliver and, once every subscription is served, to listen: who can connect finds a
    // whole hub. Runs the loop meanwhile.
    // denied: other machines reach the address, and there is neither a token nor `insecure`.
    [[nodiscard]] Result<void> start();
    // Nobody is served without a token.
    [[nodiscard]] bool closed() const { return access_documents_->closed(); }
    // Where it listens, with the real port; as a URL, too.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] std::string url() const;
    // Until stop() has done its work.
    void run();
    // The first call drains: no new connections, answers what was asked, ends attempts, saves,
    // closes the log. The second one leaves at once; what was acknowledged is safe anyway.
    void stop();
    // Reads the certificates again, and the files that register extensions.
    void reload();
    [[nodiscard]] Loop& loop() { return loop_; }
    [[nodiscard]] LogStatus log_status() const { return log_->status(); }
    // What the hub was made with.
    [[nodiscard]] HubOptions hub_options() const;

 private:
    explicit Wiring(const Config& config);
    [[nodiscard]] Result<void> open_commands();
    [[nodiscard]] Result<void> open_engine(DataLoss data_loss);
    void connect_rooms(std::vector<Service> configured_services);
    void use_certificates();
    [[nodiscard]] Result<void> seal_documents();
    void connect_access();
    [[nodiscard]] bool is_loopback_only() const;
    [[nodiscard]] Result<void> load_access();
    [[nodiscard]] Result<void> load_services();
    [[nodiscard]] Result<void> load_extensions();
    [[nodiscard]] Result<void> start_hub();
    void configure_extensions();
    void make_extension_registry();
    [[nodiscard]] Leadership leadership();
    [[nodiscard]] Door make_consul_door();
    [[nodiscard]] Door make_steadybit_door();
    [[nodiscard]] RetentionOptions retention() const;

    // Constant after construction.
    const Config config_;
    FileSystem& files_;
    // In order of need. Threads come before what posts to them, so that they end after it.
    Loop loop_;
    WorkerThread log_thread_{"belfry-log"};
    WorkerThread read_thread_{"belfry-read"};
    WorkerThread sqlite_thread_{"belfry-sqlite"};
    WorkerThread spawn_thread_{"belfry-spawn"};
    SqliteStores stores_;
    std::unique_ptr<EmbeddedLog> log_;
    std::optional<SecretBox> secret_box_;
    std::optional<SealedKv> kv_;
    std::optional<Catalog> catalog_;
    std::optional<Lease> lease_;  // of who calls listeners that are for one hub alone
    SteadybitExtensions extensions_;
    std::unique_ptr<Certificates> certificates_;
    OutboundGuard guard_;
    HttpClient client_;
    OAuth2Tokens tokens_;
    std::unique_ptr<Commands> commands_;
    std::optional<AccessDocuments> access_documents_;
    std::optional<TokenAccess> access_;
    std::optional<AccessAdministration> administration_;
    std::optional<ExpiredTokens> expired_tokens_;
    NodeIdentity node_;  // its port is known when the server listens
    std::optional<Services> services_;
    std::optional<Extensions> registered_extensions_;
    std::optional<KeptIndexes> kept_indexes_;
    std::optional<Hub> hub_;
    std::optional<ExtensionRegistry> extension_registry_;
    std::optional<Router> router_;
    std::optional<HttpServer> server_;
    // I/O thread.
    bool access_loaded_ = false;
    bool ready_ = false;
    bool stopping_ = false;
};

}  // namespace belfry
