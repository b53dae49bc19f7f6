#include "app/commands/config_flags.h"

namespace belfry {

void ConfigFlags::add_to(CommandArguments command) {
    command.add_option("--config", file_, "configuration file (docs/configuration.md)");
    command.add_option("--listen", listen_, "address and port, as http.listen");
    command.add_option("--data", data_, "data directory, as data");
    command.add_flag("--insecure", insecure_, "serve other machines without tokens, as insecure");
    command.add_option("--set", sets_, "any setting, as KEY=VALUE; may be repeated")
        .one_value_each();
}

ConfigSources ConfigFlags::sources(std::vector<std::pair<std::string, std::string>> environment
) const {
    ConfigSources sources{.file = file_, .environment = std::move(environment), .flags = {}};
    for (const std::string& set : sets_) {
        std::size_t equals = set.find('=');
        std::string value = equals == std::string::npos ? "" : set.substr(equals + 1);
        sources.flags.push_back(
            {.flag = "--set", .key = set.substr(0, equals), .value = std::move(value)}
        );
    }
    if (!listen_.empty()) {
        sources.flags.push_back({.flag = "--listen", .key = "http.listen", .value = listen_});
    }
    if (!data_.empty()) {
        sources.flags.push_back({.flag = "--data", .key = "data", .value = data_});
    }
    if (insecure_) {
        sources.flags.push_back({.flag = "--insecure", .key = "insecure", .value = "true"});
    }
    return sources;
}

}  // namespace belfry
