// Variables of Steadybit's agent, one a line. Whatever they hold, each registration becomes an
// extension that can be stored, or a problem that names its variable.
#include "app/extension_environment.h"
#include "base/assert.h"
#include "catalog/extension_document.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<std::pair<std::string, std::string>> environment;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        }
    }
    const belfry::FoundExtensions found = belfry::extensions_of_environment(environment);
    ASSERT(found.extensions.size() + found.problems.size() <= environment.size());
    for (const belfry::RegisteredExtension& extension : found.extensions) {
        const auto again = belfry::parse_stored_extension(belfry::stored_extension_json(extension));
        ASSERT(again.has_value() && *again == extension);
    }
    for (const belfry::ExtensionProblem& problem : found.problems) {
        ASSERT(problem.where.starts_with("STEADYBIT_AGENT_") && !problem.what.empty());
    }
    return 0;
}
