#include "doors/steadybit/extension_registry.h"

#include "base/logging.h"
#include "doors/steadybit/extension_subscription.h"
#include "doors/steadybit/index_fetch.h"

#include <algorithm>
#include <set>
#include <utility>

namespace belfry {

namespace {

// Names that are tried for an extension whose host and port another one has.
constexpr unsigned kNameTries = 1'000;

Extensions::Key key_of(const RegisteredExtension& extension) {
    return Extensions::key(extension.tenant, extension.name);
}

std::string identity_of(const RegisteredExtension& extension) {
    return extension.tenant + "/" + extension.identity();
}

std::set<std::string> identities_of(const std::vector<RegisteredExtension>& extensions) {
    std::set<std::string> identities;
    for (const RegisteredExtension& extension : extensions) {
        identities.insert(identity_of(extension));
    }
    return identities;
}

std::unexpected<Error> unknown(const Extensions::Key& key) {
    return fail(
        Errc::not_found, "there is no extension named '" + key.substr(key.find('/') + 1) + "'"
    );
}

// How it was registered, for who would remove it by the API.
std::string_view place_of(RegisteredExtension::Origin origin) {
    switch (origin) {
        case RegisteredExtension::Origin::api:
            return "the API";
        case RegisteredExtension::Origin::configuration:
            return "the hub's configuration (steadybit.extensions)";
        case RegisteredExtension::Origin::drop_in:
            return "a file in the directory steadybit.extensions_directory";
        case RegisteredExtension::Origin::environment:
            return "the hub's environment (STEADYBIT_AGENT_...)";
    }
    return "";
}

}  // namespace

ExtensionRegistry::ExtensionRegistry(ExtensionRegistryPorts ports) : ports_(std::move(ports)) {
    ports_.calls.on_refused([this](const Key& key) {
        if (const auto found = entries_.find(key); found != entries_.end()) {
            found->second.unkept = true;
            keep(key, [](const Result<void>&) {});
        }
    });
}

ExtensionRegistry::~ExtensionRegistry() {
    ports_.calls.on_refused({});
    for (auto& [key, entry] : entries_) {
        ports_.clock.cancel(entry.timer);
    }
}

const ExtensionIndex* ExtensionRegistry::index(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.index;
}

void ExtensionRegistry::prepare(Task on_ready) {
    ports_.indexes.load([this, on_ready = std::move(on_ready)](KeptIndexes::ByKey indexes) mutable {
        for (const RegisteredExtension* extension : ports_.extensions.all()) {
            const Key key = key_of(*extension);
            if (Result<void> served = serve(*extension); !served) {
                log_error(
                    "an extension is not called",
                    {{"extension", key}, {"error", served.error().detail}}
                );
            }
            const auto kept = indexes.find(key);
            if (kept != indexes.end() && kept->second.identity == extension->identity()) {
                restore(key, std::move(kept->second));
                indexes.erase(kept);
            }
        }
        // Left by a removal that was cut off, or by another extension that had the name.
        for (const auto& [key, left] : indexes) {
            drop_kept(key, [] {});
        }
        on_ready();
    });
}

void ExtensionRegistry::start() {
    for (const RegisteredExtension* known : ports_.extensions.all()) {
        if (known->origin != RegisteredExtension::Origin::api) {
            continue;  // it comes with the configuration, or goes
        }
        enqueue([this, extension = *known](Task next) {
            ensure_subscription(
                extension,
                [this, key = key_of(extension), next = std::move(next)](Result<void> made) mutable {
                    if (!made) {
                        log_error(
                            "an extension has no subscription",
                            {{"extension", key}, {"error", made.error().detail}}
                        );
                    }
                    next();
                    fetch(key, [](Result<void>) {});
                }
            );
        });
    }
}

void ExtensionRegistry::configure(
    std::vector<RegisteredExtension> configured,
    const std::vector<RegisteredExtension::Origin>& unread
) {
    keep_unread(configured, unread);
    drop_unconfigured(configured);
    for (RegisteredExtension& extension : configured) {
        const std::string place = extension.place();
        add(std::move(extension), [place](const Result<AddedExtension>& added) {
            if (!added) {
                log_error(
                    "an extension of the configuration cannot be registered",
                    {{"url", place}, {"error", added.error().detail}}
                );
            }
        });
    }
}

// A slip in a file must not cost an extension its position: what is known stands in for what could
// not be read.
void ExtensionRegistry::keep_unread(
    std::vector<RegisteredExtension>& configured,
    const std::vector<RegisteredExtension::Origin>& unread
) const {
    const std::set<std::string> identities = identities_of(configured);
    for (const RegisteredExtension* known : ports_.extensions.all()) {
        if (std::ranges::find(unread, known->origin) == unread.end() ||
            identities.contains(identity_of(*known))) {
            continue;
        }
        log_warn(
            "an extension is kept as it was: where it was configured not all could be read",
            {{"extension", key_of(*known)}, {"source", place_of(known->origin)}}
        );
        configured.push_back(*known);
    }
}

void ExtensionRegistry::drop_unconfigured(const std::vector<RegisteredExtension>& configured) {
    const std::set<std::string> identities = identities_of(configured);
    for (const RegisteredExtension* known : ports_.extensions.all()) {
        if (known->origin == RegisteredExtension::Origin::api ||
            identities.contains(identity_of(*known))) {
            continue;
        }
        log_info(
            "an extension is configured no more; its subscription goes",
            {{"extension", key_of(*known)}}
        );
        enqueue([this, extension = *known](Task next) {
            remove_known(
                extension,
                [key = key_of(extension)](const Result<void>& removed) {
                    if (!removed) {
                        log_error(
                            "an extension cannot be removed",
                            {{"extension", key}, {"error", removed.error().detail}}
                        );
                    }
                },
                std::move(next)
            );
        });
    }
}

// --- Changes

void ExtensionRegistry::enqueue(Change change) {
    changes_.push_back(std::move(change));
    if (!changing_) {
        next_change();
    }
}

void ExtensionRegistry::next_change() {
    changing_ = !changes_.empty();
    if (!changing_) {
        return;
    }
    Change change = std::move(changes_.front());
    changes_.pop_front();
    change([this] { next_change(); });
}

void ExtensionRegistry::add(RegisteredExtension extension, AddDone done) {
    enqueue([this, extension = std::move(extension), done = std::move(done)](Task next) mutable {
        register_one(std::move(extension), std::move(done), std::move(next));
    });
}

void ExtensionRegistry::register_one(RegisteredExtension extension, AddDone done, Task next) {
    const RegisteredExtension* known =
        ports_.extensions.find_identity(extension.tenant, extension.identity());
    using Origin = RegisteredExtension::Origin;
    if (known != nullptr) {
        extension.name = known->name;
        if (known->origin != Origin::api && extension.origin == Origin::api) {
            extension = *known;  // what the configuration says counts
        }
    } else if (Result<void> named = choose_name(extension); !named) {
        next();
        return done(std::unexpected(std::move(named.error())));
    }
    write(std::move(extension), known == nullptr, std::move(done), std::move(next));
}

// A name that was made of host and port gives way to one that is there.
Result<void> ExtensionRegistry::choose_name(RegisteredExtension& extension) const {
    const std::string wanted = extension.name;
    const bool is_made = wanted == default_extension_name(extension);
    for (unsigned i = 2; ports_.extensions.find(key_of(extension)) != nullptr; ++i) {
        std::string numbered = wanted + "-" + std::to_string(i);
        if (!is_made || i > kNameTries || !check_extension_name(numbered)) {
            return std::unexpected(Error{
                .code = Errc::conflict,
                .detail = "another extension is named '" + wanted + "'; choose another `name`",
                .field = "name"
            });
        }
        extension.name = std::move(numbered);
    }
    return {};
}

void ExtensionRegistry::write(
    const RegisteredExtension& extension, bool is_new, AddDone done, Task next
) {
    if (extension.tls && extension.origin == RegisteredExtension::Origin::api) {
        Entry scratch;
        if (Result<void> usable = read_tls(extension, scratch); !usable) {
            next();
            return done(std::unexpected(std::move(usable.error())));
        }
    }
    const RegisteredExtension* known = ports_.extensions.find(key_of(extension));
    if (known != nullptr && *known == extension) {
        return written(extension, is_new, std::move(done), std::move(next));
    }
    ports_.extensions.put(
        extension,
        [this, extension, is_new, done = std::move(done), next = std::move(next)](Result<void> put
        ) mutable {
            if (!put) {
                next();
                return done(std::unexpected(std::move(put.error())));
            }
            written(extension, is_new, std::move(done), std::move(next));
        }
    );
}

void ExtensionRegistry::written(
    const RegisteredExtension& extension, bool is_new, AddDone done, Task next
) {
    const Key key = key_of(extension);
    if (Result<void> served = serve(extension); !served) {
        log_error(
            "an extension is not called", {{"extension", key}, {"error", served.error().detail}}
        );
    }
    ensure_subscription(
        extension,
        [this, extension, key, is_new, done = std::move(done), next = std::move(next)](
            Result<void> made
        ) mutable {
            if (!made && is_new) {
                return undo(key, std::move(made.error()), std::move(done), std::move(next));
            }
            next();
            if (!made) {
                return done(std::unexpected(std::move(made.error())));
            }
            if (is_new) {
                log_info(
                    "registered an extension", {{"extension", key}, {"url", extension.place()}}
                );
            }
            fetch(
                key,
                [name = extension.name, is_new, done = std::move(done)](Result<void> ended
                ) mutable {
                    if (!ended) {
                        return done(std::unexpected(std::move(ended.error())));
                    }
                    done(AddedExtension{.name = name, .is_new = is_new});
                }
            );
        }
    );
}

// Nobody was told that it is registered.
void ExtensionRegistry::undo(const Key& key, Error error, AddDone done, Task next) {
    forget(key);
    ports_.extensions.remove(
        key,
        [key, error = std::move(error), done = std::move(done), next = std::move(next)](
            const Result<void>& removed
        ) mutable {
            if (!removed) {
                log_error(
                    "an extension without a subscription stays",
                    {{"extension", key}, {"error", removed.error().detail}}
                );
            }
            next();
            done(std::unexpected(std::move(error)));
        }
    );
}

void ExtensionRegistry::remove(const Key& key, Done done) {
    enqueue([this, key, done = std::move(done)](Task next) mutable {
        const RegisteredExtension* extension = ports_.extensions.find(key);
        if (extension == nullptr) {
            next();
            return done(unknown(key));
        }
        if (extension->origin != RegisteredExtension::Origin::api) {
            next();
            return done(fail(
                Errc::conflict,
                "the extension '" + extension->name + "' is registered by " +
                    std::string(place_of(extension->origin)) + "; remove it there"
            ));
        }
        remove_known(*extension, std::move(done), std::move(next));
    });
}

// The subscription first: a document without one is made whole at the next start, the other way
// round nobody would know what it was.
void ExtensionRegistry::remove_known(const RegisteredExtension& extension, Done done, Task next) {
    const Key key = key_of(extension);
    ports_.hub.remove_subscription(
        extension.tenant + "/" + extension.subscription_name(),
        Expect{},
        [this, key, done = std::move(done), next = std::move(next)](Result<void> removed) mutable {
            if (!removed && removed.error().code != Errc::not_found) {
                next();
                return done(std::move(removed));
            }
            ports_.extensions.remove(
                key,
                [this, key, done = std::move(done), next = std::move(next)](Result<void> gone
                ) mutable {
                    if (!gone) {
                        next();
                        return done(std::move(gone));
                    }
                    forget(key);
                    log_info("removed an extension", {{"extension", key}});
                    drop_kept(key, [done = std::move(done), next = std::move(next)]() mutable {
                        next();
                        done({});
                    });
                }
            );
        }
    );
}

void ExtensionRegistry::refresh(const Key& key, Done done) {
    if (!entries_.contains(key)) {
        return done(unknown(key));
    }
    fetch(key, std::move(done));
}

// --- The sinks' view

Result<void> ExtensionRegistry::serve(const RegisteredExtension& extension) {
    const Key key = key_of(extension);
    Entry& entry = entries_[key];
    if (entry.served != extension) {
        entry.served = extension;
        entry.generation = ++generations_;
        entry.index.etag.clear();  // of what may be another index
    }
    if (Result<void> usable = read_tls(extension, entry); !usable) {
        ports_.calls.withdraw(key);
        entry.index.error = usable.error().detail;
        return usable;
    }
    SteadybitTarget target = target_of(extension);
    target.tls = entry.tls;
    ports_.calls.put(key, std::move(target));
    return {};
}

// Made once, and again when a file changed.
Result<void> ExtensionRegistry::read_tls(const RegisteredExtension& extension, Entry& entry) {
    if (!extension.tls) {
        entry.tls = nullptr;
        entry.tls_times.clear();
        return {};
    }
    FileTimes times;
    for (const std::string& file :
         {extension.tls->ca, extension.tls->certificate, extension.tls->key}) {
        std::error_code error;
        times.push_back(std::filesystem::last_write_time(file, error));
    }
    if (entry.tls != nullptr && times == entry.tls_times) {
        return {};
    }
    auto made = ports_.make_tls(
        {.ca = extension.tls->ca,
         .certificate = extension.tls->certificate,
         .key = extension.tls->key}
    );
    if (!made) {
        return std::unexpected(Error{
            .code = Errc::bad_request, .detail = std::move(made.error().detail), .field = "tls"
        });
    }
    entry.tls = *std::move(made);
    entry.tls_times = std::move(times);
    return {};
}

void ExtensionRegistry::forget(const Key& key) {
    ports_.calls.remove(key);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        return;
    }
    ports_.clock.cancel(found->second.timer);
    std::vector<Done> waiters = std::move(found->second.waiters);
    entries_.erase(found);
    for (Done& waiter : waiters) {
        waiter(unknown(key));
    }
}

}  // namespace belfry
