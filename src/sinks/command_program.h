// What is really run for a command: the program's path, its arguments, as whom, and what it finds
// in its environment. Looked up once, when the hub starts. May be called from any thread.
#pragma once

#include "base/error.h"
#include "sinks/command_definition.h"

#include <string>
#include <utility>
#include <vector>

namespace belfry {

struct CommandProgram {
    std::string path;
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // "NAME=value", the same for all runs
};

// `environment` is the hub's. Errors have `field`: `argv[0]` if PATH has no such program, `user` if
// there is none of that name or the hub may not become it. Another user is become by setpriv(1).
[[nodiscard]] Result<CommandProgram> find_command_program(
    const CommandDefinition& definition,
    const std::vector<std::pair<std::string, std::string>>& environment
);

}  // namespace belfry
