#include "app/config.h"

#include "app/config_yaml.h"
#include "app/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <optional>
#include <set>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::string_view kPrefix = "BELFRY_";
// Who made so many mistakes corrects these first.
constexpr std::size_t kProblemsMax = 50;
// The command line's own variables, which name a hub to talk to.
constexpr auto kClientVariables = std::to_array<std::string_view>({"BELFRY_URL", "BELFRY_TOKEN"});

// One value on its way into a Config.
struct Assignment {
    const Setting* setting = nullptr;
    std::string value;
    std::string origin;
};

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
    if (std::optional<std::string_view> nearest = nearest_name(name, known)) {
        return fmt::format("; did you mean `{}`?", *nearest);
    }
    return "; `belfry config show` lists all of them";
}

std::vector<std::string_view> setting_keys() {
    std::vector<std::string_view> keys;
    for (const Setting& setting : settings()) {
        keys.push_back(setting.key);
    }
    return keys;
}

bool is_document(const Setting* setting) {
    return setting != nullptr && setting->type == SettingType::json;
}

// `whole` is `key` and the names below it, if it has any.
std::string unknown_key(std::string_view key, std::string_view whole) {
    for (const Setting& setting : settings()) {
        if (is_document(&setting) && key.starts_with(setting.key + ".")) {
            return fmt::format(
                "`{}` is one value; write `{}` below it, without the dot",
                setting.key,
                key.substr(setting.key.size() + 1)
            );
        }
    }
    const std::vector<std::string_view> keys = setting_keys();
    std::optional<std::string_view> nearest = nearest_name(key, keys);
    // Below a mistyped document there may be any names.
    if (nearest && is_document(find_setting(*nearest))) {
        return fmt::format("unknown key `{}`; did you mean `{}`?", key, *nearest);
    }
    return fmt::format("unknown key `{}`{}", whole, suggestion(whole, keys));
}

// What is wrong with a setting's value. `error` may know where inside a document.
std::string bad_value(const Setting& setting, const Error& error) {
    if (!error.field.empty() && error.detail.find("\"" + error.field) == std::string::npos) {
        return fmt::format("`{}`: \"{}\": {}", setting.key, error.field, error.detail);
    }
    return fmt::format("`{}`: {}", setting.key, error.detail);
}

std::string joined(std::span<const YamlKey> path) {
    std::string key;
    for (const YamlKey& part : path) {
        key += (key.empty() ? "" : ".") + part.name;
    }
    return key;
}

// Whether `path` is a section: some key lies below it.
bool is_section(std::string_view path) {
    return std::ranges::any_of(settings(), [&](const Setting& setting) {
        return setting.key.size() > path.size() && setting.key.starts_with(path) &&
               setting.key[path.size()] == '.';
    });
}

class Loader {
 public:
    std::expected<LoadedConfig, std::vector<ConfigProblem>> load(const ConfigSources& sources) {
        // Each source after the ones that it passes; among flags the last one counts.
        take_environment(sources.environment);
        take_flags(sources.flags);
        std::vector<Assignment> outer = std::exchange(assignments_, {});
        if (!sources.file.empty()) {
            take_file(sources.file, limits_after(outer));
        }
        std::vector<std::string> origins(settings().size(), "default");
        assign(assignments_, origins);
        assign(outer, origins);
        check_together(origins);
        if (!problems_.empty()) {
            return std::unexpected(std::move(problems_));
        }
        return LoadedConfig{.config = std::move(config_), .origins = std::move(origins)};
    }

 private:
    void problem(std::string where, std::string what) {
        problems_.push_back({.where = std::move(where), .what = std::move(what)});
    }

    void take_flags(const std::vector<FlagSetting>& flags) {
        for (const FlagSetting& flag : flags) {
            const Setting* setting = find_setting(flag.key);
            if (setting == nullptr) {
                problem(flag.flag, unknown_key(flag.key, flag.key));
                continue;
            }
            assignments_.push_back({.setting = setting, .value = flag.value, .origin = flag.flag});
        }
    }

    // A name with `__` is one of ours or an error; so is one that only lacks underscores. Others
    // that begin with BELFRY_ may come from anywhere (Kubernetes makes them for a service named
    // belfry).
    void take_environment(const std::vector<std::pair<std::string, std::string>>& environment) {
        std::map<std::string, const Setting*> known;
        std::vector<std::string_view> names;
        for (const Setting& setting : settings()) {
            auto [entry, is_new] = known.emplace(environment_name(setting.key), &setting);
            names.push_back(entry->first);
        }
        for (const auto& [name, value] : environment) {
            if (!name.starts_with(kPrefix) ||
                std::ranges::find(kClientVariables, name) != kClientVariables.end()) {
                continue;
            }
            if (auto found = known.find(name); found != known.end()) {
                assignments_.push_back({.setting = found->second, .value = value, .origin = name});
            } else if (name.find("__") != std::string::npos || lacks_underscores(name, names)) {
                problem(name, "not the name of a setting" + suggestion(name, names));
            }
        }
    }

    static bool lacks_underscores(
        std::string_view name, const std::vector<std::string_view>& names
    ) {
        auto single = [](std::string_view text) {
            std::string out;
            std::ranges::unique_copy(text, std::back_inserter(out), [](char a, char b) {
                return a == '_' && b == '_';
            });
            return out;
        };
        return std::ranges::any_of(names, [&](std::string_view known) {
            return single(known) == name;
        });
    }

    // The limits that a file is read under come from everywhere but the file.
    static Limits limits_after(const std::vector<Assignment>& outer) {
        Config config;
        for (const Assignment& assignment : outer) {
            if (!set_setting(*assignment.setting, assignment.value, config)) {
                continue;  // reported when it is assigned for good
            }
        }
        return config.limits;
    }

    void take_file(const std::string& path, const Limits& limits) {
        Result<std::string> text = read_file(path, limits.yaml_bytes);
        if (!text) {
            problem(path, text.error().detail);
            return;
        }
        std::set<const Setting*> seen;
        std::optional<YamlProblem> bad = read_config_yaml(
            *text,
            limits,
            [&](const YamlLeaf& leaf) {
                take_leaf(path, leaf, seen);
                return problems_.size() < kProblemsMax;
            },
            [](std::span<const YamlKey> keys) { return is_document(find_setting(joined(keys))); }
        );
        if (bad) {
            problem(origin_in(path, bad->place), bad->what);
        }
    }

    // At most `bytes_max` and one more, so that the reader of YAML can say that it is too much.
    static Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
        int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (descriptor < 0) {
            return fail(Errc::not_found, fmt::format("cannot be opened: {}", std::strerror(errno)));
        }
        std::string text;
        std::array<char, 16 * 1024> buffer;
        ssize_t count = 1;
        while (count != 0 && text.size() <= bytes_max) {
            count = ::read(descriptor, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count < 0) {
                int error = errno;
                ::close(descriptor);
                return fail(
                    Errc::internal, fmt::format("cannot be read: {}", std::strerror(error))
                );
            }
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
        ::close(descriptor);
        return text;
    }

    static std::string origin_in(const std::string& path, YamlPlace place) {
        return fmt::format("{}:{}:{}", path, place.line, place.column);
    }

    void take_leaf(const std::string& path, const YamlLeaf& leaf, std::set<const Setting*>& seen) {
        std::string key;
        for (std::size_t i = 0; i < leaf.path.size(); ++i) {
            key += (i == 0 ? "" : ".") + leaf.path[i].name;
            bool last = i + 1 == leaf.path.size();
            if (is_section(key) || (last && find_setting(key) != nullptr)) {
                continue;
            }
            if (find_setting(key) != nullptr) {
                problem(
                    origin_in(path, leaf.path[i + 1].place),
                    fmt::format("`{}` needs one value", key)
                );
                return;
            }
            // The first name that leads nowhere is the wrong one; the whole path helps to guess.
            problem(origin_in(path, leaf.path[i].place), unknown_key(key, joined(leaf.path)));
            return;
        }
        const Setting* setting = find_setting(key);
        std::string origin = origin_in(path, leaf.place);
        if (setting == nullptr) {
            if (leaf.kind != YamlLeaf::Kind::nothing) {
                problem(
                    origin, fmt::format("`{}` is a section; settings are expected below it", key)
                );
            }
            return;
        }
        if (is_document(setting) && leaf.kind == YamlLeaf::Kind::nothing) {
            return;  // as an empty section
        }
        if (leaf.kind != YamlLeaf::Kind::text && leaf.kind != YamlLeaf::Kind::document) {
            problem(origin, fmt::format("`{}` needs one value", key));
            return;
        }
        if (!seen.insert(setting).second) {
            problem(origin, fmt::format("`{}` stands in this file twice", key));
            return;
        }
        if (leaf.kind == YamlLeaf::Kind::document && !check_document(path, leaf, *setting)) {
            return;
        }
        assignments_.push_back(
            {.setting = setting, .value = std::string(leaf.text), .origin = std::move(origin)}
        );
    }

    // Judged while the file is at hand, because then the place inside of it is known.
    bool check_document(const std::string& path, const YamlLeaf& leaf, const Setting& setting) {
        Config scratch;
        Result<void> good = set_setting(setting, leaf.text, scratch);
        if (!good) {
            const Error& error = good.error();
            const YamlPart part =
                error.code == Errc::unknown_field ? YamlPart::key : YamlPart::value;
            problem(
                origin_in(path, yaml_place(leaf, error.field, part)), bad_value(setting, error)
            );
        }
        return good.has_value();
    }

    void assign(const std::vector<Assignment>& assignments, std::vector<std::string>& origins) {
        for (const Assignment& assignment : assignments) {
            Result<void> set = set_setting(*assignment.setting, assignment.value, config_);
            if (!set) {
                problem(assignment.origin, bad_value(*assignment.setting, set.error()));
                continue;
            }
            auto row = static_cast<std::size_t>(assignment.setting - settings().data());
            origins[row] = assignment.origin;
        }
    }

    // Settings that contradict one another; the one that was set is to blame.
    void check_together(const std::vector<std::string>& origins) {
        struct Order {
            std::string_view least_key;
            std::uint64_t least;
            std::string_view most_key;
            std::uint64_t most;
        };
        const auto orders = std::to_array<Order>({
            {"limits.body_bytes",
             config_.limits.body_bytes,
             "limits.batch_bytes",
             config_.limits.batch_bytes},
            {"limits.batch_bytes",
             config_.limits.batch_bytes,
             "log.pending_bytes",
             config_.log_pending_bytes},
            {"limits.header_bytes",
             config_.limits.header_bytes,
             "limits.headers_bytes",
             config_.limits.headers_bytes},
            {"log.retention.bytes",
             config_.log_retention_hard_bytes == 0 ? 0 : config_.log_retention_bytes,
             "log.retention.hard_bytes",
             config_.log_retention_hard_bytes},
        });
        for (const Order& order : orders) {
            if (order.least <= order.most) {
                continue;
            }
            auto origin_of = [&](std::string_view key) {
                return origins[static_cast<std::size_t>(find_setting(key) - settings().data())];
            };
            std::string where = origin_of(order.least_key);
            problem(
                where == "default" ? origin_of(order.most_key) : where,
                fmt::format("`{}` must not be larger than `{}`", order.least_key, order.most_key)
            );
        }
    }

    Config config_;
    std::vector<Assignment> assignments_;
    std::vector<ConfigProblem> problems_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> process_environment() {
    std::vector<std::pair<std::string, std::string>> environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        std::string_view text = *entry;
        std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return environment;
}

std::expected<LoadedConfig, std::vector<ConfigProblem>> load_config(const ConfigSources& sources) {
    return Loader().load(sources);
}

}  // namespace belfry
