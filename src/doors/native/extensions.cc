#include "doors/native/extensions.h"

#include "base/rfc3339.h"
#include "doors/json_writer.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/translate.h"

#include <algorithm>

namespace belfry {

namespace {

ExtensionRegistry::Key extension_key(const RequestContext& context) {
    return Extensions::key(context.caller.tenant, context.path.get("name"));
}

Error no_such_extension(std::string_view name) {
    return Error{
        .code = Errc::not_found, .detail = "there is no extension named '" + std::string(name) + "'"
    };
}

bool may_read_all(const Caller& caller) {
    const TypePattern every{.text = "", .prefix = true};
    return caller.grant != nullptr && caller.grant->covers(Verb::read, every);
}

// The extension itself decides, now and with every index, which events leave for it; and files of
// this machine are the operator's.
Result<void> check_reach(const Caller& caller, const RegisteredExtension& extension) {
    if (!may_read_all(caller)) {
        return fail(
            Errc::denied,
            "an extension asks for events by itself, so who registers one must be allowed to read "
            "events of every type"
        );
    }
    if (extension.tls && !caller.may(Resource::op, Verb::write)) {
        return std::unexpected(Error{
            .code = Errc::denied,
            .detail = "`tls` names files of the hub's machine, which only an operator may do",
            .field = "tls"
        });
    }
    return {};
}

void write_names(JsonWriter& json, const std::vector<std::string>& names) {
    json.name("listenTo").begin_array();
    for (const std::string& name : names) {
        json.text(name);
    }
    json.end_array();
}

// Why a listener that may be called is not what it seems; empty: it is.
std::string_view warning_of(
    const SteadybitListener& listener, const SteadybitFinding& finding, bool aws_mode
) {
    if (!finding.warning.empty()) {
        return finding.warning;
    }
    if (listener.listen_to.empty()) {
        return "listens to no event";
    }
    const bool passed_over = listener.restrict_to == SteadybitListener::Restrict::aws && !aws_mode;
    return passed_over ? "only hubs with steadybit.agent_mode aws call it, which this one is not"
                       : "";
}

void write_listeners(
    JsonWriter& json, const SteadybitIndex& index, const SteadybitExtension* served, bool aws_mode
) {
    json.name("listeners").begin_array();
    for (std::size_t i = 0; i < index.listeners.size(); ++i) {
        const SteadybitListener& listener = index.listeners[i];
        const bool found = served != nullptr && i < served->findings.size();
        const SteadybitFinding finding = found ? served->findings[i] : SteadybitFinding{};
        json.begin_object().member("method", listener.method).member("path", listener.path);
        write_names(json, listener.listen_to);
        json.member("restrictTo", restrict_name(listener.restrict_to));
        json.member("state", finding.refused.empty() ? "active" : "refused");
        if (!finding.refused.empty()) {
            json.member("reason", finding.refused);
        }
        const std::string_view warning = warning_of(listener, finding, aws_mode);
        if (!warning.empty()) {
            json.member("warning", warning);
        }
        json.end_object();
    }
    for (const SteadybitRefusal& refusal : index.refusals) {
        json.begin_object().member("method", refusal.method).member("path", refusal.path);
        write_names(json, refusal.listen_to);
        json.member("state", "refused").member("reason", refusal.reason).end_object();
    }
    json.end_array();
    if (index.refusals_beyond > 0) {
        json.member("refused_beyond", index.refusals_beyond);
    }
}

void write_index(JsonWriter& json, const ExtensionIndex& index) {
    json.name("index").begin_object();
    if (index.fetched) {
        json.member("fetched", rfc3339(*index.fetched));
    }
    if (!index.etag.empty()) {
        json.member("etag", index.etag);
    }
    if (!index.error.empty()) {
        json.member("error", index.error);
    }
    if (index.known && index.index.listeners.empty() && index.index.refusals.empty()) {
        json.member("note", "it names no listeners");
    } else if (index.too_large_to_keep) {
        json.member(
            "note",
            "it takes more than limits.document_bytes to keep: a restart of the hub forgets it"
        );
    }
    json.end_object();
}

// What a listener answered may repeat what it was sent: only for who may read events of every type.
void write_delivery(
    JsonWriter& json,
    const Result<SubscriptionStatus>& status,
    const SteadybitExtension* served,
    bool with_error
) {
    std::string last_error = served == nullptr ? "" : served->last_error;
    if (status) {
        json.member("offset", status->cursor.value);
        // Events go one at a time: the one that is retried may also be under way just now.
        json.member("lag", status->pending + std::max(status->retrying, status->in_flight));
        json.member("dead", status->dead);
        last_error = last_error.empty() ? status->last_error : last_error;
    }
    if (with_error && !last_error.empty()) {
        json.member("last_error", last_error);
    }
}

}  // namespace

const RegisteredExtension* ExtensionDocuments::find(const RequestContext& context) const {
    return registry_.extensions().find(extension_key(context));
}

std::string ExtensionDocuments::json_of(const RegisteredExtension& extension, bool with_error)
    const {
    const ExtensionRegistry::Key key = Extensions::key(extension.tenant, extension.name);
    std::string members;
    append_extension_members(members, extension);
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    const ExtensionIndex* index = registry_.index(key);
    const SteadybitExtension* served = registry_.ports().calls.find(key);
    const ExtensionIndex none;
    write_index(json, index == nullptr ? none : *index);
    write_listeners(
        json, index == nullptr ? none.index : index->index, served, registry_.ports().aws_mode
    );
    json.member("subscription", extension.subscription_name());
    write_delivery(
        json,
        hub_.subscription_status(extension.tenant + "/" + extension.subscription_name()),
        served,
        with_error
    );
    json.end_object();
    // One object of both: the document's members come first.
    return "{" + members + "," + out.substr(1);
}

void ExtensionDocuments::add(RequestContext& context) {
    Result<RegisteredExtension> extension =
        parse_extension(context.request.body, registry_.ports().defaults, limits_);
    if (!extension) {
        return answer_error(context.exchange, extension.error());
    }
    if (Result<void> good = check_reach(context.caller, *extension); !good) {
        return answer_error(context.exchange, good.error());
    }
    extension->tenant = context.caller.tenant;
    registry_.add(
        *std::move(extension),
        [this,
         tenant = context.caller.tenant,
         exchange = std::move(context.exchange)](Result<AddedExtension> added) mutable {
            if (!added) {
                return answer_error(exchange, added.error());
            }
            const RegisteredExtension* now =
                registry_.extensions().find(Extensions::key(tenant, added->name));
            if (now == nullptr) {
                return answer_error(exchange, no_such_extension(added->name));
            }
            // Names need no escaping in a path.
            answer_json(
                exchange,
                added->is_new ? 201 : 200,
                json_of(*now, true),  // check_reach
                "Location: /api/v1/extensions/" + now->name + "\r\n"
            );
        }
    );
}

void ExtensionDocuments::list(RequestContext& context) {
    Result<std::size_t> limit = page_limit(context.query, limits_);
    if (!limit) {
        return answer_error(context.exchange, limit.error());
    }
    const std::vector<const RegisteredExtension*> all =
        registry_.extensions().list(context.caller.tenant);
    const std::string_view after = context.query.get("after").value_or("");
    auto at = std::ranges::upper_bound(all, after, {}, [](const RegisteredExtension* extension) {
        return std::string_view(extension->name);
    });
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("extensions").begin_array();
    std::string_view last;
    for (std::size_t i = 0; i < *limit && at != all.end(); ++i, ++at) {
        json.raw(json_of(**at, may_read_all(context.caller)));
        last = (*at)->name;
    }
    json.end_array();
    if (at != all.end()) {
        json.member("next", last);
    }
    json.end_object();
    answer_json(context.exchange, 200, out);
}

void ExtensionDocuments::get(RequestContext& context) {
    const RegisteredExtension* extension = find(context);
    if (extension == nullptr) {
        return answer_error(context.exchange, no_such_extension(context.path.get("name")));
    }
    answer_json(context.exchange, 200, json_of(*extension, may_read_all(context.caller)));
}

void ExtensionDocuments::refresh(RequestContext& context) {
    registry_.refresh(
        extension_key(context),
        [this,
         key = extension_key(context),
         with_error = may_read_all(context.caller),
         exchange = std::move(context.exchange)](Result<void> ended) mutable {
            const RegisteredExtension* extension = registry_.extensions().find(key);
            if (!ended || extension == nullptr) {
                const Error gone = no_such_extension(key.substr(key.find('/') + 1));
                return answer_error(exchange, ended ? gone : ended.error());
            }
            answer_json(exchange, 200, json_of(*extension, with_error));
        }
    );
}

void ExtensionDocuments::remove(RequestContext& context) {
    registry_.remove(
        extension_key(context),
        [exchange = std::move(context.exchange)](Result<void> removed) mutable {
            removed ? answer_nothing(exchange) : answer_error(exchange, removed.error());
        }
    );
}

void ExtensionDocuments::list_attempts(RequestContext& context) {
    const RegisteredExtension* extension = find(context);
    if (extension == nullptr) {
        return answer_error(context.exchange, no_such_extension(context.path.get("name")));
    }
    if (!may_read_all(context.caller)) {
        // What a listener answered may repeat what it was sent.
        Error hidden{
            .code = Errc::denied,
            .detail = "attempts are of events of every type, and the token may not read them all"
        };
        return answer_error(context.exchange, hidden);
    }
    hub_.list_attempts(
        extension->tenant + "/" + extension->subscription_name(),
        std::nullopt,
        [exchange =
             std::move(context.exchange)](Result<std::vector<AttemptRecord>> attempts) mutable {
            if (!attempts) {
                return answer_error(exchange, attempts.error());
            }
            std::string out;
            JsonWriter json(out);
            json.begin_object().name("attempts").begin_array();
            for (const AttemptRecord& attempt : *attempts) {
                json.raw(attempt_json(attempt));
            }
            json.end_array().end_object();
            answer_json(exchange, 200, out);
        }
    );
}

}  // namespace belfry
