#include "app/extension_environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

namespace belfry {

namespace {

constexpr std::array<std::string_view, 2> kPrefixes{
    "STEADYBIT_AGENT_EVENTS_EXTENSIONS_", "STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_"
};
constexpr std::uint32_t kIndexMost = 9'999;
// What the agent shows to https extensions, whichever variable registers them.
constexpr std::string_view kCertificate = "STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_CHAIN_FILE";
constexpr std::string_view kKey = "STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_KEY_FILE";

struct NotRead {
    std::string_view variable;
    std::string_view instead;
};
constexpr std::array<NotRead, 4> kNotRead{{
    {"STEADYBIT_AGENT_EXTENSIONS_CLIENT_CERT_PASSWORD", "not read: give a key without a password"},
    {"STEADYBIT_AGENT_EXTRA_CERTS_PATH",
     "not read: name the file of authorities in the setting outbound.tls.ca"},
    {"STEADYBIT_AGENT_EXTENSIONS_HOSTNAME_VERIFICATION",
     "not read: the names of certificates are always checked"},
    {"STEADYBIT_AGENT_EXTENSIONS_INSECURE_SKIP_VERIFY", "not read: certificates are always checked"
    },
}};

// One registration: which of the prefixes, and its number.
using Place = std::pair<std::size_t, std::uint32_t>;

struct Variables {
    std::optional<std::string> url;
    std::optional<std::string> method;
    std::optional<std::string> username;
    std::optional<std::string> password;
};

struct Name {
    Place place;
    std::string_view member;  // "URL", "METHOD" …
};

std::optional<Name> read_name(std::string_view text) {
    for (std::size_t i = 0; i < kPrefixes.size(); ++i) {
        if (!text.starts_with(kPrefixes[i])) {
            continue;
        }
        text.remove_prefix(kPrefixes[i].size());
        std::uint32_t number = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        if (error != std::errc() || stop == end || *stop != '_' || number > kIndexMost) {
            return std::nullopt;
        }
        return Name{{i, number}, std::string_view(stop + 1, end)};
    }
    return std::nullopt;
}

std::optional<std::string>* member_of(Variables& variables, std::string_view name) {
    if (name == "URL") {
        return &variables.url;
    }
    if (name == "METHOD") {
        return &variables.method;
    }
    if (name == "BASIC_USERNAME") {
        return &variables.username;
    }
    return name == "BASIC_PASSWORD" ? &variables.password : nullptr;
}

std::string name_of(const Place& place, std::string_view member) {
    return std::string(kPrefixes[place.first]) + std::to_string(place.second) + "_" +
           std::string(member);
}

Result<RegisteredExtension> read(const Variables& variables, std::string& member) {
    RegisteredExtension extension;
    extension.origin = RegisteredExtension::Origin::environment;
    member = "URL";
    if (!variables.url || variables.url->empty()) {
        return fail(Errc::bad_request, "the URL of the registration is missing");
    }
    if (Result<void> good = set_extension_url(extension, *variables.url); !good) {
        return std::unexpected(std::move(good.error()));
    }
    member = "METHOD";
    if (variables.method && !variables.method->empty()) {
        if (Result<void> good = set_extension_method(extension, *variables.method); !good) {
            return std::unexpected(std::move(good.error()));
        }
    }
    member = "BASIC_USERNAME";
    if (variables.username && !variables.username->empty()) {
        extension.basic =
            BasicAuth{.username = *variables.username, .password = variables.password.value_or("")};
        if (Result<void> good = check_basic(*extension.basic); !good) {
            return std::unexpected(std::move(good.error()));
        }
    } else if (variables.password && !variables.password->empty()) {
        return fail(Errc::bad_request, "there is a password without a user name");
    }
    extension.name = default_extension_name(extension);
    return extension;
}

// The certificate for https extensions; a problem if only one of the two is there.
std::optional<ExtensionTls> client_certificate(
    std::span<const std::pair<std::string, std::string>> environment, FoundExtensions& found
) {
    ExtensionTls tls;
    for (const auto& [variable, value] : environment) {
        if (variable == kCertificate) {
            tls.certificate = value;
        } else if (variable == kKey) {
            tls.key = value;
        }
        const auto* other = std::ranges::find(kNotRead, variable, &NotRead::variable);
        if (other != kNotRead.end() && !value.empty()) {
            found.not_read.push_back({.where = variable, .what = std::string(other->instead)});
        }
    }
    if (tls.certificate.empty() == tls.key.empty()) {
        return tls.key.empty() ? std::nullopt : std::optional(std::move(tls));
    }
    const bool key_is_missing = tls.key.empty();
    found.problems.push_back(
        {.where = std::string(key_is_missing ? kKey : kCertificate),
         .what = "certificate and key go together: this one is missing"}
    );
    return std::nullopt;
}

}  // namespace

FoundExtensions extensions_of_environment(
    std::span<const std::pair<std::string, std::string>> environment
) {
    FoundExtensions found;
    const std::optional<ExtensionTls> tls = client_certificate(environment, found);
    std::map<Place, Variables> registrations;
    for (const auto& [variable, value] : environment) {
        const std::optional<Name> name = read_name(variable);
        if (!name) {
            continue;
        }
        if (std::optional<std::string>* member =
                member_of(registrations[name->place], name->member)) {
            *member = value;
        } else {
            found.problems.push_back(
                {.where = variable,
                 .what = "not a variable of a registration, which are URL, METHOD, BASIC_USERNAME "
                         "and BASIC_PASSWORD"}
            );
        }
    }
    for (const auto& [place, variables] : registrations) {
        if (!variables.url && !variables.method && !variables.username && !variables.password) {
            continue;  // what there was is told already
        }
        std::string member;
        Result<RegisteredExtension> extension = read(variables, member);
        if (!extension) {
            found.problems.push_back(
                {.where = name_of(place, member), .what = std::move(extension.error().detail)}
            );
            continue;
        }
        if (extension->url.starts_with("https:")) {
            extension->tls = tls;
        }
        const std::string identity = extension->identity();
        if (std::ranges::find(found.extensions, identity, &RegisteredExtension::identity) ==
            found.extensions.end()) {
            found.extensions.push_back(*std::move(extension));
        }
    }
    return found;
}

}  // namespace belfry
