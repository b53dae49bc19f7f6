// The agent's side of Steadybit's Event API: which extensions are registered, what their indexes
// say, and the one subscription of each. It asks for an index when an extension is registered and
// again every few minutes, sends back the ETag it got, and keeps the last good index when that
// fails, over a restart, too. Owned by the wiring; the ports must outlive it, and callbacks of
// theirs must not run after its end. I/O thread only.
#pragma once

#include "base/clock.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "catalog/extension_document.h"
#include "catalog/extensions.h"
#include "catalog/kept_index.h"
#include "event/steadybit_index.h"
#include "hub/hub.h"
#include "net/http_client.h"
#include "net/tls_context.h"
#include "sinks/steadybit_extensions.h"

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belfry {

struct ExtensionRegistryPorts {
    std::function<void(HttpCall, HttpReplyDone)> send;  // HttpClient::call: guarded, no redirects
    std::function<Result<std::shared_ptr<const TlsContext>>(const TlsClientFiles&)> make_tls =
        TlsContext::client;
    Clock& clock;
    Hub& hub;
    const Catalog& catalog;
    Extensions& extensions;
    KeptIndexes& indexes;
    SteadybitExtensions& calls;
    const Limits& limits;
    std::string user_agent;
    Duration refresh_every = std::chrono::minutes(5);
    ExtensionDefaults defaults = {};
    bool aws_mode = false;  // whether the sinks call `restrictTo: aws`
};

struct AddedExtension {
    std::string name;
    bool is_new = false;  // else it was registered by its URL before, and keeps name and position
};

// What is known of an index.
struct ExtensionIndex {
    bool known = false;
    SteadybitIndex index;
    std::string etag;
    std::optional<WallTime> fetched;  // when it was last answered, as new or as unchanged
    std::string error;                // of the last request; empty: it succeeded
    bool too_large_to_keep = false;   // a restart forgets it
};

class ExtensionRegistry {
 public:
    using Key = Extensions::Key;
    using AddDone = std::move_only_function<void(Result<AddedExtension>)>;
    using Done = std::move_only_function<void(Result<void>)>;

    explicit ExtensionRegistry(ExtensionRegistryPorts ports);
    ~ExtensionRegistry();
    ExtensionRegistry(const ExtensionRegistry&) = delete;
    ExtensionRegistry& operator=(const ExtensionRegistry&) = delete;

    // Makes the extensions of earlier runs, and their last good indexes, known to the sinks.
    // Before the hub starts, which waits for `on_ready`.
    void prepare(Task on_ready);
    // Asks those for their indexes that the API registered. After the hub started.
    void start();
    // Registers what configuration names (any origin but the API), and drops what it named before
    // and names no more; of `unread` origins, which may name more than could be read, all stay.
    // After the hub started, and again when it changed.
    void configure(
        std::vector<RegisteredExtension> configured,
        const std::vector<RegisteredExtension::Origin>& unread = {}
    );

    // `done` runs when the extension and its subscription are durable and its index was asked for,
    // with or without success. A URL that is registered already keeps its name and its position.
    // conflict: another extension has the name; bad_request: its certificates cannot be used.
    void add(RegisteredExtension extension, AddDone done);
    // With its subscription and its position; dead letters stay. not_found; conflict: it was not
    // registered by the API.
    void remove(const Key& key, Done done);
    // Asks for the index now; `done` runs when that has ended, with or without success. not_found.
    void refresh(const Key& key, Done done);

    [[nodiscard]] const Extensions& extensions() const { return ports_.extensions; }
    [[nodiscard]] const ExtensionRegistryPorts& ports() const { return ports_; }
    // nullptr if it is not registered.
    [[nodiscard]] const ExtensionIndex* index(const Key& key) const;

 private:
    using FileTimes = std::vector<std::filesystem::file_time_type>;
    // One registered extension.
    struct Entry {
        ExtensionIndex index;
        std::optional<RegisteredExtension> served;
        std::uint64_t generation = 0;  // of `served`: answers to an older one do not count
        unsigned failures = 0;         // in a row
        bool is_fetching = false;
        TimerId timer;
        std::vector<Done> waiters;  // for the index
        bool unkept = false;        // what is known differs from what was last written
        bool is_keeping = false;
        std::vector<Done> keep_waiters;  // for the next write
        std::shared_ptr<const TlsContext> tls;
        FileTimes tls_times;
    };
    // Changes of what is registered, one after the other; each calls `next` once when it is done.
    using Change = std::move_only_function<void(Task next)>;
    void enqueue(Change change);
    void next_change();

    void register_one(RegisteredExtension extension, AddDone done, Task next);
    [[nodiscard]] Result<void> choose_name(RegisteredExtension& extension) const;
    void write(const RegisteredExtension& extension, bool is_new, AddDone done, Task next);
    void written(const RegisteredExtension& extension, bool is_new, AddDone done, Task next);
    void undo(const Key& key, Error error, AddDone done, Task next);
    void remove_known(const RegisteredExtension& extension, Done done, Task next);
    void keep_unread(
        std::vector<RegisteredExtension>& configured,
        const std::vector<RegisteredExtension::Origin>& unread
    ) const;
    void drop_unconfigured(const std::vector<RegisteredExtension>& configured);

    // Makes it known to the sinks, unless its certificates cannot be used.
    Result<void> serve(const RegisteredExtension& extension);
    Result<void> read_tls(const RegisteredExtension& extension, Entry& entry);
    void forget(const Key& key);

    void fetch(const Key& key, Done done);
    void fetched(
        const Key& key,
        std::uint64_t generation,
        const std::string& sent_etag,
        const Result<HttpReply>& reply
    );
    void take_index(const Key& key, Entry& entry, SteadybitIndex index, std::string etag);
    void fetch_failed(const Key& key, Entry& entry, const Error& error);
    void fetch_ended(const Key& key);

    void restore(const Key& key, KeptIndex kept);
    void drop_kept(const Key& key, Task done);
    void keep(const Key& key, Done done);
    void write_kept(const Key& key, Entry& entry);
    void kept(const Key& key, const Result<void>& written);

    void ensure_subscription(const RegisteredExtension& extension, Done done);
    void narrow_subscription(const RegisteredExtension& extension, Done done);
    void replace_subscription(Subscription next, Done done);

    // Constant after construction.
    const ExtensionRegistryPorts ports_;
    // I/O thread.
    std::map<Key, Entry, std::less<>> entries_;
    std::deque<Change> changes_;
    bool changing_ = false;
    std::uint64_t generations_ = 0;
};

}  // namespace belfry
