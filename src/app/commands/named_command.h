// A command on one thing of the hub that takes nothing but its name.
#pragma once

#include "app/commands/commands.h"

#include <functional>
#include <string>

namespace belfry {

struct NamedCommand {
    std::string word;
    std::string summary;
    std::string example;  // a whole line
    std::function<ExitCode(const std::string& name, const Invocation&, Console&)> run;
};

void add_named(CommandArguments parent, Invocation& invocation, NamedCommand named);

}  // namespace belfry
