// The half of the registry that keeps indexes: asks for them, and makes listeners and the filter
// of the subscription follow them.
#include "base/logging.h"
#include "doors/steadybit/extension_registry.h"
#include "doors/steadybit/extension_subscription.h"
#include "doors/steadybit/index_fetch.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

// After the first failure; then twice as long each time, up to the other.
constexpr Duration kRetryFirst = std::chrono::seconds(1);
constexpr Duration kRetryMost = std::chrono::seconds(60);
constexpr unsigned kDoublings = 6;

}  // namespace

void ExtensionRegistry::fetch(const Key& key, Done done) {
    const RegisteredExtension* extension = ports_.extensions.find(key);
    const auto found = entries_.find(key);
    if (extension == nullptr || found == entries_.end()) {
        return done(fail(Errc::not_found, "the extension was removed meanwhile"));
    }
    Entry& entry = found->second;
    entry.waiters.push_back(std::move(done));
    if (std::exchange(entry.is_fetching, true)) {
        return;
    }
    ports_.clock.cancel(entry.timer);
    const std::shared_ptr<const TlsContext> before = entry.tls;
    Result<void> usable = read_tls(*extension, entry);
    if (!usable) {
        fetch_failed(key, entry, usable.error());
        return fetch_ended(key);
    }
    SteadybitTarget target = target_of(*extension);
    target.tls = entry.tls;
    const SteadybitExtension* served = ports_.calls.find(key);
    if (served == nullptr || entry.tls != before) {
        ports_.calls.put(key, target);
    }
    ports_.send(
        index_call(*extension, target, entry.index.etag, ports_.user_agent),
        [this, key, generation = entry.generation, etag = entry.index.etag](
            const Result<HttpReply>& reply
        ) { fetched(key, generation, etag, reply); }
    );
}

void ExtensionRegistry::fetched(
    const Key& key,
    std::uint64_t generation,
    const std::string& sent_etag,
    const Result<HttpReply>& reply
) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        return;  // removed meanwhile; who waited was told
    }
    Entry& entry = found->second;
    if (entry.generation != generation) {
        entry.is_fetching = false;  // it is elsewhere now
        return fetch(key, [](Result<void>) {});
    }
    Result<FetchedIndex> answer = read_index_reply(reply, sent_etag, ports_.limits);
    if (!answer) {
        fetch_failed(key, entry, answer.error());
        return fetch_ended(key);
    }
    entry.failures = 0;
    entry.index.error.clear();
    entry.index.fetched = ports_.clock.wall();
    if (answer->index) {
        take_index(key, entry, *std::move(answer->index), std::move(answer->etag));
    }
    // Also when nothing changed: an earlier change may not have been written.
    const RegisteredExtension* extension = ports_.extensions.find(key);
    if (extension == nullptr) {
        return fetch_ended(key);
    }
    Done end = [this, key](const Result<void>& written) {
        const auto entry_now = entries_.find(key);
        if (!written && entry_now != entries_.end()) {
            fetch_failed(key, entry_now->second, written.error());
        }
        fetch_ended(key);
    };
    // The filter first: behind one that is too narrow, listeners that were kept would miss events.
    narrow_subscription(
        *extension,
        [this, key, end = std::move(end)](Result<void> narrowed) mutable {
            narrowed ? keep(key, std::move(end)) : end(std::move(narrowed));
        }
    );
}

void ExtensionRegistry::take_index(
    const Key& key, Entry& entry, SteadybitIndex index, std::string etag
) {
    const bool changed =
        !entry.index.known || entry.index.index != index || entry.index.etag != etag;
    entry.index.known = true;
    entry.index.etag = std::move(etag);
    if (!changed) {
        return;
    }
    entry.index.index = std::move(index);
    const std::size_t refused =
        entry.index.index.refusals.size() + entry.index.index.refusals_beyond;
    log_info(
        "an extension has a new index",
        {{"extension", key},
         {"listeners", std::to_string(entry.index.index.listeners.size())},
         {"refused", std::to_string(refused)}}
    );
    ports_.calls.set_listeners(key, entry.index.index.listeners, ports_.hub.log().next_offset());
    entry.unkept = true;
}

// Told once in the log, until it changes.
void ExtensionRegistry::fetch_failed(const Key& key, Entry& entry, const Error& error) {
    ++entry.failures;
    if (entry.index.error != error.detail) {
        log_warn(
            "the index of an extension cannot be had", {{"extension", key}, {"error", error.detail}}
        );
    }
    entry.index.error = error.detail;
}

void ExtensionRegistry::fetch_ended(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        return;
    }
    Entry& entry = found->second;
    entry.is_fetching = false;
    const Duration after_failure =
        entry.failures == 0
            ? ports_.refresh_every
            : std::min(kRetryFirst * (1U << std::min(entry.failures - 1, kDoublings)), kRetryMost);
    ports_.clock.cancel(entry.timer);
    entry.timer =
        ports_.clock.call_after(std::min(after_failure, ports_.refresh_every), [this, key] {
            fetch(key, [](const Result<void>&) {});
        });
    std::vector<Done> waiters = std::move(entry.waiters);
    entry.waiters.clear();
    for (Done& waiter : waiters) {
        waiter({});
    }
}

// --- What outlives the hub

// Of an earlier run; it counts until the next answer.
void ExtensionRegistry::restore(const Key& key, KeptIndex kept) {
    std::vector<SteadybitFinding> findings;
    findings.reserve(kept.findings.size());
    for (KeptFinding& finding : kept.findings) {
        findings.push_back({.from = finding.from, .refused = std::move(finding.refused)});
    }
    ExtensionIndex& index = entries_[key].index;
    index.known = true;
    index.etag = std::move(kept.etag);
    index.index = std::move(kept.index);
    ports_.calls.restore(key, index.index.listeners, std::move(findings));
}

// Writes what is known if it is not written yet: one write at a time, the last word counts.
void ExtensionRegistry::keep(const Key& key, Done done) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.unkept) {
        return done({});
    }
    Entry& entry = found->second;
    entry.keep_waiters.push_back(std::move(done));
    if (!entry.is_keeping) {
        write_kept(key, entry);
    }
}

void ExtensionRegistry::write_kept(const Key& key, Entry& entry) {
    std::vector<Done> waiters = std::exchange(entry.keep_waiters, {});
    const SteadybitExtension* served = ports_.calls.find(key);
    if (served == nullptr || served->listeners == nullptr || !entry.served) {
        for (Done& waiter : waiters) {  // it cannot be called now; the next index writes it
            waiter({});
        }
        return;
    }
    KeptIndex kept{
        .identity = entry.served->identity(),
        .etag = entry.index.etag,
        .index = entry.index.index,
        .findings = {},
    };
    kept.findings.reserve(served->findings.size());
    for (const SteadybitFinding& finding : served->findings) {
        kept.findings.push_back({.from = finding.from, .refused = finding.refused});
    }
    entry.unkept = false;
    entry.is_keeping = true;
    ports_.indexes.put(
        key,
        kept,
        [this, key, waiters = std::move(waiters)](const Result<void>& written) mutable {
            this->kept(key, written);
            const bool failed = !written && written.error().code != Errc::too_large;
            for (Done& waiter : waiters) {
                waiter(failed ? written : Result<void>());
            }
        }
    );
}

void ExtensionRegistry::kept(const Key& key, const Result<void>& written) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        return;
    }
    Entry& entry = found->second;
    entry.is_keeping = false;
    entry.index.too_large_to_keep = !written && written.error().code == Errc::too_large;
    if (entry.unkept) {
        return write_kept(key, entry);
    }
    if (!written && !entry.index.too_large_to_keep) {
        log_warn(
            "what is known of an extension's listeners could not be written",
            {{"extension", key}, {"error", written.error().detail}}
        );
        entry.unkept = true;  // with the next index
    }
}

void ExtensionRegistry::drop_kept(const Key& key, Task done) {
    ports_.indexes.remove(key, [key, done = std::move(done)](const Result<void>& removed) mutable {
        if (!removed) {
            log_warn(
                "the index of an extension that is gone stays until the next start",
                {{"extension", key}, {"error", removed.error().detail}}
            );
        }
        done();
    });
}

// --- The subscription

void ExtensionRegistry::ensure_subscription(const RegisteredExtension& extension, Done done) {
    Subscription wanted = subscription_for(extension);
    const Subscription* current = ports_.catalog.find(wanted.key());
    if (current != nullptr) {
        wanted.filter = current->filter;
        return replace_subscription(std::move(wanted), std::move(done));
    }
    ports_.hub.create_subscription(
        std::move(wanted),
        [done = std::move(done)](Result<Subscription> created) mutable {
            done(created ? Result<void>() : std::unexpected(std::move(created.error())));
        }
    );
}

void ExtensionRegistry::narrow_subscription(const RegisteredExtension& extension, Done done) {
    const auto entry = entries_.find(Extensions::key(extension.tenant, extension.name));
    if (entry == entries_.end() || !entry->second.index.known) {
        return done({});
    }
    Subscription wanted = subscription_for(extension);
    wanted.filter = filter_for(entry->second.index.index.listeners);
    replace_subscription(std::move(wanted), std::move(done));
}

// Where it began and whether it is paused stay.
void ExtensionRegistry::replace_subscription(Subscription next, Done done) {
    const Subscription* current = ports_.catalog.find(next.key());
    if (current == nullptr) {
        return done(fail(Errc::not_found, "the extension's subscription is gone"));
    }
    next.start = current->start;
    next.state = current->state;
    next.reason = current->reason;
    next.revision = current->revision;
    if (next == *current) {
        return done({});
    }
    ports_.hub.replace_subscription(
        std::move(next),
        Expect{},
        [done = std::move(done)](Result<Subscription> replaced) mutable {
            done(replaced ? Result<void>() : std::unexpected(std::move(replaced.error())));
        }
    );
}

}  // namespace belfry
