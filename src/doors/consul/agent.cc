#include "doors/consul/agent.h"

#include "net/http_syntax.h"

#include <memory>
#include <string>

namespace belfry {

namespace {

// Consul has words for the first two; the others are this hub's own.
int status_of(Errc code) {
    switch (code) {
        case Errc::bad_request:
        case Errc::unknown_field:
        case Errc::invalid_event:
        case Errc::invalid_filter:
            return 400;
        case Errc::not_found:
            return 404;
        case Errc::unauthenticated:
        case Errc::denied:
            return 403;
        case Errc::method_not_allowed:
            return 405;
        case Errc::conflict:
        case Errc::id_conflict:
            return 409;
        case Errc::offset_expired:
            return 410;
        case Errc::precondition_failed:
            return 412;
        case Errc::too_large:
            return 413;
        case Errc::rate_limited:
            return 429;
        case Errc::internal:
            return 500;
        case Errc::overloaded:
        case Errc::outcome_unknown:
        case Errc::read_only:
        case Errc::unavailable:
            return 503;
        case Errc::disk_full:
            return 507;
    }
    return 500;
}

}  // namespace

bool ConsulAgent::is_for_us(RequestContext& context) {
    std::string_view wanted = context.query.get("datacenter").value_or("");
    if (wanted.empty()) {
        wanted = context.query.get("dc").value_or("");
    }
    if (wanted.empty() || equals_ignoring_case(wanted, ports_.node.datacenter)) {
        return true;
    }
    ports_.answers.text(context.exchange, 500, "No path to datacenter");
    return false;
}

void ConsulAgent::answer(RequestContext& context, std::string_view json) {
    if (is_for_us(context)) {
        ports_.answers.json(context, json);
    }
}

void ConsulAgent::answer_query(RequestContext& context, std::string_view json) {
    if (is_for_us(context)) {
        ports_.answers.json(
            context,
            json,
            "X-Consul-Index: " + std::to_string(ports_.services.index()) +
                "\r\nX-Consul-Knownleader: true\r\nX-Consul-Lastcontact: 0\r\n"
        );
    }
}

Services::Done ConsulAgent::answer_when_done(Exchange exchange) {
    return [this, exchange = std::move(exchange)](Result<void> done) mutable {
        if (done) {
            return ports_.answers.text(exchange, 200, "");
        }
        ports_.answers.text(exchange, status_of(done.error().code), done.error().detail);
    };
}

void ConsulAgent::self(RequestContext& context) {
    answer(context, agent_self_json(ports_.node, ports_.services, ports_.build));
}

void ConsulAgent::members(RequestContext& context) {
    answer(context, agent_members_json(ports_.node, ports_.build));
}

void ConsulAgent::version(RequestContext& context) {
    answer(context, agent_version_json(ports_.build));
}

void ConsulAgent::checks(RequestContext& context) {
    answer(context, "{}");
}

void ConsulAgent::services(RequestContext& context) {
    answer(context, agent_services_json(ports_.node, ports_.services));
}

void ConsulAgent::service(RequestContext& context) {
    const std::string_view id = context.path.get("id");
    if (const Service* found = ports_.services.find(id)) {
        return answer(context, agent_service_json(ports_.node, *found));
    }
    if (is_for_us(context)) {
        ports_.answers.text(context.exchange, 404, "unknown service ID: " + std::string(id));
    }
}

void ConsulAgent::register_service(RequestContext& context) {
    if (!is_for_us(context)) {
        return;
    }
    const Result<Service> service = parse_service(context.request.body, ports_.limits);
    if (!service) {
        return ports_.answers.text(
            context.exchange, status_of(service.error().code), service.error().detail
        );
    }
    ports_.services.put(*service, answer_when_done(std::move(context.exchange)));
}

void ConsulAgent::deregister_service(RequestContext& context) {
    if (is_for_us(context)) {
        const std::string id(context.path.get("id"));
        ports_.services.remove(id, answer_when_done(std::move(context.exchange)));
    }
}

void ConsulAgent::leader(RequestContext& context) {
    answer(context, status_address_json(ports_.node));
}

void ConsulAgent::peers(RequestContext& context) {
    answer(context, "[" + status_address_json(ports_.node) + "]");
}

void ConsulAgent::catalog_datacenters(RequestContext& context) {
    answer(context, catalog_datacenters_json(ports_.node));
}

void ConsulAgent::catalog_nodes(RequestContext& context) {
    answer_query(context, catalog_nodes_json(ports_.node));
}

void ConsulAgent::catalog_services(RequestContext& context) {
    answer_query(context, catalog_services_json(ports_.services));
}

void ConsulAgent::catalog_service(RequestContext& context) {
    answer_query(
        context,
        catalog_service_json(
            ports_.node, ports_.services, context.path.get("name"), context.query.get("tag")
        )
    );
}

}  // namespace belfry
