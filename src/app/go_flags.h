// The flags of Consul's commands as our parser knows them. `belfry event` and `belfry watch` take
// what scripts give to Consul: long flags with one dash. Pure.
#pragma once

#include <string>
#include <vector>

namespace belfry {

// The arguments of the whole command line; of other commands they come back as they are. Of `event`
// and `watch`, "-name=x" and "-name x" become "--name" "x" (which may be empty or begin with a
// dash), "-shell=false" becomes "--shell=false"; what follows the first word of watch's own command
// is left alone, behind "--".
[[nodiscard]] std::vector<std::string> with_double_dashes(const std::vector<std::string>& arguments
);

}  // namespace belfry
