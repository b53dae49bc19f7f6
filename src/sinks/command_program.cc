#include "sinks/command_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace belfry {

namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kPath = "/usr/local/bin:/usr/bin:/bin";
// Everything else of the hub's environment may be a secret.
constexpr auto kInherited =
    std::to_array<std::string_view>({"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ"});

struct User {
    uid_t id;
    gid_t group;
    std::string home;
};

Variables inherited(const std::vector<std::pair<std::string, std::string>>& environment) {
    Variables variables{{"PATH", std::string(kPath)}};
    for (const auto& [name, value] : environment) {
        if (std::ranges::find(kInherited, name) != kInherited.end()) {
            variables[name] = value;
        }
    }
    return variables;
}

bool is_program(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

// Only absolute directories of PATH: the hub's own is no place for programs.
std::optional<std::string> find_in_path(std::string_view name, std::string_view path) {
    while (!path.empty()) {
        const std::size_t end = std::min(path.find(':'), path.size());
        std::string candidate = fmt::format("{}/{}", path.substr(0, end), name);
        if (candidate.starts_with('/') && end > 0 && is_program(candidate)) {
            return candidate;
        }
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return std::nullopt;
}

Result<User> find_user(const std::string& name) {
    std::vector<char> buffer(16 * 1024);
    passwd entry{};
    passwd* found = nullptr;
    int error = ERANGE;
    while (error == ERANGE && buffer.size() <= 1024 * 1024) {
        buffer.resize(buffer.size() * 2);
        error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    }
    if (found == nullptr) {
        return fail(Errc::bad_request, "user", fmt::format("there is no user `{}` here", name));
    }
    return User{.id = entry.pw_uid, .group = entry.pw_gid, .home = entry.pw_dir};
}

// The program is run by one that becomes the user: nothing of the hub's memory is shared then.
Result<void> become(const User& user, const std::string& name, CommandProgram& program) {
    if (::geteuid() != 0) {
        return fail(
            Errc::bad_request,
            "user",
            fmt::format(
                "only a hub that root runs can run programs as another user, here `{}`", name
            )
        );
    }
    std::optional<std::string> setpriv = find_in_path("setpriv", kPath);
    if (!setpriv) {
        return fail(Errc::bad_request, "user", "setpriv(1) of util-linux is needed and not here");
    }
    program.argv.front() = program.path;
    program.argv.insert(
        program.argv.begin(),
        {"setpriv",
         fmt::format("--reuid={}", user.id),
         fmt::format("--regid={}", user.group),
         "--init-groups",
         "--inh-caps=-all",
         "--"}
    );
    program.path = *std::move(setpriv);
    return {};
}

}  // namespace

Result<CommandProgram> find_command_program(
    const CommandDefinition& definition,
    const std::vector<std::pair<std::string, std::string>>& environment
) {
    Variables variables = inherited(environment);
    CommandProgram program{
        .path = definition.argv.front(), .argv = definition.argv, .environment = {}
    };
    if (program.path.front() != '/') {
        std::optional<std::string> found = find_in_path(program.path, variables["PATH"]);
        if (!found) {
            return fail(
                Errc::bad_request, "argv[0]", fmt::format("PATH has no program `{}`", program.path)
            );
        }
        program.path = *std::move(found);
    }
    if (!definition.user.empty()) {
        Result<User> user = find_user(definition.user);
        if (!user) {
            return std::unexpected(std::move(user.error()));
        }
        if (user->id != ::geteuid()) {
            if (Result<void> good = become(*user, definition.user, program); !good) {
                return std::unexpected(std::move(good.error()));
            }
        }
        variables["HOME"] = user->home;
        variables["USER"] = variables["LOGNAME"] = definition.user;
    }
    for (const auto& [name, value] : definition.environment) {
        variables[name] = value;
    }
    for (const auto& [name, value] : variables) {
        program.environment.push_back(name + "=" + value);
    }
    return program;
}

}  // namespace belfry
