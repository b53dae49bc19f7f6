// What a refused or failed request is answered with: an ExtensionError of Steadybit's kits as JSON.
// Values and pure functions; any thread.
#pragma once

#include <string>

namespace belfry::eventkit {

struct Problem {
    std::string title;
    std::string detail = {};
    std::string type = {};
    std::string instance = {};
};

// Empty members but the title are left out; bytes that are not UTF-8 become `?`.
[[nodiscard]] std::string problem_json(const Problem& problem);

}  // namespace belfry::eventkit
