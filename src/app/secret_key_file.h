// The file with the keys that seal documents (`secrets.key_file`): read, or made at the first
// start.
#pragma once

#include "base/error.h"
#include "base/file_system.h"
#include "base/secret_box.h"

#include <string>

namespace belfry {

// `setting` is a path, or `auto` for `secrets.key` in the data directory, which is made (0600,
// durable) where it is missing. Refused: a file that others may read or write, that belongs to
// somebody else than us or root, that is no regular file. Blocks; before the loop runs.
[[nodiscard]] Result<SecretBox> open_secret_box(
    FileSystem& files, const std::string& setting, const std::string& data_directory
);

}  // namespace belfry
