// The directory that holds a hub's log and state: made on the first start, and nobody else's.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <string>

namespace belfry {

// Makes it (0700) where it is missing. Refuses one that belongs to another user or that others may
// write to: whoever can replace files there can replace events. Blocks; before the loop runs.
[[nodiscard]] Result<void> prepare_data_directory(FileSystem& files, const std::string& directory);

}  // namespace belfry
