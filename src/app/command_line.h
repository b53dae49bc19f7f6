// The command line: parses, runs the chosen command, gives the exit code. One call a process; tests
// make more.
#pragma once

#include "app/commands/commands.h"

#include <cstdio>
#include <string>
#include <vector>

namespace belfry {

struct CommandLine {
    std::vector<std::string> arguments;  // without the program's name
    Environment environment;
    std::FILE* out = stdout;
    std::FILE* err = stderr;
};
[[nodiscard]] ExitCode run_command_line(const CommandLine& line);

}  // namespace belfry
