// The extensions that the variables of Steadybit's agent register:
//
//     STEADYBIT_AGENT_EVENTS_EXTENSIONS_<n>_URL        _METHOD  _BASIC_USERNAME  _BASIC_PASSWORD
//     STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_<n>_URL _METHOD  _BASIC_USERNAME  _BASIC_PASSWORD
//
//     STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_CHAIN_FILE, …_CERT_KEY_FILE   for the https ones
//
// Other types than EVENTS (ACTIONS, DISCOVERIES, ADVICE) are none of Belfry's business. Pure; may
// be called from any thread.
#pragma once

#include "catalog/extension.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace belfry {

struct ExtensionProblem {
    std::string where;  // a variable or a file
    std::string what;   // no password
};
struct FoundExtensions {
    std::vector<RegisteredExtension> extensions;  // no two with one identity
    std::vector<ExtensionProblem> problems;       // of those that are left out
    std::vector<ExtensionProblem> not_read;       // what has no effect, though nothing is left out
};

[[nodiscard]] FoundExtensions extensions_of_environment(
    std::span<const std::pair<std::string, std::string>> environment
);

}  // namespace belfry
