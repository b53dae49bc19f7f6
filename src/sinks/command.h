// Command sink: one attempt is one run of a program that the configuration defines, with the event
// on its standard input. Exit 0 settles; every other end, and a program that cannot be run, is a
// failed attempt whose answer is the first KiB of its standard error. I/O thread only.
#pragma once

#include "hub/sink.h"
#include "sinks/commands.h"

#include <memory>
#include <string>

namespace belfry {

// bad_request with `field` if the configuration has no command of that name. `commands` must
// outlive the sink.
[[nodiscard]] Result<std::unique_ptr<Sink>> make_command_sink(
    const CommandSink& config, std::string subscription, Commands& commands
);

}  // namespace belfry
