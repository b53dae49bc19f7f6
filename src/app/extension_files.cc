#include "app/extension_files.h"

#include "app/config_yaml.h"
#include "base/file_system.h"
#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <span>

namespace belfry {

namespace {

namespace json = boost::json;

// The members of a registration, as the API has them.
constexpr std::array<std::string_view, 9> kMembers{
    "name",
    "url",
    "unixSocket",
    "method",
    "basic",
    "tls",
    "pathResolution",
    "profile",
    "delivery",
};

// The first level of a file: each key with its value as JSON.
class FileReader {
 public:
    Result<void> read(std::string_view yaml, const Limits& limits) {
        const std::optional<YamlProblem> bad = read_config_yaml(
            yaml,
            limits,
            [this](const YamlLeaf& leaf) {
                take(leaf);
                return true;
            },
            [](std::span<const YamlKey> path) { return path.size() == 1; }
        );
        if (bad) {
            return fail(Errc::bad_request, fmt::format("line {}: {}", bad->place.line, bad->what));
        }
        return {};
    }

    // {} with the members that a registration has.
    [[nodiscard]] const json::object& members() const { return members_; }
    [[nodiscard]] const std::optional<json::value>& types() const { return types_; }

 private:
    void take(const YamlLeaf& leaf) {
        const std::string& key = leaf.path.front().name;
        if (leaf.kind != YamlLeaf::Kind::text && leaf.kind != YamlLeaf::Kind::document) {
            return;  // nothing
        }
        json::value value(json::string(leaf.text));
        if (leaf.kind == YamlLeaf::Kind::document) {
            Result<json::value> document = parse_json(leaf.text, Limits());
            value = document ? *std::move(document) : json::value();
        }
        if (key == "types") {
            types_ = std::move(value);
        } else if (std::ranges::find(kMembers, key) != kMembers.end()) {
            members_[key] = std::move(value);
        }
    }

    json::object members_;
    std::optional<json::value> types_;
};

bool is_about_events(std::string_view type) {
    std::string upper(type);
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return upper == "EVENT" || upper == "EVENTS";
}

Result<bool> has_events(const std::optional<json::value>& types) {
    if (!types || types->is_null()) {
        return true;
    }
    const json::array* list = types->if_array();
    if (list == nullptr) {
        return fail(Errc::bad_request, "`types` is a list such as [EVENT, ACTION]");
    }
    bool found = false;
    for (const json::value& type : *list) {
        const json::string* text = type.if_string();
        if (text == nullptr) {
            return fail(Errc::bad_request, "`types` is a list such as [EVENT, ACTION]");
        }
        found = found || is_about_events({text->data(), text->size()});
    }
    return found;
}

bool is_ours(std::string_view name) {
    return name.starts_with("extension-") && name.ends_with(".yaml");
}

// At most what the reader of YAML takes and one byte more, so that it can say that it is too much.
Result<std::string> text_of(const std::string& path, const Limits& limits) {
    Result<std::unique_ptr<File>> file = posix_file_system().open(path, OpenMode::read);
    if (!file) {
        return std::unexpected(std::move(file.error()));
    }
    std::string text(limits.yaml_bytes + 1, '\0');
    const Result<std::size_t> read = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    if (!read) {
        return std::unexpected(read.error());
    }
    text.resize(*read);
    return text;
}

}  // namespace

Result<std::optional<RegisteredExtension>> parse_extension_file(
    std::string_view yaml, const ExtensionDefaults& defaults, const Limits& limits
) {
    FileReader file;
    if (Result<void> read = file.read(yaml, limits); !read) {
        return std::unexpected(std::move(read.error()));
    }
    const Result<bool> events = has_events(file.types());
    if (!events) {
        return std::unexpected(events.error());
    }
    if (!*events) {
        return std::nullopt;
    }
    Result<RegisteredExtension> extension =
        parse_extension(json::serialize(file.members()), defaults, limits);
    if (!extension) {
        return std::unexpected(std::move(extension.error()));
    }
    extension->origin = RegisteredExtension::Origin::drop_in;
    return *std::move(extension);
}

FoundExtensions extensions_in_directory(
    const std::string& directory, const ExtensionDefaults& defaults, const Limits& limits
) {
    FoundExtensions found;
    std::error_code error;
    if (directory == "none" ||
        std::filesystem::status(directory, error).type() == std::filesystem::file_type::not_found) {
        return found;
    }
    const Result<std::vector<std::string>> files = posix_file_system().list(directory);
    if (!files) {
        found.problems.push_back({.where = directory, .what = files.error().detail});
        return found;
    }
    for (const std::string& name : *files) {
        if (!is_ours(name)) {
            continue;
        }
        const std::string path = std::filesystem::path(directory) / name;
        const Result<std::string> text = text_of(path, limits);
        Result<std::optional<RegisteredExtension>> extension =
            text ? parse_extension_file(*text, defaults, limits) : std::unexpected(text.error());
        if (!extension) {
            found.problems.push_back({.where = path, .what = extension.error().detail});
        } else if (*extension &&
                   std::ranges::find(
                       found.extensions, (*extension)->identity(), &RegisteredExtension::identity
                   ) == found.extensions.end()) {
            found.extensions.push_back(**std::move(extension));
        }
    }
    return found;
}

}  // namespace belfry
