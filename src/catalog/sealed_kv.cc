#include "catalog/sealed_kv.h"

#include "base/logging.h"

#include <utility>
#include <vector>

namespace belfry {

namespace {

// The text of a document, sealed or (from a version that did not seal) plain.
Result<std::string> text_of(const SecretBox& box, const std::string& key, std::string value) {
    if (!SecretBox::is_sealed(value)) {
        return value;
    }
    Result<std::string> text = box.open(value, key);
    if (!text) {
        text.error().detail = "the document " + key + " cannot be read: " + text.error().detail;
    }
    return text;
}

}  // namespace

// What is left to be sealed, last first.
struct SealedKv::Resealing {
    std::vector<KvEntry> entries;
    std::size_t count = 0;
    std::move_only_function<void(Result<std::size_t>)> done;
};

void SealedKv::reseal(std::move_only_function<void(Result<std::size_t>)> done) {
    below_.list("", [this, done = std::move(done)](Result<std::vector<KvEntry>> all) mutable {
        if (!all) {
            done(std::unexpected(std::move(all.error())));
            return;
        }
        auto work = std::make_unique<Resealing>();
        for (KvEntry& entry : *all) {
            const bool current = box_.is_current(entry.value);
            Result<std::string> text = text_of(box_, entry.key, std::move(entry.value));
            if (!text) {
                done(std::unexpected(std::move(text.error())));
                return;
            }
            if (!current) {
                entry.value = *std::move(text);
                work->entries.push_back(std::move(entry));
            }
        }
        work->count = work->entries.size();
        work->done = std::move(done);
        reseal_next(std::move(work));
    });
}

void SealedKv::reseal_next(std::unique_ptr<Resealing> work) {
    if (work->entries.empty()) {
        work->done(work->count);
        return;
    }
    KvEntry entry = std::move(work->entries.back());
    work->entries.pop_back();
    put(std::move(entry.key),
        std::move(entry.value),
        Expect{.kind = Expect::Kind::revision, .revision = entry.revision},
        [this, work = std::move(work)](Result<Revision> written) mutable {
            if (!written) {
                work->done(std::unexpected(std::move(written.error())));
                return;
            }
            reseal_next(std::move(work));
        });
}

void SealedKv::get(std::string key, EntryDone done) {
    below_.get(std::move(key), [this, done = std::move(done)](Result<KvEntry> entry) mutable {
        if (entry) {
            Result<std::string> text = text_of(box_, entry->key, std::move(entry->value));
            if (!text) {
                entry = std::unexpected(std::move(text.error()));
            } else {
                entry->value = *std::move(text);
            }
        }
        done(std::move(entry));
    });
}

void SealedKv::put(std::string key, std::string value, Expect expect, RevisionDone done) {
    std::string sealed = box_.seal(value, key);
    below_.put(std::move(key), std::move(sealed), expect, std::move(done));
}

void SealedKv::remove(std::string key, Expect expect, RevisionDone done) {
    below_.remove(std::move(key), expect, std::move(done));
}

void SealedKv::list(std::string prefix, ListDone done) {
    below_.list(
        std::move(prefix),
        [this, done = std::move(done)](Result<std::vector<KvEntry>> entries) mutable {
            if (!entries) {
                done(std::move(entries));
                return;
            }
            for (KvEntry& entry : *entries) {
                Result<std::string> text = text_of(box_, entry.key, std::move(entry.value));
                if (!text) {
                    done(std::unexpected(std::move(text.error())));
                    return;
                }
                entry.value = *std::move(text);
            }
            done(std::move(entries));
        }
    );
}

void SealedKv::watch(
    std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready
) {
    below_.watch(
        std::move(prefix),
        [this, on_change = std::move(on_change)](const KvChange& change) {
            if (!change.value) {
                on_change(change);
                return;
            }
            Result<std::string> text = text_of(box_, change.key, *change.value);
            if (!text) {
                log_error("a document cannot be opened", {{"error", text.error().detail}});
                on_change(change);
                return;
            }
            on_change(KvChange{change.key, *std::move(text), change.revision});
        },
        std::move(on_ready)
    );
}

}  // namespace belfry
