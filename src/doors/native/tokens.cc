#include "doors/native/tokens.h"

#include "base/rfc3339.h"
#include "doors/json_writer.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/translate.h"

#include <algorithm>

namespace belfry {

namespace {

void write_members(JsonWriter& json, const Token& token, WallTime now) {
    json.member("id", token.id).member("tenant", token.tenant);
    json.name("policies").begin_array();
    for (const std::string& policy : token.policies) {
        json.text(policy);
    }
    json.end_array();
    if (!token.description.empty()) {
        json.member("description", token.description);
    }
    json.member("created", rfc3339(token.created)).member("created_by", token.created_by);
    if (token.expires) {
        json.member("expires", rfc3339(*token.expires)).member("expired", now >= *token.expires);
    }
}

Error no_such_token() {
    return Error{.code = Errc::not_found, .detail = "there is no such token"};
}

}  // namespace

void Tokens::create(RequestContext& context) {
    Result<TokenRequest> request = parse_token_request(context.request.body, limits_);
    if (!request) {
        return answer_error(context.exchange, request.error());
    }
    administration_.create_token(
        context.caller,
        std::move(*request),
        [this, exchange = std::move(context.exchange)](Result<IssuedToken> issued) mutable {
            if (!issued) {
                return answer_error(exchange, issued.error());
            }
            std::string out;
            JsonWriter json(out);
            json.begin_object();
            write_members(json, issued->token, administration_.clock().wall());
            json.member("secret", issued->secret).end_object();
            answer_json(
                exchange, 201, out, "Location: /api/v1/tokens/" + issued->token.id + "\r\n"
            );
        }
    );
}

void Tokens::list(RequestContext& context) {
    Result<std::size_t> limit = page_limit(context.query, limits_);
    Result<std::string> tenant = administration_.tenant_of(
        context.caller, context.query.get("tenant").value_or(""), Verb::read
    );
    if (!limit || !tenant) {
        return answer_error(context.exchange, limit ? tenant.error() : limit.error());
    }
    const auto& tokens = administration_.documents().tokens();
    const WallTime now = administration_.clock().wall();
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("tokens").begin_array();
    std::string_view last;
    bool more = false;
    for (auto at = tokens.upper_bound(context.query.get("after").value_or(""));
         at != tokens.end() && !more;
         ++at) {
        if (at->second.tenant != *tenant) {
            continue;
        }
        more = *limit == 0;
        if (!more) {
            --*limit;
            last = at->first;
            json.begin_object();
            write_members(json, at->second, now);
            json.end_object();
        }
    }
    json.end_array();
    if (more) {
        json.member("next", last);
    }
    json.end_object();
    answer_json(context.exchange, 200, out);
}

void Tokens::get(RequestContext& context) {
    Result<std::string> tenant = administration_.tenant_of(
        context.caller, context.query.get("tenant").value_or(""), Verb::read
    );
    const Token* token = administration_.documents().find_token(context.path.get("id"));
    if (!tenant || token == nullptr || token->tenant != *tenant) {
        return answer_error(context.exchange, no_such_token());
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_members(json, *token, administration_.clock().wall());
    json.end_object();
    answer_json(context.exchange, 200, out);
}

void Tokens::revoke(RequestContext& context) {
    Result<std::string> tenant = administration_.tenant_of(
        context.caller, context.query.get("tenant").value_or(""), Verb::write
    );
    if (!tenant) {
        return answer_error(context.exchange, no_such_token());
    }
    administration_.revoke_token(
        context.caller,
        {.tenant = std::move(*tenant), .name = std::string(context.path.get("id"))},
        [exchange = std::move(context.exchange)](Result<void> revoked) mutable {
            revoked ? answer_nothing(exchange) : answer_error(exchange, revoked.error());
        }
    );
}

}  // namespace belfry
