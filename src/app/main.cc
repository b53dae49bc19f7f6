// belfry: the hub and the commands that talk to one.
#include "app/command_line.h"
#include "app/config.h"

#include <cstdio>
#include <exception>
#include <sys/prctl.h>
#include <sys/stat.h>

int main(int argc, char** argv) {
    // Before anything is read: files are ours alone, and no core dump or debugger of the same user
    // shows a secret.
    const mode_t umask_before = ::umask(077);
#if !__has_feature(address_sanitizer)  // the leak check attaches to its own process
    ::prctl(PR_SET_DUMPABLE, 0);
#endif
    try {
        belfry::CommandLine line;
        line.umask_before = umask_before;
        line.arguments.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
        line.environment = belfry::process_environment();
        return static_cast<int>(belfry::run_command_line(line));
    } catch (const std::exception& error) {
        // Out of memory, or a library that threw where none is expected to.
        std::fprintf(stderr, "belfry: %s\n", error.what());
        return static_cast<int>(belfry::ExitCode::failure);
    }
}
