// CRC32C (Castagnoli), the checksum of everything Belfry puts on disk. Uses SSE4.2 where the
// processor has it. Any thread.
#pragma once

#include "base/file_system.h"

#include <cstdint>

namespace belfry {

// The CRC of `bytes` begun at `seed`: 0 gives the standard CRC32C; a CRC as seed goes on where that
// one ended; a random seed makes a checksum that bytes written under another seed do not pass.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t seed, Bytes bytes);

// The same without the processor's instruction, so that a test can hold one against the other.
[[nodiscard]] std::uint32_t crc32c_software(std::uint32_t seed, Bytes bytes);

}  // namespace belfry
