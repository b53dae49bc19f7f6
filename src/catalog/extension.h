// An extension of Steadybit whose listeners Belfry calls: where it is and how it is called, as its
// registration says. Its identity is its URL in one spelling, or its socket; the name is a label.
// Its texts are in catalog/extension_document.h; kept in Kv (catalog/extensions.h). May be called
// from any thread.
#pragma once

#include "base/error.h"
#include "base/url.h"
#include "catalog/subscription.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry {

// PEM files on the hub's machine.
struct ExtensionTls {
    std::string ca;           // trusted beside the system's; empty: only those
    std::string certificate;  // shown to the extension; empty: none
    std::string key;
    bool operator==(const ExtensionTls&) const = default;
};

struct RegisteredExtension {
    // Who registered it. What was not registered by the API cannot be removed by it.
    enum class Origin : std::uint8_t { api, configuration, drop_in, environment };
    enum class Paths : std::uint8_t { prefix, origin };

    std::string tenant = "default";
    std::string name;
    std::string url;             // of its index, in its one spelling, without a user; or empty, and
    std::string unix_socket;     // the path of a socket
    std::string method = "GET";  // of the request for the index
    std::optional<BasicAuth> basic;
    std::optional<ExtensionTls> tls;
    Paths paths = Paths::prefix;
    std::optional<Pace> poll;  // none: `push`
    DeliveryPolicy delivery = default_delivery();
    Origin origin = Origin::api;

    // What tells two extensions apart.
    [[nodiscard]] std::string identity() const;
    // Where it is, for logs: without a query, which may hold a secret.
    [[nodiscard]] std::string place() const;
    // The URL to show and to call; of a socket `http://localhost/`.
    [[nodiscard]] Url index_url() const;
    // Of the subscription that carries its events: "steadybit/<name>".
    [[nodiscard]] std::string subscription_name() const;

    // In order, 30 s for a call, waits of 1 s, 5 s, 30 s, 2 m, 5 m.
    [[nodiscard]] static DeliveryPolicy default_delivery();
    bool operator==(const RegisteredExtension&) const = default;
};

// Host and port, or the socket's file without its end; what a name cannot hold is `-`.
[[nodiscard]] std::string default_extension_name(const RegisteredExtension& extension);
// [a-z0-9._:-]{1,128}: a name, or host and port. bad_request.
[[nodiscard]] Result<void> check_extension_name(std::string_view name);

// Where a registration says the extension is: an http or https URL, whose user becomes `basic`, or
// an absolute path. bad_request; the password is not repeated.
[[nodiscard]] Result<void> set_extension_url(RegisteredExtension& extension, std::string_view text);
[[nodiscard]] Result<void> set_extension_socket(
    RegisteredExtension& extension, std::string_view path
);
// A method that an index can be asked for by: a word of A-Z, such as GET. bad_request.
[[nodiscard]] Result<void> set_extension_method(
    RegisteredExtension& extension, std::string_view method
);
// As HTTP can carry it. bad_request.
[[nodiscard]] Result<void> check_basic(const BasicAuth& basic);

}  // namespace belfry
