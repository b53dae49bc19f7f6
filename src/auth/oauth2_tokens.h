// Access tokens by client credentials (RFC 6749, 4.4), for sinks whose listeners want one. A token
// is kept per token URL, client and scope until shortly before it expires; one request for it is
// under way at a time, whoever else wants it waits. Owned by the wiring; the ports must outlive it,
// and it everything that asks. I/O thread only.
#pragma once

#include "base/clock.h"
#include "catalog/subscription.h"
#include "net/http_client.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace belfry {

struct AccessToken {
    std::string text;
    bool was_kept = false;  // from before; the listener may know it as revoked
};

struct OAuth2Ports {
    std::function<void(HttpCall, HttpReplyDone)> send;  // HttpClient::call: guarded, no redirects
    Clock& clock;
    const Limits& limits;
    std::string user_agent;
};

class OAuth2Tokens {
 public:
    using Done = std::move_only_function<void(Result<AccessToken>)>;

    explicit OAuth2Tokens(OAuth2Ports ports) : ports_(std::move(ports)) {}
    OAuth2Tokens(const OAuth2Tokens&) = delete;
    OAuth2Tokens& operator=(const OAuth2Tokens&) = delete;
    ~OAuth2Tokens();

    // `done` once, possibly before return, at the latest after `timeout`. Errors are
    // Errc::unavailable or what the guard says; they name the status and the error code of the
    // answer, no secret.
    void get(const OAuth2Auth& client, Duration timeout, Done done);
    // A listener refused this token; if it is the one that is kept, the next get() fetches anew.
    void forget(const OAuth2Auth& client, const std::string& token);

 private:
    struct Waiter {
        Done done;
        TimerId timer;
    };
    // Of one client.
    struct Entry {
        std::string token;  // empty: none
        MonoTime renew_at;  // from here on a new one is asked for
        MonoTime expires_at;
        bool is_fetching = false;
        std::uint64_t next_waiter = 0;
        std::map<std::uint64_t, Waiter> waiters;
    };
    // With the secret: who has another one has no part in the token.
    using Key = std::string;

    [[nodiscard]] static Key key_of(const OAuth2Auth& client);
    void fetch(const Key& key, const OAuth2Auth& client);
    void fetched(const Key& key, const Result<HttpReply>& reply);
    void drop_expired();

    const OAuth2Ports ports_;
    std::map<Key, Entry> entries_;
};

// The body of a token request's answer; exposed for tests and the fuzzer. internal says what is
// wrong without repeating the token.
struct TokenAnswer {
    std::string token;
    std::chrono::seconds lifetime{};
};
[[nodiscard]] Result<TokenAnswer> parse_token_answer(std::string_view body, const Limits& limits);

}  // namespace belfry
