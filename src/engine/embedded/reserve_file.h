// DIR/log/reserve: zeros that keep room on the disk. When space ends, for the log or for State, it
// is unlinked, so that what must still be written (cursors, dead letters) has room; when twice as
// much is free it is made again. Log thread.
#pragma once

#include "base/file_system.h"

#include <cstdint>
#include <string>

namespace belfry {

// Makes the file longer by one step from `from` on and says how long it is now; `bytes` once
// complete. At `from` 0 a complete file is found complete, and one is begun only if twice `bytes`
// is free: else 0. On failure nothing of it is left.
[[nodiscard]] Result<std::uint64_t> grow_reserve_file(
    FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t bytes
);

}  // namespace belfry
