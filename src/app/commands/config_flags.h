// The flags that make up a configuration, the same for every command that needs one. Lives as long
// as the parser.
#pragma once

#include "app/command_arguments.h"
#include "app/config.h"

#include <string>
#include <utility>
#include <vector>

namespace belfry {

class ConfigFlags {
 public:
    // --config, --listen, --data, --insecure, --set.
    void add_to(CommandArguments command);
    // After parsing; a --set without `=` becomes a key that does not exist, which load_config()
    // reports.
    [[nodiscard]] ConfigSources sources(std::vector<std::pair<std::string, std::string>> environment
    ) const;

 private:
    std::string file_;
    std::string listen_;
    std::string data_;
    bool insecure_ = false;
    std::vector<std::string> sets_;
};

}  // namespace belfry
