#include "app/go_flags.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace belfry {

namespace {

bool takes_value(std::string_view flag) {
    static constexpr std::array<std::string_view, 10> kFlags = {
        "name",
        "node",
        "service",
        "tag",
        "type",
        "state",
        "url",
        "http-addr",
        "ca-file",
        "token-file"
    };
    return std::ranges::find(kFlags, flag) != kFlags.end();
}

// Where the command's word stands; the size if there is none.
std::size_t command_position(const std::vector<std::string>& arguments) {
    std::size_t i = 0;
    while (i < arguments.size() && arguments[i].starts_with('-')) {
        const std::string_view word = arguments[i];
        const bool has_own_value = word == "--url" || word == "--ca-file" || word == "--token-file";
        i += has_own_value ? 2 : 1;
    }
    return std::min(i, arguments.size());
}

}  // namespace

std::vector<std::string> with_double_dashes(const std::vector<std::string>& arguments) {
    std::size_t i = command_position(arguments);
    if (i == arguments.size() || (arguments[i] != "event" && arguments[i] != "watch")) {
        return arguments;
    }
    const bool runs_command = arguments[i] == "watch";
    const auto at = [&](std::size_t index) {
        return arguments.begin() + static_cast<std::ptrdiff_t>(index);
    };
    std::vector<std::string> out(arguments.begin(), at(++i));
    while (i < arguments.size()) {
        const std::string_view word = arguments[i];
        if (word == "--") {
            break;
        }
        if (word.size() < 2 || !word.starts_with('-')) {
            if (runs_command) {
                out.emplace_back("--");
                break;
            }
            out.push_back(arguments[i++]);
            continue;
        }
        ++i;
        const std::string_view flag = word.substr(word.starts_with("--") ? 2 : 1);
        const std::size_t equals = flag.find('=');
        const std::string_view name = flag.substr(0, equals);
        if (name.size() == 1) {
            out.emplace_back(word);  // -q, -h
        } else if (!takes_value(name)) {
            out.push_back("--" + std::string(flag));
        } else if (equals != std::string_view::npos) {
            out.push_back("--" + std::string(name));
            out.emplace_back(flag.substr(equals + 1));
        } else {
            out.push_back("--" + std::string(name));
            if (i < arguments.size()) {
                out.push_back(arguments[i++]);
            }
        }
    }
    out.insert(out.end(), at(i), arguments.end());
    return out;
}

}  // namespace belfry
