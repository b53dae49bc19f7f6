// What a command is told of an event: its standard input and its environment. Pure.
#pragma once

#include "hub/sink.h"
#include "sinks/command_definition.h"

#include <string>
#include <vector>

namespace belfry {

// cloudevents: the event in the JSON format; consul: an array with the event as Consul shows it.
[[nodiscard]] std::string command_input(CommandDefinition::Format format, const StoredEvent& event);

// `constant` and BELFRY_EVENT_ID, _EVENT_TYPE, _EVENT_SOURCE, _OFFSET, _SUBSCRIPTION, _ATTEMPT; in
// a replay BELFRY_REPLAY; in Consul's format CONSUL_INDEX.
[[nodiscard]] std::vector<std::string> command_environment(
    std::vector<std::string> constant,
    const CommandDefinition& definition,
    const std::string& subscription,
    const Attempt& attempt
);

}  // namespace belfry
