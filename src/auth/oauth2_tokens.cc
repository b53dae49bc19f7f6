#include "auth/oauth2_tokens.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/url.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace belfry {

namespace {

namespace json = boost::json;

// Of one request for a token; whoever waits may have less time.
constexpr Duration kFetchTimeout = std::chrono::seconds(10);
constexpr Duration kConnectTimeout = std::chrono::seconds(3);
// A token without a lifetime is believed this long, and none longer than the other.
constexpr std::chrono::seconds kLifetimeUnsaid(300);
constexpr std::chrono::seconds kLifetimeMost(86'400);
// So long before it expires a token is renewed, but not before three quarters of its life.
constexpr Duration kRenewBefore = std::chrono::seconds(60);
constexpr std::size_t kTokenBytes = 16 * 1024;
constexpr std::size_t kErrorCodeBytes = 64;

// application/x-www-form-urlencoded, as RFC 6749, 2.3.1 wants it in Basic, too.
std::string form_encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_letter(c) || is_digit(c) || std::string_view("-._*").contains(c)) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
    }
    return out;
}

HttpCall token_request(const OAuth2Auth& client, const Url& url, const std::string& user_agent) {
    auto body = std::make_shared<std::string>("grant_type=client_credentials");
    if (!client.scope.empty()) {
        *body += "&scope=" + form_encoded(client.scope);
    }
    std::string basic;
    append_base64(basic, form_encoded(client.client_id) + ":" + form_encoded(client.client_secret));
    HttpCall call;
    call.secure = url.scheme == Url::Scheme::https;
    call.host = url.host;
    call.port = url.port;
    call.timeout = kFetchTimeout;
    call.connect_timeout = kConnectTimeout;
    call.head = "POST " + url.target() + " HTTP/1.1\r\nHost: " + url.authority() +
                "\r\nUser-Agent: " + user_agent + "\r\nAuthorization: Basic " + basic +
                "\r\nAccept: application/json"
                "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                std::to_string(body->size()) + "\r\n\r\n";
    call.body = *body;
    call.body_owner = std::move(body);
    return call;
}

// "invalid_client": what RFC 6749, 5.2 lets an error code hold, and no more than that.
std::string error_code(std::string_view body, const Limits& limits) {
    const Result<json::value> document = parse_json(body, limits);
    const json::object* members = document ? document->if_object() : nullptr;
    const json::value* code = members == nullptr ? nullptr : members->if_contains("error");
    const json::string* text = code == nullptr ? nullptr : code->if_string();
    if (text == nullptr || text->size() > kErrorCodeBytes ||
        !std::ranges::all_of(*text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) {
        return {};
    }
    return " (" + std::string(text->data(), text->size()) + ")";
}

Result<std::chrono::seconds> lifetime_of(const json::object& members) {
    const json::value* value = members.if_contains("expires_in");
    if (value == nullptr || value->is_null()) {
        return kLifetimeUnsaid;
    }
    std::int64_t seconds = -1;
    if (const std::int64_t* number = value->if_int64()) {
        seconds = *number;
    } else if (const json::string* text = value->if_string()) {  // some servers write it so
        const char* end = text->data() + text->size();
        if (std::from_chars(text->data(), end, seconds).ptr != end) {
            seconds = -1;
        }
    }
    if (seconds <= 0) {
        return fail(Errc::unavailable, "`expires_in` is not a number of seconds");
    }
    return std::min(std::chrono::seconds(seconds), kLifetimeMost);
}

bool is_bearer(std::string_view type) {
    return std::ranges::equal(type, std::string_view("bearer"), [](char a, char b) {
        return (a | 0x20) == b;
    });
}

}  // namespace

Result<TokenAnswer> parse_token_answer(std::string_view body, const Limits& limits) {
    Result<json::value> document = parse_json(body, limits);
    if (!document) {
        return fail(Errc::unavailable, "the answer is not JSON");
    }
    const json::object* members = document->if_object();
    const json::value* token = members == nullptr ? nullptr : members->if_contains("access_token");
    const json::string* text = token == nullptr ? nullptr : token->if_string();
    const bool usable = text != nullptr && !text->empty() && text->size() <= kTokenBytes &&
                        std::ranges::all_of(*text, [](char c) { return c > 0x20 && c < 0x7f; });
    if (!usable) {
        return fail(Errc::unavailable, "`access_token` is missing or not printable ASCII");
    }
    const json::value* type = members->if_contains("token_type");
    const json::string* type_text = type == nullptr ? nullptr : type->if_string();
    if (type_text == nullptr || !is_bearer({type_text->data(), type_text->size()})) {
        return fail(Errc::unavailable, "`token_type` is not Bearer");
    }
    Result<std::chrono::seconds> lifetime = lifetime_of(*members);
    if (!lifetime) {
        return std::unexpected(std::move(lifetime.error()));
    }
    return TokenAnswer{.token = {text->data(), text->size()}, .lifetime = *lifetime};
}

OAuth2Tokens::~OAuth2Tokens() {
    for (auto& [key, entry] : entries_) {
        for (auto& [number, waiter] : entry.waiters) {
            ports_.clock.cancel(waiter.timer);
        }
    }
}

// As JSON strings, so that no two clients write the same key.
OAuth2Tokens::Key OAuth2Tokens::key_of(const OAuth2Auth& client) {
    Key key;
    for (const std::string* part :
         {&client.token_url, &client.client_id, &client.scope, &client.client_secret}) {
        append_json_string(key, *part);
    }
    return key;
}

void OAuth2Tokens::get(const OAuth2Auth& client, Duration timeout, Done done) {
    drop_expired();
    const Key key = key_of(client);
    Entry& entry = entries_[key];
    const MonoTime now = ports_.clock.now();
    if (!entry.token.empty() && now < entry.renew_at) {
        done(AccessToken{.text = entry.token, .was_kept = true});
        return;
    }
    const std::uint64_t number = entry.next_waiter++;
    const TimerId timer = ports_.clock.call_after(timeout, [this, key, number] {
        auto waiter = entries_[key].waiters.extract(number);
        waiter.mapped().done(fail(Errc::unavailable, "timed out while waiting for it"));
    });
    entry.waiters.emplace(number, Waiter{std::move(done), timer});
    if (!std::exchange(entry.is_fetching, true)) {
        fetch(key, client);
    }
}

void OAuth2Tokens::forget(const OAuth2Auth& client, const std::string& token) {
    const auto entry = entries_.find(key_of(client));
    if (entry != entries_.end() && entry->second.token == token) {
        entry->second.token.clear();
    }
}

void OAuth2Tokens::fetch(const Key& key, const OAuth2Auth& client) {
    const Result<Url> url = parse_url(client.token_url);
    if (!url) {
        fetched(key, std::unexpected(url.error()));
        return;
    }
    ports_.send(
        token_request(client, *url, ports_.user_agent),
        [this, key](const Result<HttpReply>& reply) { fetched(key, reply); }
    );
}

void OAuth2Tokens::fetched(const Key& key, const Result<HttpReply>& reply) {
    const MonoTime now = ports_.clock.now();
    Entry& entry = entries_[key];
    entry.is_fetching = false;
    Result<TokenAnswer> answer = fail(Errc::unavailable, "");
    if (!reply) {
        answer = std::unexpected(reply.error());
    } else if (reply->status != 200) {
        answer = fail(
            Errc::unavailable,
            "answered " + std::to_string(reply->status) + error_code(reply->body, ports_.limits)
        );
    } else {
        answer = parse_token_answer(reply->body, ports_.limits);
    }
    Result<AccessToken> token = AccessToken{};
    if (answer) {
        entry.token = std::move(answer->token);
        entry.expires_at = now + answer->lifetime;
        entry.renew_at = entry.expires_at - std::min<Duration>(kRenewBefore, answer->lifetime / 4);
        token->text = entry.token;
    } else if (!entry.token.empty() && now < entry.expires_at) {
        // Not renewed, but good for a little while.
        token = AccessToken{.text = entry.token, .was_kept = true};
    } else {
        entry.token.clear();
        token = fail(answer.error().code, "the token URL: " + answer.error().detail);
    }
    // Whoever waits may ask again at once.
    auto waiters = std::exchange(entry.waiters, {});
    for (auto& [number, waiter] : waiters) {
        ports_.clock.cancel(waiter.timer);
        waiter.done(token);
    }
}

// Clients come and go with their subscriptions; what they leave is dropped when others ask.
void OAuth2Tokens::drop_expired() {
    const MonoTime now = ports_.clock.now();
    std::erase_if(entries_, [&](const auto& item) {
        const Entry& entry = item.second;
        return !entry.is_fetching && entry.waiters.empty() &&
               (entry.token.empty() || entry.expires_at <= now);
    });
}

}  // namespace belfry
