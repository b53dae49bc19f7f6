#include "catalog/extension.h"

#include "base/ascii.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/utf8.h"
#include "catalog/name.h"
#include "catalog/webhook_document.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

namespace json = boost::json;

// What a socket's address can hold, and the zero behind it.
constexpr std::size_t kSocketBytes = 107;
constexpr std::size_t kMethodBytes = 20;

// nullopt if a `%` is not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size() || hex_digit_value(text[i + 1]) < 0 ||
            hex_digit_value(text[i + 2]) < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(hex_digit_value(text[i + 1]) * 16 + hex_digit_value(text[i + 2]));
        i += 2;
    }
    return out;
}

// Cuts "user:password@" out of a URL; nullopt if there is none.
std::optional<std::string> take_user(std::string& url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
    const std::size_t at = url.rfind('@', end);
    if (at == std::string::npos || at < begin || at >= end) {
        return std::nullopt;
    }
    std::string user = url.substr(begin, at - begin);
    url.erase(begin, at + 1 - begin);
    return user;
}

Result<BasicAuth> parse_user(std::string_view user) {
    const std::size_t colon = user.find(':');
    std::optional<std::string> name = percent_decoded(user.substr(0, colon));
    std::optional<std::string> password =
        percent_decoded(colon == std::string_view::npos ? "" : user.substr(colon + 1));
    if (!name || !password) {
        return fail(
            Errc::bad_request,
            "url",
            "in the URL's user and password '%' must be followed by two hex digits"
        );
    }
    BasicAuth basic{.username = *std::move(name), .password = *std::move(password)};
    if (Result<void> good = check_basic(basic); !good) {
        return fail(
            Errc::bad_request, "url", "the URL's user and password: " + good.error().detail
        );
    }
    return basic;
}

char name_char(char c) {
    if (c >= 'A' && c <= 'Z') {
        return static_cast<char>(c - 'A' + 'a');
    }
    const bool fits =
        (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '_' || c == ':' || c == '-';
    return fits ? c : '-';
}

}  // namespace

std::string RegisteredExtension::place() const {
    return unix_socket.empty() ? index_url().endpoint() : "unix:" + unix_socket;
}

std::string RegisteredExtension::identity() const {
    if (!unix_socket.empty()) {
        return "unix:" + unix_socket;
    }
    // With and without a slash at its end an index is the same one.
    Url same = index_url();
    while (same.path.size() > 1 && same.path.ends_with('/')) {
        same.path.pop_back();
    }
    return same.text();
}

Url RegisteredExtension::index_url() const {
    if (!unix_socket.empty()) {
        return Url{.host = "localhost"};
    }
    // It was checked when it was set.
    return parse_url(url).value_or(Url{});
}

std::string RegisteredExtension::subscription_name() const {
    return "steadybit/" + name;
}

DeliveryPolicy RegisteredExtension::default_delivery() {
    using std::chrono::minutes;
    using std::chrono::seconds;
    DeliveryPolicy delivery;
    delivery.order = DeliveryPolicy::Order::all;
    delivery.timeout = seconds(30);
    delivery.max_in_flight = 1;
    delivery.retry = {seconds(1), seconds(5), seconds(30), minutes(2), minutes(5)};
    return delivery;
}

std::string default_extension_name(const RegisteredExtension& extension) {
    std::string name;
    if (extension.unix_socket.empty()) {
        const Url url = extension.index_url();
        name = url.host + ":" + std::to_string(url.port);
    } else {
        name = extension.unix_socket.substr(extension.unix_socket.rfind('/') + 1);
        const std::size_t dot = name.rfind('.');
        name = dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
    }
    std::ranges::transform(name, name.begin(), name_char);
    name.resize(std::min(name.size(), kNameBytes));
    return check_extension_name(name) ? name : "extension";
}

Result<void> check_extension_name(std::string_view name) {
    const bool fits = !name.empty() && name.size() <= kNameBytes && name != "." && name != ".." &&
                      std::ranges::all_of(name, [](char c) { return name_char(c) == c; });
    if (!fits) {
        return fail(
            Errc::bad_request,
            "name",
            "an extension's name is 1 to 128 of the characters a-z 0-9 . _ : -"
        );
    }
    return {};
}

Result<void> set_extension_url(RegisteredExtension& extension, std::string_view text) {
    std::string plain(text);
    const std::optional<std::string> user = take_user(plain);
    const Result<Url> url = parse_url(plain);
    if (!url) {
        return fail(Errc::bad_request, "url", url.error().detail);
    }
    if (user) {
        Result<BasicAuth> basic = parse_user(*user);
        if (!basic) {
            return std::unexpected(std::move(basic.error()));
        }
        extension.basic = *std::move(basic);
    }
    extension.url = url->text();
    return {};
}

Result<void> set_extension_socket(RegisteredExtension& extension, std::string_view path) {
    if (path.size() < 2 || !path.starts_with('/') || path.ends_with('/') ||
        path.size() > kSocketBytes || std::ranges::any_of(path, is_control)) {
        return fail(
            Errc::bad_request,
            "unixSocket",
            fmt::format("a socket is an absolute path of at most {} bytes", kSocketBytes)
        );
    }
    extension.unix_socket = path;
    return {};
}

Result<void> set_extension_method(RegisteredExtension& extension, std::string_view method) {
    const bool fits =
        !method.empty() && method.size() <= kMethodBytes &&
        std::ranges::all_of(method, [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
    if (!fits) {
        return fail(Errc::bad_request, "method", "the method of the index is a word such as GET");
    }
    extension.method = method;
    std::ranges::transform(extension.method, extension.method.begin(), [](char c) {
        return static_cast<char>(c & ~0x20);
    });
    return {};
}

Result<void> check_basic(const BasicAuth& basic) {
    // They are kept as JSON, and what an environment or "%80" says is not always text.
    if (!is_utf8(basic.username) || !is_utf8(basic.password)) {
        return fail(Errc::bad_request, "user name and password must be UTF-8");
    }
    json::value document = json::object{{"username", basic.username}, {"password", basic.password}};
    JsonObjectReader reader(document);
    if (read_basic(reader) == basic) {
        return reader.finish();
    }
    return fail(Errc::bad_request, "these cannot be sent");
}

}  // namespace belfry
