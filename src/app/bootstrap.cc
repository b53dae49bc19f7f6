#include "app/bootstrap.h"

#include "app/data_directory.h"
#include "app/secret_key_file.h"
#include "auth/token_secret.h"
#include "base/file_system.h"
#include "base/logging.h"
#include "base/rng.h"
#include "base/worker_thread.h"
#include "catalog/sealed_kv.h"
#include "engine/embedded/sqlite_stores.h"
#include "net/loop.h"

#include <optional>
#include <string_view>
#include <unistd.h>

namespace belfry {

namespace {

// Runs the loop until what `begin` begins is done.
Result<void> wait_for(Loop& loop, std::move_only_function<void(AccessDocuments::Done)> begin) {
    std::optional<Result<void>> outcome;
    begin([&](Result<void> done) {
        outcome = std::move(done);
        loop.stop();
    });
    loop.run();
    return outcome ? *std::move(outcome) : fail(Errc::unavailable, "stopped");
}

IssuedToken operator_token(const Loop& loop) {
    IssuedToken issued{.token = {}, .secret = new_token_secret(system_rng())};
    issued.token.id = new_token_id(system_rng());
    issued.token.hash = token_hash(issued.secret);
    issued.token.policies = {std::string(kOperatorPolicy)};
    issued.token.description = "made by `belfry token bootstrap`";
    issued.token.created = loop.wall();
    issued.token.created_by = "bootstrap";
    return issued;
}

std::string_view act_name(Bootstrap bootstrap) {
    return bootstrap == Bootstrap::first ? "token bootstrap" : "token bootstrap --replace";
}

// The line that the audit of a hub's routes would write, had it been asked.
void note_done(Bootstrap bootstrap, const IssuedToken& issued, std::string_view revoked) {
    log_info(
        "audit",
        {{"act", act_name(bootstrap)},
         {"user", getuid()},
         {"result", "done"},
         {"made", issued.token.id},
         {"revoked", revoked.empty() ? "none" : revoked}}
    );
}
void note_refused(Bootstrap bootstrap, const Error& error) {
    const bool denied = error.code == Errc::conflict;
    log_info(
        "audit",
        {{"act", act_name(bootstrap)}, {"user", getuid()}, {"result", denied ? "denied" : "failed"}}
    );
}

Result<IssuedToken> make_token(Loop& loop, AccessDocuments& documents, Bootstrap bootstrap) {
    Result<void> read = wait_for(loop, [&](AccessDocuments::Done done) {
        documents.start([] {}, [done = std::move(done)]() mutable { done({}); });
    });
    if (!read) {
        return std::unexpected(std::move(read.error()));
    }
    const std::string before = documents.bootstrap_token();
    if (!before.empty() && bootstrap == Bootstrap::first) {
        return fail(
            Errc::conflict,
            "this hub has been bootstrapped, with the token " + before +
                "; --replace revokes that one and makes another"
        );
    }
    // The token, then the mark: a crash between them leaves a token whose secret nobody knows.
    IssuedToken issued = operator_token(loop);
    Result<void> written = wait_for(loop, [&](AccessDocuments::Done done) {
        documents.put_token(issued.token, std::move(done));
    });
    if (written) {
        written = wait_for(loop, [&](AccessDocuments::Done done) {
            documents.put_bootstrap(issued.token.id, std::move(done));
        });
    }
    const bool replaces = documents.find_token(before) != nullptr;
    if (written && replaces) {
        written = wait_for(loop, [&](AccessDocuments::Done done) {
            documents.remove_token(before, std::move(done));
        });
    }
    if (!written) {
        return std::unexpected(std::move(written.error()));
    }
    note_done(bootstrap, issued, replaces ? before : "");
    return issued;
}

Result<IssuedToken> make_token_in(const Config& config, Bootstrap bootstrap) {
    FileSystem& files = posix_file_system();
    if (Result<void> prepared = prepare_data_directory(files, config.data); !prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    // In order of need; the thread ends before the loop goes.
    Loop loop;
    WorkerThread thread("belfry-sqlite");
    Result<SqliteStores> stores = open_sqlite_stores(config.data, loop, thread);
    if (!stores) {
        return std::unexpected(std::move(stores.error()));
    }
    Result<SecretBox> box = open_secret_box(files, config.secrets_key_file, config.data);
    if (!box) {
        return std::unexpected(std::move(box.error()));
    }
    SealedKv kv(*stores->kv, *box);
    AccessDocuments documents(kv);
    return make_token(loop, documents, bootstrap);
}

}  // namespace

Result<IssuedToken> bootstrap_token(const Config& config, Bootstrap bootstrap) {
    Result<IssuedToken> issued = make_token_in(config, bootstrap);
    if (!issued) {
        note_refused(bootstrap, issued.error());
    }
    return issued;
}

}  // namespace belfry
