#include "sinks/command_input.h"

#include "event/cloudevents_json.h"
#include "event/consul_json.h"

#include <fmt/format.h>

namespace belfry {

std::string command_input(CommandDefinition::Format format, const StoredEvent& event) {
    std::string out;
    switch (format) {
        case CommandDefinition::Format::cloudevents:
            append_event_json(event, LogMembers::leave_out, out);
            break;
        case CommandDefinition::Format::consul:
            out += '[';
            append_consul_event(event, out);
            out += ']';
            break;
    }
    return out;
}

std::vector<std::string> command_environment(
    std::vector<std::string> constant,
    const CommandDefinition& definition,
    const std::string& subscription,
    const Attempt& attempt
) {
    const StoredEvent& event = attempt.event;
    std::vector<std::string> environment = std::move(constant);
    environment.push_back("BELFRY_EVENT_ID=" + event.id());
    environment.push_back(fmt::format("BELFRY_EVENT_TYPE={}", event.event.type));
    environment.push_back(fmt::format("BELFRY_EVENT_SOURCE={}", event.event.source));
    environment.push_back(fmt::format("BELFRY_OFFSET={}", event.offset.value));
    environment.push_back("BELFRY_SUBSCRIPTION=" + subscription);
    environment.push_back(fmt::format("BELFRY_ATTEMPT={}", attempt.number));
    if (!attempt.replay.empty()) {
        environment.push_back("BELFRY_REPLAY=" + attempt.replay);
    }
    if (definition.format == CommandDefinition::Format::consul) {
        environment.push_back(fmt::format("CONSUL_INDEX={}", event.offset.value + 2));
    }
    return environment;
}

}  // namespace belfry
