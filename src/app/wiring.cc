#include "app/wiring.h"

#include "app/data_directory.h"
#include "app/extension_sources.h"
#include "app/node.h"
#include "app/secret_key_file.h"
#include "app/version.h"
#include "base/logging.h"
#include "doors/consul/consul_door.h"
#include "doors/native/extensions.h"
#include "doors/native/native_door.h"
#include "doors/steadybit/steadybit_door.h"
#include "sinks/sink_factory.h"

#include <utility>

namespace belfry {

namespace {

using namespace std::chrono_literals;

// For requests that are being answered when the hub is told to stop.
constexpr Duration kAnswerWait = 10s;
constexpr double kHardShareOfDisk = 0.8;

EmbeddedLogOptions log_options(const Config& config) {
    EmbeddedLogOptions options;
    options.directory = config.data;
    options.segment_bytes = config.log_segment_bytes;
    options.pending_bytes = config.log_pending_bytes;
    options.tail_bytes = config.log_tail_bytes;
    options.reserve_bytes = config.log_reserve_bytes;
    options.slow_commit =
        std::chrono::duration_cast<std::chrono::microseconds>(config.log_slow_commit);
    options.watermark_idle =
        std::chrono::duration_cast<std::chrono::milliseconds>(config.log_watermark_idle);
    options.dedup_window =
        std::chrono::duration_cast<std::chrono::seconds>(config.log_dedup_window);
    options.dedup_ids = config.log_dedup_ids;
    return options;
}

// The texts were checked when they were set. A hub that only this machine reaches may call this
// machine: whoever can ask it to could call there, too.
OutboundRules outbound_rules(const Config& config) {
    const Result<SocketAddress> listen = parse_listen_address(config.http_listen);
    return {
        .allow = parse_address_ranges(config.outbound_allow).value(),
        .allow_ports = parse_ports(config.outbound_allow_ports).value(),
        .loopback = listen && listen->is_loopback(),
        .allow_unix = parse_directories(config.outbound_allow_unix).value(),
    };
}

Error in_directory(Error error, const std::string& directory) {
    error.detail = "data directory " + directory + ": " + error.detail;
    return error;
}

}  // namespace

Wiring::Wiring(const Config& config)
    : config_(config),
      files_(posix_file_system()),
      guard_(outbound_rules(config_)),
      client_(loop_, config_.limits, guard_),
      tokens_(
          {.send = [this](
                       HttpCall call, HttpReplyDone done
                   ) { client_.call(std::move(call), std::move(done)); },
           .clock = loop_,
           .limits = config_.limits,
           .user_agent = "Belfry/" + std::string(version())}
      ),
      node_(node_identity(config_)) {}

// Callbacks that outlive the loop must not find their rooms gone: the loop has ended, nothing runs
// any more.
Wiring::~Wiring() = default;

Result<std::unique_ptr<Wiring>> Wiring::open(const Config& config, DataLoss data_loss) {
    std::unique_ptr<Wiring> wiring(new Wiring(config));
    auto certificates = Certificates::load(wiring->config_, wiring->loop_);
    if (!certificates) {
        return std::unexpected(std::move(certificates.error()));
    }
    wiring->certificates_ = *std::move(certificates);
    if (Result<void> opened = wiring->open_commands(); !opened) {
        return std::unexpected(std::move(opened.error()));
    }
    if (Result<void> opened = wiring->open_engine(data_loss); !opened) {
        return std::unexpected(in_directory(std::move(opened.error()), config.data));
    }
    Result<std::vector<Service>> services = configured_services(wiring->config_);
    if (!services) {
        return std::unexpected(std::move(services.error()));
    }
    wiring->connect_rooms(*std::move(services));
    return wiring;
}

// Their text was checked when it was set; here programs and users are looked up.
Result<void> Wiring::open_commands() {
    auto commands = Commands::make(
        parse_command_definitions(config_.commands).value(),
        process_environment(),
        {.loop = loop_, .clock = loop_, .spawner = spawn_thread_}
    );
    if (!commands) {
        Error& error = commands.error();
        error.detail = "commands." + error.field + ": " + error.detail;
        return std::unexpected(std::move(error));
    }
    commands_ = *std::move(commands);
    return {};
}

Result<void> Wiring::open_engine(DataLoss data_loss) {
    if (Result<void> prepared = prepare_data_directory(files_, config_.data); !prepared) {
        return prepared;
    }
    Result<SqliteStores> stores = open_sqlite_stores(config_.data, loop_, sqlite_thread_);
    if (!stores) {
        return std::unexpected(std::move(stores.error()));
    }
    stores_ = *std::move(stores);
    // After the stores, which no other hub has now: a key is made once.
    Result<SecretBox> secret_box = open_secret_box(files_, config_.secrets_key_file, config_.data);
    if (!secret_box) {
        return std::unexpected(std::move(secret_box.error()));
    }
    secret_box_ = *std::move(secret_box);
    Result<StateSnapshot> snapshot = stores_.state->load();
    if (!snapshot) {
        return std::unexpected(std::move(snapshot.error()));
    }
    EmbeddedLogOptions options = log_options(config_);
    options.accept_data_loss = data_loss == DataLoss::accept;
    options.min_next_offset = snapshot->next_offset;
    EmbeddedLogPorts ports{
        .files = files_,
        .clock = loop_,
        .rng = system_rng(),
        .loop = loop_,
        .log_thread = log_thread_,
        .read_thread = read_thread_,
    };
    Result<std::unique_ptr<EmbeddedLog>> log = EmbeddedLog::open(std::move(options), ports);
    if (!log) {
        return std::unexpected(std::move(log.error()));
    }
    log_ = *std::move(log);
    return {};
}

void Wiring::connect_rooms(std::vector<Service> configured_services) {
    // The answers that a commit releases leave in the same turn.
    loop_.on_turn_end([this] {
        log_->end_turn();
        log_left_out();
    });
    kv_.emplace(*stores_.kv, *secret_box_);
    catalog_.emplace(*kv_, config_.limits);
    lease_.emplace(*kv_, loop_, LeaseOptions{.key = "leases/steadybit", .holder = node_.id});
    services_.emplace(*kv_, config_.limits, std::move(configured_services));
    registered_extensions_.emplace(*kv_, config_.limits);
    kept_indexes_.emplace(*kv_, config_.limits);
    connect_access();
    HubPorts ports{
        .clock = loop_,
        .rng = system_rng(),
        .log = *log_,
        .state = *stores_.state,
        .catalog = *catalog_,
        .make_sink = make_sink_factory(
            {.client = client_,
             .clock = loop_,
             .tokens = tokens_,
             .commands = *commands_,
             .extensions = extensions_,
             .leadership = [this] { return leadership(); },
             .steadybit_aws_mode = config_.steadybit_agent_mode == "aws",
             .version = std::string(version())}
        ),
    };
    hub_.emplace(std::move(ports), hub_options(), config_.limits);
    make_extension_registry();

    NativeDoorPorts native{
        .hub = *hub_,
        .catalog = *catalog_,
        .administration = *administration_,
        .clock = loop_,
        .limits = config_.limits,
        .node = node_,
        .services = *services_,
        .build = {.version = std::string(version()), .commit = std::string(build_commit())},
        .server_status = [this] { return server_->status(); },
        .unready_reasons =
            [this] {
                return stopping_ ? std::vector<std::string>{"stopping"}
                                 : std::vector<std::string>();
            },
    };
    std::vector<Door> doors;
    doors.push_back(native_door(std::move(native)));
    add_extension_routes(doors.back(), *extension_registry_);
    doors.push_back(make_consul_door());
    doors.push_back(make_steadybit_door());
    router_.emplace(std::move(doors), *access_, config_.limits);
    server_.emplace(loop_, *router_, config_.limits);
    use_certificates();
    certificates_->on_change([this] { use_certificates(); });
}

void Wiring::make_extension_registry() {
    extension_registry_.emplace(ExtensionRegistryPorts{
        .send = [this](
                    HttpCall call, HttpReplyDone done
                ) { client_.call(std::move(call), std::move(done)); },
        .clock = loop_,
        .hub = *hub_,
        .catalog = *catalog_,
        .extensions = *registered_extensions_,
        .indexes = *kept_indexes_,
        .calls = extensions_,
        .limits = config_.limits,
        .user_agent = "Belfry/" + std::string(version()),
        .refresh_every = config_.steadybit_index_refresh,
        .defaults = extension_defaults(config_),
        .aws_mode = config_.steadybit_agent_mode == "aws",
    });
}

// The lease begins with the first question: a hub without extensions writes none.
Leadership Wiring::leadership() {
    lease_->begin();
    switch (lease_->standing()) {
        case Lease::Standing::held:
            return Leadership::here;
        case Lease::Standing::elsewhere:
            return Leadership::elsewhere;
        case Lease::Standing::unknown:
            break;
    }
    return Leadership::unknown;
}

Door Wiring::make_consul_door() {
    return consul_door({
        .hub = *hub_,
        .clock = loop_,
        .limits = config_.limits,
        .node = node_,
        .services = *services_,
        .denies_by_default =
            [this] { return closed() && access_->default_policy() == DefaultPolicy::deny; },
        .build = {.version = std::string(version()), .commit = std::string(build_commit())},
        .options =
            {.list = {.events = config_.consul_list_events, .bytes = config_.consul_list_max_bytes},
             .strict_status = config_.consul_strict_status},
    });
}

Door Wiring::make_steadybit_door() {
    return steadybit_door({
        .hub = *hub_,
        .clock = loop_,
        .limits = config_.limits,
        .options = {.strict_status = config_.steadybit_strict_status},
    });
}

bool Wiring::is_loopback_only() const {
    const Result<SocketAddress> listen = parse_listen_address(config_.http_listen);
    return listen && listen->is_loopback() && !config_.insecure;
}

void Wiring::connect_access() {
    access_documents_.emplace(*kv_);
    const DefaultPolicy default_policy =
        config_.acl_default_policy == "allow" ? DefaultPolicy::allow : DefaultPolicy::deny;
    access_.emplace(
        *access_documents_,
        loop_,
        system_rng(),
        TokenAccessOptions{
            .default_policy = default_policy,
            .exposure = is_loopback_only() ? Exposure::loopback_only : Exposure::insecure,
            .bad_tokens_per_minute = config_.limits.bad_tokens_per_minute
        }
    );
    administration_.emplace(AccessAdministration::Ports{
        .documents = *access_documents_,
        .clock = loop_,
        .rng = system_rng(),
        .limits = config_.limits,
        .default_policy = default_policy
    });
}

void Wiring::use_certificates() {
    server_->set_tls(certificates_->server());
    client_.set_tls([this] { return certificates_->client(); });
}

HubOptions Wiring::hub_options() const {
    using std::chrono::milliseconds;
    auto probe_interval = std::chrono::duration_cast<milliseconds>(config_.circuit_probe_interval);
    return {.retention = retention(), .circuit = {.probe_interval = probe_interval}};
}

RetentionOptions Wiring::retention() const {
    RetentionOptions options;
    options.every =
        std::chrono::duration_cast<std::chrono::milliseconds>(config_.log_retention_every);
    options.age = std::chrono::duration_cast<std::chrono::seconds>(config_.log_retention_age);
    options.bytes = config_.log_retention_bytes;
    options.hard_bytes = config_.log_retention_hard_bytes;
    if (options.hard_bytes == 0) {
        if (Result<FileSystem::Space> space = files_.space(config_.data)) {
            options.hard_bytes = static_cast<std::uint64_t>(
                kHardShareOfDisk * static_cast<double>(space->total_bytes)
            );
        }
    }
    return options;
}

// Documents of a version that did not seal, and those under a key that is no longer the first.
Result<void> Wiring::seal_documents() {
    std::optional<Result<std::size_t>> sealed;
    kv_->reseal([&](Result<std::size_t> count) {
        sealed = std::move(count);
        loop_.stop();
    });
    loop_.run();
    if (!sealed) {
        return fail(Errc::unavailable, "stopped while starting");
    }
    if (!*sealed) {
        return std::unexpected(sealed->error());
    }
    if (**sealed > 0) {
        log_info(
            "sealed documents with the current key; older keys are not needed any more",
            {{"documents", std::to_string(**sealed)}, {"key", secret_box_->key_id()}}
        );
    }
    return {};
}

// Tokens and policies come before anybody is served.
Result<void> Wiring::load_access() {
    access_documents_->start(
        [this] { access_->documents_changed(); },
        [this] {
            access_loaded_ = true;
            loop_.stop();
        }
    );
    loop_.run();
    if (!access_loaded_) {
        return fail(Errc::unavailable, "stopped while starting");
    }
    expired_tokens_.emplace(*access_documents_, loop_);
    expired_tokens_->start();
    return {};
}

// And services before an event is judged by them.
Result<void> Wiring::load_services() {
    bool loaded = false;
    services_->start([this, &loaded] {
        loaded = true;
        loop_.stop();
    });
    loop_.run();
    if (!loaded) {
        return fail(Errc::unavailable, "stopped while starting");
    }
    return {};
}

// And where extensions are, and their listeners, before an event is delivered to them.
Result<void> Wiring::load_extensions() {
    bool loaded = false;
    registered_extensions_->start([this, &loaded] {
        extension_registry_->prepare([this, &loaded] {
            loaded = true;
            loop_.stop();
        });
    });
    loop_.run();
    if (!loaded) {
        return fail(Errc::unavailable, "stopped while starting");
    }
    return {};
}

Result<void> Wiring::start_hub() {
    std::optional<Result<void>> started;
    hub_->start([&](Result<void> outcome) {
        started = std::move(outcome);
        loop_.stop();
    });
    loop_.run();
    if (!started) {
        return fail(Errc::unavailable, "stopped while starting");
    }
    ready_ = started->has_value();
    return *std::move(started);
}

void Wiring::configure_extensions() {
    ConfiguredExtensions configured = configured_extensions(config_, process_environment());
    extension_registry_->configure(std::move(configured.extensions), configured.unread);
}

void Wiring::reload() {
    certificates_->reload();
    if (ready_ && !stopping_) {
        configure_extensions();
    }
}

Result<void> Wiring::start() {
    if (Result<void> sealed = seal_documents(); !sealed) {
        return std::unexpected(in_directory(std::move(sealed.error()), config_.data));
    }
    if (Result<void> loaded = load_access(); !loaded) {
        return loaded;
    }
    if (Result<void> loaded = load_services(); !loaded) {
        return loaded;
    }
    if (Result<void> loaded = load_extensions(); !loaded) {
        return loaded;
    }
    if (Result<void> started = start_hub(); !started) {
        return std::unexpected(in_directory(std::move(started.error()), config_.data));
    }
    if (!closed() && !config_.insecure && !is_loopback_only()) {
        return fail(
            Errc::denied,
            config_.http_listen +
                " can be reached by other machines, and this hub has no tokens: everybody could do "
                "everything"
        );
    }
    if (Result<void> listening = server_->listen(config_.http_listen); !listening) {
        return listening;
    }
    guard_.never(*parse_listen_address(server_->address()));
    node_.port = port_of(server_->address());
    // Only now, when the guard knows this hub's own address.
    extension_registry_->start();
    configure_extensions();
    return {};
}

std::string Wiring::address() const {
    return server_->address();
}

std::string Wiring::url() const {
    return (certificates_->server() == nullptr ? "http://" : "https://") + address();
}

void Wiring::run() {
    loop_.run();
}

void Wiring::stop() {
    if (!ready_) {
        loop_.stop();
        return;
    }
    if (std::exchange(stopping_, true)) {
        log_warn("stopping at once; deliveries under way will be repeated");
        loop_.stop();
        return;
    }
    log_info("stopping");
    lease_->release();
    router_->release_waiting();
    // Programs that run get the hub's wait for attempts under way, then they are ended.
    server_->stop(kAnswerWait, [this] {
        commands_->drain();
        hub_->stop([this] {
            commands_->stop([this] {
                log_->stop([this] {
                    log_left_out(LeftOutLines::all);
                    log_info("stopped");
                    loop_.stop();
                });
            });
        });
    });
}

}  // namespace belfry
