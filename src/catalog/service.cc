#include "catalog/service.h"

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/utf8.h"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::string_view kDecodeFailed = "Request decode failed: ";
constexpr std::size_t kTextBytes = 255;
constexpr std::size_t kTags = 64;
// Consul's bounds of a service's metadata.
constexpr std::size_t kMetaPairs = 64;
constexpr std::size_t kMetaKeyBytes = 128;
constexpr std::size_t kMetaValueBytes = 512;

// Reads the members that Belfry keeps; the first thing wrong is what error() says.
class ServiceReader {
 public:
    // `decode_failed` begins what is said of a member that cannot be read.
    ServiceReader(const json::object& object, std::string_view decode_failed)
        : object_(object), decode_failed_(decode_failed) {}

    std::string text(std::string_view name) {
        const json::value* value = member(name);
        if (value == nullptr) {
            return {};
        }
        return text_of(name, *value, kTextBytes);
    }

    std::vector<std::string> tags() {
        std::vector<std::string> tags;
        const json::value* value = member("Tags");
        if (value != nullptr && !value->is_array()) {
            decode_failed("Tags", "an array of strings is expected");
        } else if (value != nullptr) {
            for (const json::value& tag : value->get_array()) {
                tags.push_back(text_of("Tags", tag, kTextBytes));
            }
            if (tags.size() > kTags) {
                decode_failed("Tags", "at most 64 tags are allowed");
            }
        }
        return tags;
    }

    std::uint16_t port() {
        const json::value* value = member("Port");
        if (value == nullptr) {
            return 0;
        }
        const std::int64_t* number = value->if_int64();
        if (number == nullptr || *number < 0 || *number > 65'535) {
            decode_failed("Port", "a whole number from 0 to 65535 is expected");
            return 0;
        }
        return static_cast<std::uint16_t>(*number);
    }

    std::map<std::string, std::string, std::less<>> meta() {
        std::map<std::string, std::string, std::less<>> meta;
        const json::value* value = member("Meta");
        if (value == nullptr) {
            return meta;
        }
        const json::object* pairs = value->if_object();
        if (pairs == nullptr) {
            decode_failed("Meta", "an object of strings is expected");
            return meta;
        }
        if (pairs->size() > kMetaPairs) {
            refuse(
                "Meta",
                "Invalid Service Meta: Node metadata cannot contain more than 64 key/value pairs"
            );
        }
        for (const auto& [key, text] : *pairs) {
            check_meta_key(key);
            meta.emplace(key, text_of("Meta", text, kMetaValueBytes));
        }
        return meta;
    }

    void refuse(std::string_view name, std::string detail) {
        if (!error_) {
            error_ = Error{
                .code = Errc::bad_request, .detail = std::move(detail), .field = std::string(name)
            };
        }
    }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
    // nullptr: absent or null.
    const json::value* member(std::string_view name) {
        const json::value* found = nullptr;
        for (const auto& [key, value] : object_) {
            if (!equals_ignoring_case(key, name)) {
                continue;
            }
            if (found != nullptr) {
                decode_failed(name, "it is there twice");
            }
            found = &value;
        }
        return found == nullptr || found->is_null() ? nullptr : found;
    }

    std::string text_of(std::string_view name, const json::value& value, std::size_t bytes) {
        const json::string* text = value.if_string();
        if (text == nullptr) {
            decode_failed(name, "a string is expected");
            return {};
        }
        if (text->size() > bytes) {
            decode_failed(name, "at most " + std::to_string(bytes) + " bytes are allowed");
        } else if (std::ranges::any_of(*text, is_control)) {
            decode_failed(name, "control characters are not allowed");
        }
        return std::string(*text);
    }

    void check_meta_key(std::string_view key) {
        const bool plain = std::ranges::all_of(key, [](char c) {
            return is_letter(c) || is_digit(c) || c == '_' || c == '-';
        });
        std::string_view why;
        if (key.empty()) {
            why = "Key cannot be blank";
        } else if (!plain) {
            why = "Key contains invalid characters";
        } else if (key.size() > kMetaKeyBytes) {
            why = "Key is too long (limit: 128 characters)";
        } else if (key.starts_with("consul-")) {
            why = "Key prefix 'consul-' is reserved for internal use";
        } else {
            return;
        }
        refuse("Meta", "Invalid Service Meta: " + std::string(why));
    }

    void decode_failed(std::string_view name, std::string_view why) {
        refuse(name, std::string(decode_failed_) + std::string(name) + ": " + std::string(why));
    }

    const json::object& object_;
    const std::string_view decode_failed_;
    std::optional<Error> error_;
};

Result<Service> read_service(const json::value& value, std::string_view decode_failed) {
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return fail(Errc::bad_request, std::string(decode_failed) + "an object is expected");
    }
    ServiceReader reader(*object, decode_failed);
    Service service{
        .id = reader.text("ID"),
        .name = reader.text("Name"),
        .tags = reader.tags(),
        .address = reader.text("Address"),
        .port = reader.port(),
        .meta = reader.meta()
    };
    if (service.name.empty()) {
        reader.refuse("Name", "Missing service name");
    }
    // Nobody can connect to these; Consul refuses them too.
    if (service.address == "0.0.0.0" || service.address == "::" || service.address == "[::]") {
        reader.refuse("Address", "Invalid service address");
    }
    if (reader.error()) {
        return std::unexpected(*reader.error());
    }
    if (service.id.empty()) {
        service.id = service.name;
    }
    return service;
}

}  // namespace

Result<Service> parse_service(std::string_view text, const Limits& limits) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        document.error().detail = std::string(kDecodeFailed) + document.error().detail;
        return std::unexpected(std::move(document.error()));
    }
    return read_service(*document, kDecodeFailed);
}

Result<std::vector<Service>> parse_services(std::string_view text, const Limits& limits) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    const json::array* list = document->if_array();
    if (list == nullptr) {
        return fail(Errc::bad_request, "a list of services is expected");
    }
    std::vector<Service> services;
    std::set<std::string> ids;
    for (const json::value& value : *list) {
        Result<Service> service = read_service(value, "");
        if (service && !ids.insert(service->id).second) {
            service = fail(
                Errc::bad_request,
                "an earlier service has the ID `" + service->id + "`; give each its own"
            );
        }
        if (!service) {
            service.error().field = "[" + std::to_string(services.size()) + "]";
            return std::unexpected(std::move(service.error()));
        }
        services.push_back(std::move(*service));
    }
    if (services.size() > limits.services) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = std::to_string(services.size()) + " services are more than limits.services",
            .limit = limits.services
        });
    }
    return services;
}

Result<Service> parse_stored_service(std::string_view text) {
    return parse_service(text, Limits{});
}

std::string stored_service_json(const Service& service) {
    std::string out = "{\"ID\":";
    append_json_string(out, service.id);
    out += ",\"Name\":";
    append_json_string(out, service.name);
    out += ",\"Tags\":[";
    for (const std::string& tag : service.tags) {
        out += out.back() == '[' ? "" : ",";
        append_json_string(out, tag);
    }
    out += "],\"Address\":";
    append_json_string(out, service.address);
    out += ",\"Port\":";
    append_json_number(out, service.port);
    out += ",\"Meta\":{";
    for (const auto& [key, value] : service.meta) {
        out += out.back() == '{' ? "" : ",";
        append_json_string(out, key);
        out += ':';
        append_json_string(out, value);
    }
    return out + "}}";
}

}  // namespace belfry
