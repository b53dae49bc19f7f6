// A configuration as text: what `config show` prints, and the page docs/configuration.md. May be
// called from any thread.
#pragma once

#include "app/config.h"

#include <string>

namespace belfry {

enum class ShowOrigin : bool { no, yes };
// One line a setting, as a configuration file that reads back equal; the origin follows as a
// comment.
[[nodiscard]] std::string config_yaml(const LoadedConfig& loaded, ShowOrigin origin);
// {"http.listen": {"value": …, "origin": …}, …}
[[nodiscard]] std::string config_json(const LoadedConfig& loaded);
// The problems as lines "where: what".
[[nodiscard]] std::string problem_lines(const std::vector<ConfigProblem>& problems);

// docs/configuration.md as a whole.
[[nodiscard]] std::string configuration_page();

}  // namespace belfry
