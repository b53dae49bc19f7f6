#include "engine/memory_kv.h"

#include "engine/kv_expect.h"

namespace belfry {

void MemoryKv::crash() {
    device_.crash();
    watchers_.clear();
}

Result<void> MemoryKv::check(const std::string& key, const Expect& expect) const {
    auto found = documents_.find(key);
    return check_expect(
        key,
        expect,
        found == documents_.end() ? std::nullopt : std::optional(found->second.revision)
    );
}

std::vector<KvEntry> MemoryKv::entries(const std::string& prefix) const {
    std::vector<KvEntry> found;
    for (auto at = documents_.lower_bound(prefix);
         at != documents_.end() && at->first.starts_with(prefix);
         ++at) {
        found.push_back({at->first, at->second.value, at->second.revision});
    }
    return found;
}

void MemoryKv::get(std::string key, EntryDone done) {
    device_.read([this, key = std::move(key), done = std::move(done)](const Error*) mutable {
        Result<KvEntry> result = no_document(key);
        if (auto found = documents_.find(key); found != documents_.end()) {
            result = KvEntry{key, found->second.value, found->second.revision};
        }
        device_.answer([done = std::move(done), result = std::move(result)]() mutable {
            done(std::move(result));
        });
    });
}

void MemoryKv::put(std::string key, std::string value, Expect expect, RevisionDone done) {
    device_.write([this,
                   key = std::move(key),
                   value = std::move(value),
                   expect,
                   done = std::move(done)](const Error* failure) mutable {
        Result<void> allowed = failure != nullptr ? std::unexpected(*failure) : check(key, expect);
        if (!allowed) {
            device_.answer([done = std::move(done), error = allowed.error()]() mutable {
                done(std::unexpected(std::move(error)));
            });
            return;
        }
        ++last_.value;
        documents_[key] = {value, last_};
        KvChange change{std::move(key), std::move(value), last_};
        device_.answer([this, change = std::move(change), done = std::move(done)]() mutable {
            tell(change);
            done(change.revision);
        });
    });
}

void MemoryKv::remove(std::string key, Expect expect, RevisionDone done) {
    device_.write([this, key = std::move(key), expect, done = std::move(done)](const Error* failure
                  ) mutable {
        Result<void> allowed = failure != nullptr ? std::unexpected(*failure) : check(key, expect);
        if (allowed && !documents_.contains(key)) {
            allowed = no_document(key);
        }
        if (!allowed) {
            device_.answer([done = std::move(done), error = allowed.error()]() mutable {
                done(std::unexpected(std::move(error)));
            });
            return;
        }
        ++last_.value;
        documents_.erase(key);
        KvChange change{std::move(key), std::nullopt, last_};
        device_.answer([this, change = std::move(change), done = std::move(done)]() mutable {
            tell(change);
            done(change.revision);
        });
    });
}

void MemoryKv::list(std::string prefix, ListDone done) {
    device_.read([this, prefix = std::move(prefix), done = std::move(done)](const Error*) mutable {
        device_.answer([done = std::move(done), found = entries(prefix)]() mutable {
            done(std::move(found));
        });
    });
}

void MemoryKv::watch(
    std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready
) {
    auto watcher = std::make_shared<Watcher>(std::move(prefix), std::move(on_change));
    watchers_.push_back(watcher);
    device_.read([this, watcher, on_ready = std::move(on_ready)](const Error*) mutable {
        device_.answer([watcher, found = entries(watcher->prefix), on_ready = std::move(on_ready)](
                       ) mutable {
            // Answers come in the order of the operations: every later change is told after this.
            watcher->ready = true;
            for (KvEntry& entry : found) {
                watcher->on_change({std::move(entry.key), std::move(entry.value), entry.revision});
            }
            on_ready();
        });
    });
}

void MemoryKv::tell(const KvChange& change) {
    // A watcher may add another. NOLINTNEXTLINE(modernize-loop-convert)
    for (std::size_t i = 0; i < watchers_.size(); ++i) {
        std::shared_ptr<Watcher> watcher = watchers_[i];
        if (watcher->ready && change.key.starts_with(watcher->prefix)) {
            watcher->on_change(change);
        }
    }
}

}  // namespace belfry
