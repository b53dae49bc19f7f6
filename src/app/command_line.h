// The command line: parses, runs the chosen command, gives the exit code. One call a process; tests
// make more.
#pragma once

#include "app/commands/commands.h"

#include <cstdio>
#include <string>
#include <sys/types.h>
#include <vector>

namespace belfry {

struct CommandLine {
    std::vector<std::string> arguments;  // without the program's name
    Environment environment;
    mode_t umask_before = 022;  // what commands that are run get back
    std::FILE* out = stdout;
    std::FILE* err = stderr;
};
[[nodiscard]] ExitCode run_command_line(const CommandLine& line);

}  // namespace belfry
