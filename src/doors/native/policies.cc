#include "doors/native/policies.h"

#include "doors/json_writer.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/translate.h"

#include <algorithm>

namespace belfry {

namespace {

void write_policy(JsonWriter& json, const Policy& policy) {
    json.begin_object().member("name", policy.name).member("tenant", policy.tenant);
    if (!policy.description.empty()) {
        json.member("description", policy.description);
    }
    json.name("rules").raw(policy_rules_json(policy.rules));
    json.member("revision", policy.revision.value).end_object();
}

std::string etag(const Policy& policy) {
    return "ETag: \"" + std::to_string(policy.revision.value) + "\"\r\n";
}

Error no_such_policy() {
    return Error{.code = Errc::not_found, .detail = "there is no such policy"};
}

}  // namespace

AccessAdministration::Done<Policy> Policies::answer_with(Exchange exchange, int status) {
    return [exchange = std::move(exchange), status](Result<Policy> policy) mutable {
        if (!policy) {
            return answer_error(exchange, policy.error());
        }
        std::string out;
        JsonWriter json(out);
        write_policy(json, *policy);
        std::string headers = etag(*policy);
        if (status == 201) {
            headers += "Location: /api/v1/policies/" + policy->name + "\r\n";
        }
        answer_json(exchange, status, out, headers);
    };
}

std::optional<Policy> Policies::read_body(RequestContext& context) {
    Result<Policy> policy = parse_policy(context.request.body, limits_);
    if (policy) {
        Result<std::string> tenant =
            administration_.tenant_of(context.caller, policy->tenant, Verb::write);
        if (tenant) {
            policy->tenant = std::move(*tenant);
            return std::move(*policy);
        }
        policy = std::unexpected(std::move(tenant.error()));
    }
    answer_error(context.exchange, policy.error());
    return std::nullopt;
}

void Policies::create(RequestContext& context) {
    if (std::optional<Policy> policy = read_body(context)) {
        administration_.create_policy(
            context.caller, std::move(*policy), answer_with(std::move(context.exchange), 201)
        );
    }
}

void Policies::list(RequestContext& context) {
    Result<std::size_t> limit = page_limit(context.query, limits_);
    Result<std::string> tenant = administration_.tenant_of(
        context.caller, context.query.get("tenant").value_or(""), Verb::read
    );
    if (!limit || !tenant) {
        return answer_error(context.exchange, limit ? tenant.error() : limit.error());
    }
    std::vector<const Policy*> all = administration_.documents().policies(*tenant);
    auto begin = std::ranges::upper_bound(
        all,
        context.query.get("after").value_or(""),
        {},
        [](const Policy* policy) { return std::string_view(policy->name); }
    );
    const auto left = static_cast<std::size_t>(all.end() - begin);
    std::span<const Policy* const> page(begin, std::min(left, *limit));
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("policies").begin_array();
    for (const Policy* policy : page) {
        write_policy(json, *policy);
    }
    json.end_array();
    if (left > page.size()) {
        json.member("next", page.back()->name);
    }
    json.end_object();
    answer_json(context.exchange, 200, out);
}

void Policies::get(RequestContext& context) {
    Result<std::string> tenant = administration_.tenant_of(
        context.caller, context.query.get("tenant").value_or(""), Verb::read
    );
    const Policy* policy =
        tenant ? administration_.documents().find_policy(*tenant, context.path.get("name"))
               : nullptr;
    if (policy == nullptr) {
        return answer_error(context.exchange, no_such_policy());
    }
    std::string out;
    JsonWriter json(out);
    write_policy(json, *policy);
    answer_json(context.exchange, 200, out, etag(*policy));
}

void Policies::replace(RequestContext& context) {
    Result<Expect> expect = expectation(context.request.header("if-match"));
    if (!expect) {
        return answer_error(context.exchange, expect.error());
    }
    std::optional<Policy> policy = read_body(context);
    if (!policy) {
        return;
    }
    if (policy->name != context.path.get("name")) {
        Error other{
            .code = Errc::bad_request,
            .detail = "the name in the body is not the name in the path",
            .field = "name"
        };
        return answer_error(context.exchange, other);
    }
    administration_.replace_policy(
        context.caller, std::move(*policy), *expect, answer_with(std::move(context.exchange), 200)
    );
}

void Policies::remove(RequestContext& context) {
    Result<Expect> expect = expectation(context.request.header("if-match"));
    if (!expect) {
        return answer_error(context.exchange, expect.error());
    }
    Result<std::string> tenant = administration_.tenant_of(
        context.caller, context.query.get("tenant").value_or(""), Verb::write
    );
    if (!tenant) {
        return answer_error(context.exchange, no_such_policy());
    }
    administration_.remove_policy(
        context.caller,
        {.tenant = std::move(*tenant), .name = std::string(context.path.get("name"))},
        *expect,
        [exchange = std::move(context.exchange)](Result<void> removed) mutable {
            removed ? answer_nothing(exchange) : answer_error(exchange, removed.error());
        }
    );
}

}  // namespace belfry
