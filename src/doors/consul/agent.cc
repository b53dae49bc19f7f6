#include "doors/consul/agent.h"

#include "doors/consul/errors.h"
#include "doors/consul/translate.h"

#include <memory>
#include <string>

namespace belfry {

bool ConsulAgent::is_for_us(RequestContext& context) {
    if (is_datacenter(context.query, ports_.node)) {
        return true;
    }
    ports_.answers.text(context.exchange, 500, kNoPathToDatacenter);
    return false;
}

void ConsulAgent::answer(RequestContext& context, std::string_view json) {
    if (is_for_us(context)) {
        ports_.answers.json(context, json);
    }
}

void ConsulAgent::answer_query(RequestContext& context, CatalogQueries::MakeJson make) {
    if (is_for_us(context)) {
        ports_.queries.ask(context, std::move(make));
    }
}

Services::Done ConsulAgent::answer_when_done(Exchange exchange) {
    return [this, exchange = std::move(exchange)](Result<void> done) mutable {
        if (done) {
            return ports_.answers.text(exchange, 200, "");
        }
        ports_.answers.text(exchange, consul_status(done.error().code), consul_text(done.error()));
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
            context.exchange, consul_status(service.error().code), consul_text(service.error())
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
    answer_query(context, [this] { return catalog_nodes_json(ports_.node); });
}

void ConsulAgent::catalog_services(RequestContext& context) {
    answer_query(context, [this] { return catalog_services_json(ports_.services); });
}

void ConsulAgent::catalog_service(RequestContext& context) {
    const auto tag = context.query.get("tag");
    answer_query(
        context,
        [this,
         name = std::string(context.path.get("name")),
         tag = tag ? std::optional<std::string>(*tag) : std::nullopt] {
            return catalog_service_json(ports_.node, ports_.services, name, tag);
        }
    );
}

}  // namespace belfry
