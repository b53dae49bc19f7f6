#include "engine/embedded/embedded_log.h"

#include "base/in_order.h"
#include "engine/embedded/dedup_key_file.h"
#include "engine/embedded/log_recovery.h"
#include "engine/embedded/segment_log.h"

namespace belfry {

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(
    EmbeddedLogOptions options, EmbeddedLogPorts ports
) {
    std::string directory = log_directory(options);
    auto made = in_order(
        [&] { return ports.files.make_directory(options.directory); },
        [&] { return ports.files.make_directory(directory); }
    );
    if (!made) {
        return std::unexpected(made.error());
    }
    auto lock = ports.files.lock(options.directory + "/lock");
    if (!lock) {
        if (lock.error().code == Errc::conflict) {
            return fail(
                Errc::conflict,
                "another process uses the data directory " + options.directory +
                    "; stop it, or choose another directory"
            );
        }
        return std::unexpected(lock.error());
    }
    // The names of the directories themselves must survive a power cut.
    auto synced = ports.files.sync_directory(options.directory);
    if (!synced) {
        return std::unexpected(synced.error());
    }
    auto key = load_dedup_key(ports.files, ports.rng, directory);
    if (!key) {
        return std::unexpected(key.error());
    }
    auto recovered = recover_log(options, ports.files, ports.clock, ports.rng, *key);
    if (!recovered) {
        return std::unexpected(recovered.error());
    }
    return std::make_unique<SegmentLog>(
        std::move(options), ports, std::move(*lock), *key, std::move(*recovered)
    );
}

}  // namespace belfry
