#include "doors/consul/node_json.h"

#include "base/ascii.h"
#include "doors/json_writer.h"

#include <algorithm>
#include <map>
#include <set>

namespace belfry {

namespace {

// Serf's word for a member that answers.
constexpr unsigned kAlive = 1;

// Go's encoder escapes what could end a script element; outside of strings these never stand.
std::string escaped_as_go(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
        const std::string_view three = json.substr(i, 3);
        if (json[i] == '<') {
            out += "\\u003c";
        } else if (json[i] == '>') {
            out += "\\u003e";
        } else if (json[i] == '&') {
            out += "\\u0026";
        } else if (three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9") {
            out += three == "\xe2\x80\xa8" ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            out += json[i];
        }
    }
    return out;
}

std::string address_of(const NodeIdentity& node) {
    const bool is_ipv6 = node.address.contains(':');
    return (is_ipv6 ? "[" + node.address + "]" : node.address) + ":" + std::to_string(node.port);
}

template <typename Texts>
void write_texts(JsonWriter& json, const Texts& texts) {
    json.begin_array();
    for (const std::string& text : texts) {
        json.text(text);
    }
    json.end_array();
}

template <typename Map>
void write_map(JsonWriter& json, const Map& map) {
    json.begin_object();
    for (const auto& [key, value] : map) {
        json.member(key, value);
    }
    json.end_object();
}

void write_weights(JsonWriter& json, std::string_view name) {
    json.name(name).begin_object().member("Passing", 1U).member("Warning", 1U).end_object();
}

void write_member(JsonWriter& json, const NodeIdentity& node, const ConsulBuild& build) {
    json.begin_object().member("Name", node.name).member("Addr", node.address);
    json.member("Port", node.port).name("Tags");
    write_map(
        json,
        std::map<std::string, std::string>{
            {"build", build.version + ":" + build.commit},
            {"dc", node.datacenter},
            {"id", node.id},
            {"port", std::to_string(node.port)},
            {"role", "consul"},
        }
    );
    // No gossip is spoken, so there are no versions of its protocols.
    json.member("Status", kAlive).member("ProtocolMin", 0U).member("ProtocolMax", 0U);
    json.member("ProtocolCur", 0U).member("DelegateMin", 0U).member("DelegateMax", 0U);
    json.member("DelegateCur", 0U).end_object();
}

void write_stats(
    JsonWriter& json, const NodeIdentity& node, const Services& services, const ConsulBuild& build
) {
    json.begin_object().name("agent").begin_object().member("check_monitors", "0");
    json.member("check_ttls", "0").member("checks", "0");
    json.member("services", std::to_string(services.all().size())).end_object();
    json.name("build").begin_object().member("prerelease", "").member("revision", build.commit);
    json.member("version", build.version).end_object();
    json.name("consul").begin_object().member("known_datacenters", "1").member("leader", "true");
    json.member("leader_addr", address_of(node)).member("server", "true").end_object();
    json.end_object();
}

void write_agent_service(JsonWriter& json, const NodeIdentity& node, const Service& service) {
    json.begin_object().member("ID", service.id).member("Service", service.name).name("Tags");
    write_texts(json, service.tags);
    json.name("Meta");
    write_map(json, service.meta);
    json.member("Port", service.port).member("Address", service.address);
    write_weights(json, "Weights");
    json.member("EnableTagOverride", false).member("Datacenter", node.datacenter).end_object();
}

void write_node(JsonWriter& json, const NodeIdentity& node) {
    json.member("ID", node.id).member("Node", node.name).member("Address", node.address);
    json.member("Datacenter", node.datacenter).name("TaggedAddresses").begin_object();
    json.member("lan", node.address).member("wan", node.address).end_object();
}

void write_catalog_service(
    JsonWriter& json, const NodeIdentity& node, const Service& service, std::uint64_t index
) {
    json.begin_object();
    write_node(json, node);
    json.name("NodeMeta").begin_object().end_object().member("ServiceKind", "");
    json.member("ServiceID", service.id).member("ServiceName", service.name).name("ServiceTags");
    write_texts(json, service.tags);
    json.member("ServiceAddress", service.address);
    write_weights(json, "ServiceWeights");
    json.name("ServiceMeta");
    write_map(json, service.meta);
    json.member("ServicePort", service.port).member("ServiceEnableTagOverride", false);
    json.name("ServiceProxy").begin_object().end_object();
    json.name("ServiceConnect").begin_object().end_object();
    json.member("CreateIndex", 1U).member("ModifyIndex", index).end_object();
}

bool has_tag(const Service& service, std::string_view wanted) {
    return std::ranges::any_of(service.tags, [wanted](const std::string& tag) {
        return equals_ignoring_case(tag, wanted);
    });
}

}  // namespace

std::string agent_self_json(
    const NodeIdentity& node, const Services& services, const ConsulBuild& build
) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("Config").begin_object().member("Datacenter", node.datacenter);
    json.member("PrimaryDatacenter", node.datacenter).member("NodeName", node.name);
    json.member("NodeID", node.id).member("Revision", build.commit).member("Server", true);
    json.member("Version", build.version).end_object();
    json.name("DebugConfig").begin_object().end_object().name("Coord").raw("null");
    json.name("Member");
    write_member(json, node, build);
    json.name("Stats");
    write_stats(json, node, services, build);
    json.name("Meta").begin_object().end_object().end_object();
    return escaped_as_go(out);
}

std::string agent_members_json(const NodeIdentity& node, const ConsulBuild& build) {
    std::string out;
    JsonWriter json(out);
    json.begin_array();
    write_member(json, node, build);
    json.end_array();
    return escaped_as_go(out);
}

std::string agent_version_json(const ConsulBuild& build) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("SHA", build.commit).member("HumanVersion", build.version);
    json.end_object();
    return escaped_as_go(out);
}

std::string agent_services_json(const NodeIdentity& node, const Services& services) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    for (const auto& [id, service] : services.all()) {
        json.name(id);
        write_agent_service(json, node, service);
    }
    json.end_object();
    return escaped_as_go(out);
}

std::string agent_service_json(const NodeIdentity& node, const Service& service) {
    std::string out;
    JsonWriter json(out);
    write_agent_service(json, node, service);
    return escaped_as_go(out);
}

std::string status_address_json(const NodeIdentity& node) {
    std::string out;
    JsonWriter(out).text(address_of(node));
    return escaped_as_go(out);
}

std::string catalog_datacenters_json(const NodeIdentity& node) {
    std::string out;
    JsonWriter json(out);
    json.begin_array().text(node.datacenter).end_array();
    return escaped_as_go(out);
}

std::string catalog_nodes_json(const NodeIdentity& node) {
    std::string out;
    JsonWriter json(out);
    json.begin_array().begin_object();
    write_node(json, node);
    json.name("Meta").begin_object().end_object().member("CreateIndex", 1U);
    json.member("ModifyIndex", 1U).end_object().end_array();
    return escaped_as_go(out);
}

std::string catalog_services_json(const Services& services) {
    std::map<std::string_view, std::set<std::string>> names;
    for (const auto& [id, service] : services.all()) {
        names[service.name].insert(service.tags.begin(), service.tags.end());
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    for (const auto& [name, tags] : names) {
        json.name(name);
        write_texts(json, tags);
    }
    json.end_object();
    return escaped_as_go(out);
}

std::string catalog_service_json(
    const NodeIdentity& node,
    const Services& services,
    std::string_view name,
    std::optional<std::string_view> tag
) {
    std::string out;
    JsonWriter json(out);
    json.begin_array();
    for (const auto& [id, service] : services.all()) {
        if (equals_ignoring_case(service.name, name) && (!tag || has_tag(service, *tag))) {
            write_catalog_service(json, node, service, services.index());
        }
    }
    json.end_array();
    return escaped_as_go(out);
}

}  // namespace belfry
