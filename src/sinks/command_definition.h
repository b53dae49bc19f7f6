// What the setting `commands` defines: the programs that subscriptions may have run, by name. Only
// the configuration says what is run; a subscription only names it. Checked as a whole before the
// hub opens anything. May be called from any thread.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry {

struct CommandDefinition {
    enum class Format : std::uint8_t { cloudevents, consul };
    std::vector<std::string> argv;  // never empty; the first is a path or a name to look up
    std::string user;               // empty: the hub's
    std::vector<std::pair<std::string, std::string>> environment;
    std::optional<Duration> timeout;  // nullopt: the subscription's
    std::uint32_t concurrency = 1;
    Format format = Format::cloudevents;

    bool operator==(const CommandDefinition&) const = default;
};
using CommandDefinitions = std::map<std::string, CommandDefinition, std::less<>>;

// From {"<name>": {"argv": […], "user"?, "environment"?, "timeout"?, "concurrency"?, "format"?}}.
// Errors have `field`, a path such as `deploy.argv[0]`.
[[nodiscard]] Result<CommandDefinitions> parse_command_definitions(std::string_view text);

}  // namespace belfry
