// A Kv that keeps its documents sealed in another one: whoever reads the file below learns names
// and sizes, no secret and no address. Keys are as they are; a document opens only under the key it
// was written to. Owned by the wiring; the Kv below and the box must outlive it. I/O thread only.
#pragma once

#include "base/secret_box.h"
#include "engine/kv.h"

#include <memory>

namespace belfry {

class SealedKv final : public Kv {
 public:
    SealedKv(Kv& below, const SecretBox& box) : below_(below), box_(box) {}

    // Seals what is plain, or sealed with a key that is not the current one; `done` with how many.
    // internal if a document cannot be opened: then nothing was changed. To be called before
    // anything else, alone.
    void reseal(std::move_only_function<void(Result<std::size_t>)> done);

    // As engine/kv.h says. A document that cannot be opened is an error of get() and list(), and is
    // logged and told as it is by watch().
    void get(std::string key, EntryDone done) override;
    void put(std::string key, std::string value, Expect expect, RevisionDone done) override;
    void remove(std::string key, Expect expect, RevisionDone done) override;
    void list(std::string prefix, ListDone done) override;
    void watch(std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready)
        override;

 private:
    struct Resealing;
    void reseal_next(std::unique_ptr<Resealing> work);

    Kv& below_;
    const SecretBox& box_;
};

}  // namespace belfry
