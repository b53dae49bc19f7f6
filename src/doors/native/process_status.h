// What the kernel says about this process. I/O thread; reads a few files of /proc, which never
// touch a disk.
#pragma once

#include <cstdint>

namespace belfry {

struct ProcessStatus {
    double cpu_seconds = 0;
    double start_seconds = 0;  // since 1970
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t open_fds = 0;
    std::uint64_t max_fds = 0;
};

// What cannot be read stays 0.
[[nodiscard]] ProcessStatus read_process_status();

}  // namespace belfry
