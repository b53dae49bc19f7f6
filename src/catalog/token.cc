#include "catalog/token.h"

#include "base/duration.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "catalog/name.h"

#include <boost/json.hpp>

#include <algorithm>
#include <limits>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kTokenDescriptionBytes = 1024;
constexpr Duration kExpiresMin = std::chrono::seconds(1);
constexpr Duration kExpiresMax = std::chrono::days(3650);

void read_policies(JsonObjectReader& reader, std::vector<std::string>& policies) {
    static_cast<void>(reader.required("policies"));
    policies = reader.texts("policies");
    if (!reader.ok()) {
        return;
    }
    if (policies.empty() || policies.size() > kPoliciesPerToken) {
        return reader.refuse("policies", Errc::bad_request, "1 to 64 policies are expected");
    }
    for (std::size_t i = 0; i < policies.size(); ++i) {
        if (Result<void> good = check_name(policies[i]); !good) {
            good.error().field = reader.path("policies", i);
            return reader.check(std::move(good));
        }
    }
    std::ranges::sort(policies);
    const auto repeated = std::ranges::unique(policies);
    policies.erase(repeated.begin(), repeated.end());
}

void read_expires(JsonObjectReader& reader, std::optional<Duration>& expires) {
    std::optional<std::string> text = reader.text("expires");
    if (!text) {
        return;
    }
    Result<Duration> duration = parse_duration(*text);
    if (!duration) {
        return reader.refuse("expires", Errc::bad_request, std::move(duration.error().detail));
    }
    if (*duration < kExpiresMin || *duration > kExpiresMax) {
        return reader.refuse("expires", Errc::bad_request, "1s to 3650d are possible");
    }
    expires = *duration;
}

bool parse_hash(std::string_view text, TokenHash& hash) {
    if (text.size() != 2 * hash.size()) {
        return false;
    }
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const int high = hex_digit_value(text[2 * i]);
        const int low = hex_digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        hash[i] = static_cast<std::byte>(high * 16 + low);
    }
    return true;
}

std::string hash_text(const TokenHash& hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::byte byte : hash) {
        text += kDigits[static_cast<std::size_t>(byte) >> 4U];
        text += kDigits[static_cast<std::size_t>(byte) & 15U];
    }
    return text;
}

WallTime read_time(JsonObjectReader& reader, std::string_view name, std::string_view text) {
    std::optional<WallTime> time = parse_rfc3339(text);
    if (!time) {
        reader.refuse(name, Errc::bad_request, "a time is expected");
    }
    return time.value_or(WallTime());
}

}  // namespace

Result<TokenRequest> parse_token_request(std::string_view text, const Limits& limits) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    JsonObjectReader reader(*document);
    TokenRequest request;
    read_policies(reader, request.policies);
    if (std::optional<std::string> tenant = reader.text("tenant")) {
        if (Result<void> good = check_name(*tenant); !good) {
            good.error().field = "tenant";
            reader.check(std::move(good));
        }
        request.tenant = std::move(*tenant);
    }
    request.description = reader.text("description").value_or("");
    if (request.description.size() > kTokenDescriptionBytes) {
        reader.refuse("description", Errc::bad_request, "at most 1024 bytes are allowed");
    }
    read_expires(reader, request.expires);
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return request;
}

Result<Token> parse_stored_token(std::string_view text) {
    Result<json::value> document = parse_json(text, Limits{});
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    JsonObjectReader reader(*document);
    Token token;
    token.id = reader.required_text("id");
    token.tenant = reader.required_text("tenant");
    if (!parse_hash(reader.required_text("hash"), token.hash)) {
        reader.refuse("hash", Errc::bad_request, "64 hex digits are expected");
    }
    read_policies(reader, token.policies);
    token.description = reader.text("description").value_or("");
    if (std::optional<std::string> expires = reader.text("expires")) {
        token.expires = read_time(reader, "expires", *expires);
    }
    token.created = read_time(reader, "created", reader.required_text("created"));
    token.created_by = reader.required_text("created_by");
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return token;
}

std::string stored_token_json(const Token& token) {
    json::object out;
    out["id"] = token.id;
    out["tenant"] = token.tenant;
    out["hash"] = hash_text(token.hash);
    out["policies"] = json::array(token.policies.begin(), token.policies.end());
    if (!token.description.empty()) {
        out["description"] = token.description;
    }
    if (token.expires) {
        out["expires"] = rfc3339(*token.expires);
    }
    out["created"] = rfc3339(token.created);
    out["created_by"] = token.created_by;
    return json::serialize(out);
}

}  // namespace belfry
