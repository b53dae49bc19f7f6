#include "catalog/extension_document.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "catalog/delivery_document.h"
#include "catalog/document_form.h"
#include "catalog/webhook_document.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace belfry {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::size_t kFileBytes = 4096;
constexpr milliseconds kPollMost = std::chrono::hours(24);

struct OriginName {
    RegisteredExtension::Origin origin;
    std::string_view name;
};
constexpr std::array kOrigins{
    OriginName{RegisteredExtension::Origin::api, "api"},
    OriginName{RegisteredExtension::Origin::configuration, "configuration"},
    OriginName{RegisteredExtension::Origin::drop_in, "drop-in"},
    OriginName{RegisteredExtension::Origin::environment, "environment"},
};

std::string_view origin_name(RegisteredExtension::Origin origin) {
    return std::ranges::find(kOrigins, origin, &OriginName::origin)->name;
}

Result<milliseconds> parse_interval(std::string_view text) {
    const Result<Duration> interval = parse_duration(text);
    if (!interval) {
        return std::unexpected(interval.error());
    }
    const auto rounded = std::chrono::duration_cast<milliseconds>(*interval);
    if (rounded != *interval || rounded < milliseconds(1) || rounded > kPollMost) {
        return fail(Errc::bad_request, "must be whole milliseconds from 1ms to 1d");
    }
    return rounded;
}

Result<Pace> read_poll(const json::value& value, const std::string& path, Pace pace) {
    JsonObjectReader reader(value, path);
    if (const std::optional<std::string> text = reader.text("interval")) {
        if (const Result<milliseconds> interval = parse_interval(*text)) {
            pace.every = *interval;
        } else {
            reader.refuse("interval", Errc::bad_request, interval.error().detail);
        }
    }
    if (const std::optional<std::uint64_t> limit = reader.number("limit")) {
        if (*limit < 1 || *limit > std::numeric_limits<std::uint32_t>::max()) {
            reader.refuse("limit", Errc::bad_request, "must be at least 1");
        } else {
            pace.events = static_cast<std::uint32_t>(*limit);
        }
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return pace;
}

// "push", "poll", or {"poll":{"interval","limit"}}.
Result<std::optional<Pace>> read_profile(
    const json::value& value, const std::string& path, const Pace& defaults
) {
    if (const json::string* word = value.if_string()) {
        if (*word == "push") {
            return std::nullopt;
        }
        if (*word == "poll") {
            return defaults;
        }
    } else if (value.is_object()) {
        JsonObjectReader reader(value, path);
        const json::value* poll = reader.required("poll");
        Result<Pace> pace = poll == nullptr ? Result<Pace>(defaults)
                                            : read_poll(*poll, reader.path("poll"), defaults);
        if (!pace) {
            reader.check(std::unexpected(std::move(pace.error())));
        }
        if (Result<void> finished = reader.finish(); !finished) {
            return std::unexpected(std::move(finished.error()));
        }
        return *pace;
    }
    return fail(
        Errc::bad_request,
        path,
        R"(a profile is "push", "poll" or {"poll":{"interval":"5s","limit":50}})"
    );
}

// A registration may set how long and how often is tried; order and pace are the contract's.
Result<DeliveryPolicy> read_extension_delivery(const json::value& value, const std::string& path) {
    if (const json::object* members = value.if_object()) {
        for (const std::string_view name : {"order", "key", "pace", "max_in_flight"}) {
            if (members->contains(name)) {
                return fail(
                    Errc::bad_request,
                    path + "." + std::string(name),
                    "events go to an extension in order, one at a time, at the pace of its "
                    "profile; `delivery` has timeout, retry and max_unsettled"
                );
            }
        }
    }
    return read_delivery(value, path, RegisteredExtension::default_delivery());
}

Result<ExtensionTls> read_tls(const json::value& value, const std::string& path) {
    JsonObjectReader reader(value, path);
    ExtensionTls tls{
        .ca = reader.text("ca").value_or(""),
        .certificate = reader.text("cert").value_or(""),
        .key = reader.text("key").value_or(""),
    };
    for (const auto& [name, file] :
         {std::pair{"ca", &tls.ca}, std::pair{"cert", &tls.certificate}, std::pair{"key", &tls.key}
         }) {
        if (!file->empty() && (!file->starts_with('/') || file->size() > kFileBytes ||
                               std::ranges::any_of(*file, is_control))) {
            reader.refuse(
                name, Errc::bad_request, "the absolute path of a PEM file on the hub's machine"
            );
        }
    }
    if (tls.certificate.empty() != tls.key.empty()) {
        reader.refuse("cert", Errc::bad_request, "`cert` and `key` belong together");
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return tls;
}

template <typename T, typename Target>
void take(JsonObjectReader& reader, Result<T> result, Target& target) {
    if (result) {
        target = *std::move(result);
    } else {
        reader.check(std::unexpected(std::move(result.error())));
    }
}

// What is wrong with a member, told with its path in the whole document.
void check_member(JsonObjectReader& reader, std::string_view name, const Result<void>& good) {
    if (!good) {
        reader.refuse(name, good.error().code, good.error().detail);
    }
}

void read_place(JsonObjectReader& reader, RegisteredExtension& extension) {
    const std::optional<std::string> url = reader.text("url");
    const std::optional<std::string> socket = reader.text("unixSocket");
    if (!reader.ok()) {
        return;
    }
    if (url.has_value() == socket.has_value()) {
        reader.refuse("url", Errc::bad_request, "one of `url` and `unixSocket` is needed");
    } else if (url) {
        check_member(reader, "url", set_extension_url(extension, *url));
    } else {
        check_member(reader, "unixSocket", set_extension_socket(extension, *socket));
    }
}

void read_paths(JsonObjectReader& reader, RegisteredExtension& extension) {
    const std::optional<std::string> word = reader.text("pathResolution");
    if (!word) {
        return;
    }
    if (*word != "prefix" && *word != "origin") {
        reader.refuse("pathResolution", Errc::bad_request, "is one of prefix and origin");
    }
    extension.paths =
        *word == "origin" ? RegisteredExtension::Paths::origin : RegisteredExtension::Paths::prefix;
}

void read_credentials(JsonObjectReader& reader, RegisteredExtension& extension) {
    if (const json::value* basic = reader.optional("basic")) {
        JsonObjectReader inner(*basic, reader.path("basic"));
        extension.basic = read_basic(inner);
        reader.check(inner.finish());
    }
    if (const json::value* tls = reader.optional("tls")) {
        if (!extension.url.starts_with("https:") && reader.ok()) {
            reader.refuse("tls", Errc::bad_request, "`tls` is for a https URL");
        }
        take(reader, read_tls(*tls, reader.path("tls")), extension.tls);
    }
}

void read_stored_members(JsonObjectReader& reader, RegisteredExtension& extension) {
    extension.tenant = reader.required_text("tenant");
    const std::string origin = reader.required_text("origin");
    const auto* found = std::ranges::find(kOrigins, origin, &OriginName::name);
    if (found == kOrigins.end()) {
        reader.refuse("origin", Errc::bad_request, "unknown origin");
    } else {
        extension.origin = found->origin;
    }
}

Result<RegisteredExtension> read_extension(
    const json::value& value, const std::string& path, DocumentForm form, const Pace& poll
) {
    JsonObjectReader reader(value, path);
    RegisteredExtension extension;
    read_place(reader, extension);
    if (const std::optional<std::string> name = reader.text("name")) {
        extension.name = *name;
        check_member(reader, "name", check_extension_name(*name));
    } else if (reader.ok()) {
        extension.name = default_extension_name(extension);
    }
    if (const std::optional<std::string> method = reader.text("method")) {
        check_member(reader, "method", set_extension_method(extension, *method));
    }
    read_credentials(reader, extension);
    read_paths(reader, extension);
    if (const json::value* profile = reader.optional("profile")) {
        take(reader, read_profile(*profile, reader.path("profile"), poll), extension.poll);
    }
    if (const json::value* delivery = reader.optional("delivery")) {
        const std::string place = reader.path("delivery");
        take(
            reader,
            form == DocumentForm::stored
                ? read_delivery(*delivery, place, RegisteredExtension::default_delivery())
                : read_extension_delivery(*delivery, place),
            extension.delivery
        );
    }
    if (form == DocumentForm::stored) {
        read_stored_members(reader, extension);
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return extension;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
    out += ',';
    append_json_name(out, name);
    append_json_string(out, text);
}

void append_secret(
    std::string& out, std::string_view name, std::string_view text, DocumentForm form
) {
    if (form == DocumentForm::stored) {
        return append_member(out, name, text);
    }
    if (!text.empty()) {
        out += ',';
        append_json_name(out, name);
        out += R"({"set":true})";
    }
}

void append_tls(std::string& out, const ExtensionTls& tls, DocumentForm form) {
    std::string members;
    append_secret(members, "ca", tls.ca, form);
    append_secret(members, "cert", tls.certificate, form);
    append_secret(members, "key", tls.key, form);
    out += ",\"tls\":{" + (members.empty() ? members : members.substr(1)) + '}';
}

void append_profile(std::string& out, const std::optional<Pace>& poll) {
    if (!poll) {
        return append_member(out, "profile", "push");
    }
    out += R"(,"profile":{"poll":{"interval":)";
    append_json_string(out, duration_text(poll->every));
    out += ",\"limit\":" + std::to_string(poll->events) + "}}";
}

// Without the values of its query, any of which may be a secret.
std::string shown_url(std::string_view url) {
    const std::size_t query = std::min(url.find('?'), url.size());
    std::string shown(url.substr(0, query));
    for (std::string_view rest = url.substr(query); !rest.empty();) {
        const std::string_view part = rest.substr(0, rest.find('&', 1));
        shown.append(part.substr(0, std::max(part.find('=') + 1, 1UL))).append("…");
        rest.remove_prefix(part.size());
    }
    return shown;
}

void append_members(std::string& out, const RegisteredExtension& extension, DocumentForm form) {
    append_json_name(out, "name");
    append_json_string(out, extension.name);
    if (extension.unix_socket.empty()) {
        const bool is_stored = form == DocumentForm::stored;
        append_member(out, "url", is_stored ? extension.url : shown_url(extension.url));
    } else {
        append_member(out, "unixSocket", extension.unix_socket);
    }
    append_member(out, "origin", origin_name(extension.origin));
    append_member(out, "method", extension.method);
    if (extension.basic) {
        out += ",\"basic\":{";
        append_json_name(out, "username");
        append_json_string(out, extension.basic->username);
        if (form == DocumentForm::stored) {
            append_member(out, "password", extension.basic->password);
        } else {
            out += R"(,"password":{"set":true})";
        }
        out += '}';
    }
    if (extension.tls) {
        append_tls(out, *extension.tls, form);
    }
    append_member(
        out,
        "pathResolution",
        extension.paths == RegisteredExtension::Paths::prefix ? "prefix" : "origin"
    );
    append_profile(out, extension.poll);
    out += ",\"delivery\":";
    append_delivery(out, extension.delivery);
}

}  // namespace

Result<RegisteredExtension> parse_extension(
    std::string_view text, const ExtensionDefaults& defaults, const Limits& limits
) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    return read_extension(*document, "", DocumentForm::request, defaults.poll);
}

Result<std::vector<RegisteredExtension>> parse_extensions(
    std::string_view text, const ExtensionDefaults& defaults, const Limits& limits
) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    const json::array* list = document->if_array();
    if (list == nullptr) {
        return fail(Errc::bad_request, "a list of extensions is expected");
    }
    std::vector<RegisteredExtension> extensions;
    std::set<std::string> identities;
    std::set<std::string> names;
    for (const json::value& value : *list) {
        const std::string place = "[" + std::to_string(extensions.size()) + "]";
        Result<RegisteredExtension> extension =
            read_extension(value, place, DocumentForm::request, defaults.poll);
        if (!extension) {
            return std::unexpected(std::move(extension.error()));
        }
        if (!identities.insert(extension->identity()).second) {
            return fail(
                Errc::bad_request, place, "an earlier extension has the same URL or socket"
            );
        }
        if (!names.insert(extension->name).second) {
            return fail(
                Errc::bad_request,
                place,
                "an earlier extension is called `" + extension->name + "`; set `name`"
            );
        }
        extension->origin = RegisteredExtension::Origin::configuration;
        extensions.push_back(*std::move(extension));
    }
    return extensions;
}

std::string stored_extension_json(const RegisteredExtension& extension) {
    std::string out = "{";
    append_members(out, extension, DocumentForm::stored);
    append_member(out, "tenant", extension.tenant);
    return out + "}";
}

Result<RegisteredExtension> parse_stored_extension(std::string_view text) {
    Result<json::value> document = parse_json(text, Limits{});
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    return read_extension(*document, "", DocumentForm::stored, kSteadybitPoll);
}

void append_extension_members(std::string& out, const RegisteredExtension& extension) {
    append_members(out, extension, DocumentForm::shown);
}

}  // namespace belfry
