#include "catalog/webhook_document.h"

#include "base/ascii.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/url.h"
#include "base/utf8.h"
#include "catalog/signing_secret.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <sodium.h>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kHeaders = 32;
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kCredentialBytes = 4096;

struct FormatName {
    WebhookSink::Format format;
    std::string_view name;
};
constexpr std::array kFormats{
    FormatName{WebhookSink::Format::cloudevents_binary, "cloudevents-binary"},
    FormatName{WebhookSink::Format::cloudevents_structured, "cloudevents-structured"},
    FormatName{WebhookSink::Format::body, "body"},
};

// Framing, hop-by-hop (RFC 9110, 7.6.1), and what Belfry writes; in lower case.
constexpr std::array<std::string_view, 16> kOwnHeaders{
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "user-agent",
    "authorization",
};
constexpr std::array<std::string_view, 3> kOwnPrefixes{"webhook-", "ce-", "belfry-"};

std::string_view view(json::string_view text) {
    return {text.data(), text.size()};
}

// RFC 9110, 5.6.2.
bool is_token_char(char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// The URL in its one spelling.
Result<std::string> usable_url(std::string_view text) {
    Result<Url> url = parse_url(text);
    if (!url) {
        return std::unexpected(std::move(url.error()));
    }
    return url->text();
}

void read_url(JsonObjectReader& reader, WebhookSink& sink) {
    std::string text = reader.required_text("url");
    if (text.empty() && !reader.ok()) {
        return;
    }
    if (Result<std::string> url = usable_url(text)) {
        sink.url = *std::move(url);
    } else {
        reader.refuse("url", Errc::bad_request, url.error().detail);
    }
}

void read_headers(JsonObjectReader& reader, WebhookSink& sink) {
    const json::value* value = reader.optional("headers");
    if (value == nullptr) {
        return;
    }
    const json::object* members = value->if_object();
    if (members == nullptr) {
        reader.refuse("headers", Errc::bad_request, "`headers` must be an object");
        return;
    }
    if (members->size() > kHeaders) {
        reader.refuse("headers", Errc::bad_request, "at most 32 headers");
        return;
    }
    std::vector<std::string> names;
    for (const json::key_value_pair& member : *members) {
        std::string_view name = view(member.key());
        const json::string* text = member.value().if_string();
        Result<void> good = check_header_name(name);
        if (good && text == nullptr) {
            good = fail(Errc::bad_request, "the value must be a string");
        }
        if (good) {
            good = check_header_value(view(*text));
        }
        if (good && std::ranges::find(names, ascii_lowered(name)) != names.end()) {
            good = fail(Errc::bad_request, "the same name twice");
        }
        if (!good) {
            reader.refuse(
                "headers",
                Errc::bad_request,
                "header '" + std::string(name.substr(0, 100)) + "': " + good.error().detail
            );
            return;
        }
        names.push_back(ascii_lowered(name));
        sink.headers.emplace_back(name, view(*text));
    }
}

BearerAuth read_bearer(JsonObjectReader& reader) {
    BearerAuth bearer{reader.required_text("token")};
    bool good = !bearer.token.empty() && bearer.token.size() <= kCredentialBytes &&
                std::ranges::all_of(bearer.token, [](char c) { return c > 0x20 && c < 0x7f; });
    if (!good) {
        reader.refuse("token", Errc::bad_request, "a token is printable ASCII without spaces");
    }
    return bearer;
}

// Printable ASCII (RFC 6749, appendix A): these go through a form into a header.
bool is_visible(std::string_view text) {
    return text.size() <= kCredentialBytes &&
           std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

OAuth2Auth read_oauth2(JsonObjectReader& reader) {
    OAuth2Auth oauth2{
        .token_url = reader.required_text("token_url"),
        .client_id = reader.required_text("client_id"),
        .client_secret = reader.required_text("client_secret"),
        .scope = reader.text("scope").value_or(""),
    };
    if (!reader.ok()) {
        return oauth2;
    }
    if (Result<std::string> url = usable_url(oauth2.token_url)) {
        oauth2.token_url = *std::move(url);
    } else {
        reader.refuse("token_url", Errc::bad_request, url.error().detail);
    }
    if (oauth2.client_id.empty() || !is_visible(oauth2.client_id)) {
        reader.refuse("client_id", Errc::bad_request, "a client id is printable ASCII");
    }
    if (oauth2.client_secret.empty() || !is_visible(oauth2.client_secret)) {
        reader.refuse("client_secret", Errc::bad_request, "a client secret is printable ASCII");
    }
    if (!is_visible(oauth2.scope)) {
        reader.refuse("scope", Errc::bad_request, "a scope is printable ASCII");
    }
    return oauth2;
}

void read_auth(JsonObjectReader& reader, WebhookSink& sink) {
    const json::value* value = reader.optional("auth");
    if (value == nullptr) {
        return;
    }
    JsonObjectReader auth(*value, reader.path("auth"));
    const json::value* basic = auth.optional("basic");
    const json::value* bearer = auth.optional("bearer");
    const json::value* oauth2 = auth.optional("oauth2");
    const int named =
        (basic == nullptr ? 0 : 1) + (bearer == nullptr ? 0 : 1) + (oauth2 == nullptr ? 0 : 1);
    if (auth.ok() && named != 1) {
        reader.refuse("auth", Errc::bad_request, "`auth` is one of basic, bearer and oauth2");
        return;
    }
    if (basic != nullptr) {
        JsonObjectReader inner(*basic, auth.path("basic"));
        sink.auth = read_basic(inner);
        auth.check(inner.finish());
    } else if (bearer != nullptr) {
        JsonObjectReader inner(*bearer, auth.path("bearer"));
        sink.auth = read_bearer(inner);
        auth.check(inner.finish());
    } else if (oauth2 != nullptr) {
        JsonObjectReader inner(*oauth2, auth.path("oauth2"));
        sink.auth = read_oauth2(inner);
        auth.check(inner.finish());
    }
    reader.check(auth.finish());
}

void read_secrets(JsonObjectReader& reader, WebhookSink& sink, DocumentForm form) {
    const char* member = form == DocumentForm::stored ? "secrets" : "secret";
    if (form == DocumentForm::stored) {
        sink.secrets = reader.texts(member);
        if (std::optional<std::string> until = reader.text("previous_until")) {
            sink.previous_until = parse_rfc3339(*until);
        }
    } else if (std::optional<std::string> secret = reader.text(member)) {
        sink.secrets = {std::move(*secret)};
    }
    for (const std::string& secret : sink.secrets) {
        if (Result<std::string> key = signing_key(secret); !key) {
            reader.refuse(member, Errc::bad_request, key.error().detail);
        }
    }
}

void append_first_member(std::string& out, std::string_view name, std::string_view text) {
    append_json_name(out, name);
    append_json_string(out, text);
}

void append_credential(
    std::string& out, std::string_view name, std::string_view text, DocumentForm form
) {
    append_json_name(out, name);
    if (form == DocumentForm::shown) {
        out += "{\"set\":true}";
    } else {
        append_json_string(out, text);
    }
}

void append_auth(std::string& out, const WebhookSink& sink, DocumentForm form) {
    if (const auto* basic = std::get_if<BasicAuth>(&sink.auth)) {
        out += ",\"auth\":{\"basic\":{";
        append_first_member(out, "username", basic->username);
        out += ',';
        append_credential(out, "password", basic->password, form);
        out += "}}";
    } else if (const auto* bearer = std::get_if<BearerAuth>(&sink.auth)) {
        out += ",\"auth\":{\"bearer\":{";
        append_credential(out, "token", bearer->token, form);
        out += "}}";
    } else if (const auto* oauth2 = std::get_if<OAuth2Auth>(&sink.auth)) {
        out += ",\"auth\":{\"oauth2\":{";
        append_first_member(out, "token_url", oauth2->token_url);
        out += ',';
        append_first_member(out, "client_id", oauth2->client_id);
        out += ',';
        append_credential(out, "client_secret", oauth2->client_secret, form);
        if (!oauth2->scope.empty()) {
            out += ',';
            append_first_member(out, "scope", oauth2->scope);
        }
        out += "}}";
    }
}

// The first 8 hex digits of SHA-256 over the secret as it is written: enough to tell two apart.
std::string fingerprint(std::string_view secret) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(
        digest.data(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size()
    );
    std::array<char, 9> text{};
    sodium_bin2hex(text.data(), text.size(), digest.data(), 4);
    return text.data();
}

void append_secrets(std::string& out, const WebhookSink& sink, DocumentForm form) {
    if (sink.secrets.empty()) {
        return;
    }
    if (form == DocumentForm::shown) {
        out += ",\"secret\":{\"set\":true,";
        append_first_member(out, "fingerprint", fingerprint(sink.secrets.front()));
        if (sink.secrets.size() > 1 && sink.previous_until) {
            out += ",\"previous\":{";
            append_first_member(out, "fingerprint", fingerprint(sink.secrets[1]));
            out += ',';
            append_first_member(out, "until", rfc3339(*sink.previous_until));
            out += '}';
        }
        out += '}';
        return;
    }
    out += ",\"secrets\":[";
    for (std::size_t i = 0; i < sink.secrets.size(); ++i) {
        out += i == 0 ? "" : ",";
        append_json_string(out, sink.secrets[i]);
    }
    out += ']';
    if (sink.previous_until) {
        out += ',';
        append_first_member(out, "previous_until", rfc3339(*sink.previous_until));
    }
}

}  // namespace

Result<void> check_header_name(std::string_view name) {
    if (name.empty() || name.size() > kHeaderBytes || !std::ranges::all_of(name, is_token_char)) {
        return fail(Errc::bad_request, "not a header name");
    }
    std::string lowered = ascii_lowered(name);
    if (lowered == "authorization") {
        return fail(Errc::bad_request, "credentials belong into `auth`");
    }
    if (std::ranges::find(kOwnHeaders, lowered) != kOwnHeaders.end() ||
        std::ranges::any_of(kOwnPrefixes, [&](std::string_view prefix) {
            return lowered.starts_with(prefix);
        })) {
        return fail(Errc::bad_request, "Belfry or the connection decides about this header");
    }
    return {};
}

Result<void> check_header_value(std::string_view value) {
    bool good = value.size() <= kHeaderBytes && !value.starts_with(' ') &&
                !value.starts_with('\t') && !value.ends_with(' ') && !value.ends_with('\t') &&
                std::ranges::none_of(value, [](char c) { return is_control(c) && c != '\t'; });
    if (!good) {
        return fail(
            Errc::bad_request,
            "the value must have no control characters and no space at its ends, and at most 4096 "
            "bytes"
        );
    }
    return {};
}

BasicAuth read_basic(JsonObjectReader& reader) {
    BasicAuth basic{reader.required_text("username"), reader.required_text("password")};
    // RFC 7617, 2: the first colon ends the user name.
    if (basic.username.find(':') != std::string::npos ||
        std::ranges::any_of(basic.username, is_control) ||
        basic.username.size() > kCredentialBytes) {
        reader.refuse(
            "username", Errc::bad_request, "a user name has no colon and no control characters"
        );
    }
    if (std::ranges::any_of(basic.password, is_control) ||
        basic.password.size() > kCredentialBytes) {
        reader.refuse("password", Errc::bad_request, "a password has no control characters");
    }
    return basic;
}

WebhookSink read_webhook(JsonObjectReader& reader, DocumentForm form) {
    WebhookSink sink;
    read_url(reader, sink);
    if (std::optional<std::string> name = reader.text("format")) {
        const auto* found = std::ranges::find(kFormats, *name, &FormatName::name);
        if (found == kFormats.end()) {
            reader.refuse(
                "format",
                Errc::bad_request,
                "`format` is one of cloudevents-binary, cloudevents-structured, body"
            );
        } else {
            sink.format = found->format;
        }
    }
    read_headers(reader, sink);
    read_auth(reader, sink);
    read_secrets(reader, sink, form);
    return sink;
}

void append_webhook(std::string& out, const WebhookSink& sink, DocumentForm form) {
    out += "{\"kind\":\"webhook\",";
    append_first_member(out, "url", sink.url);
    out += ',';
    append_first_member(
        out, "format", std::ranges::find(kFormats, sink.format, &FormatName::format)->name
    );
    if (!sink.headers.empty()) {
        out += ",\"headers\":{";
        for (std::size_t i = 0; i < sink.headers.size(); ++i) {
            out += i == 0 ? "" : ",";
            append_json_string(out, sink.headers[i].first);
            out += ':';
            append_json_string(out, sink.headers[i].second);
        }
        out += '}';
    }
    append_auth(out, sink, form);
    append_secrets(out, sink, form);
    out += '}';
}

}  // namespace belfry
