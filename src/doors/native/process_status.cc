#include "doors/native/process_status.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace belfry {

namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The boot time plus the process's start in ticks after it: field 22 of stat, the 20th behind the
// name, which stands in parentheses and may hold anything.
double start_time() {
    std::ifstream stat("/proc/self/stat");
    std::string line;
    std::getline(stat, line);
    std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) {
        return 0;
    }
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) {
        fields >> skipped;
    }
    double ticks = 0;
    fields >> ticks;

    std::ifstream kernel("/proc/stat");
    double boot = 0;
    while (std::getline(kernel, line)) {
        if (line.starts_with("btime ")) {
            std::istringstream(line.substr(6)) >> boot;
        }
    }
    return boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessStatus read_process_status() {
    ProcessStatus status;
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        status.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        status.max_fds = files.rlim_cur;
    }
    std::uint64_t virtual_pages = 0;
    std::uint64_t resident_pages = 0;
    std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
    auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    status.virtual_bytes = virtual_pages * page;
    status.resident_bytes = resident_pages * page;
    std::error_code failed;
    for (std::filesystem::directory_iterator entry("/proc/self/fd", failed), end;
         !failed && entry != end;
         entry.increment(failed)) {
        ++status.open_fds;
    }
    static const double kStart = start_time();  // constant while we live
    status.start_seconds = kStart;
    return status;
}

}  // namespace belfry
