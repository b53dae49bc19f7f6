// DIR/log/dedup.key: the secret of the dedup window. Blocks; at start.
#pragma once

#include "base/file_system.h"
#include "base/rng.h"
#include "engine/embedded/dedup_window.h"

#include <string>

namespace belfry {

// Reads the key, or makes one if it is missing or damaged. Without room for it the key lives as
// long as the process: ids are then hashed anew after the next start.
[[nodiscard]] Result<DedupKey> load_dedup_key(
    FileSystem& files, Rng& rng, const std::string& directory
);
// Whether the file is what was written; not_found if there is none.
[[nodiscard]] Result<bool> dedup_key_intact(FileSystem& files, const std::string& directory);

}  // namespace belfry
