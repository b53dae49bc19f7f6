#include "catalog/services.h"

#include "base/logging.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

constexpr std::string_view kServices = "services/";

std::unexpected<Error> configured_service(std::string_view id) {
    return fail(
        Errc::conflict,
        "the service '" + std::string(id) +
            "' is in the hub's configuration (node.services); change it there"
    );
}

std::unexpected<Error> unknown_service(std::string_view id) {
    return fail(
        Errc::not_found,
        "Unknown service ID \"" + std::string(id) +
            "\". Ensure that the service ID is passed, not the service name."
    );
}

// What filters of events search in.
std::size_t searched_bytes(const Service& service) {
    std::size_t bytes = service.name.size();
    for (const std::string& tag : service.tags) {
        bytes += tag.size();
    }
    return bytes;
}

std::unexpected<Error> no_room(std::uint64_t limit) {
    return std::unexpected(Error{
        .code = Errc::rate_limited,
        .detail = "this node has as many services as it may; deregister one first",
        .limit = limit
    });
}

}  // namespace

Services::Services(Kv& kv, const Limits& limits, std::vector<Service> configured)
    : kv_(kv), limits_(limits) {
    for (Service& service : configured) {
        configured_.insert(service.id);
        std::string id = service.id;
        services_.emplace(std::move(id), std::move(service));
    }
}

void Services::start(Task on_ready) {
    kv_.watch(
        std::string(kServices),
        [this](const KvChange& change) { changed(change); },
        std::move(on_ready)
    );
}

void Services::changed(const KvChange& change) {
    const std::string id = change.key.substr(kServices.size());
    // Later than 1, which is what there was before any change.
    index_ = std::max(index_, change.revision.value + 1);
    if (configured_.contains(id)) {
        if (change.value) {
            log_warn(
                "a service was registered that the configuration names now; the latter counts",
                {{"service", id}}
            );
        }
        return;
    }
    services_.erase(id);
    if (!change.value) {
        return;
    }
    Result<Service> service = parse_stored_service(*change.value);
    if (service && service->id == id) {
        services_.emplace(id, std::move(*service));
    } else {
        log_error(
            "a service's document cannot be read; the service counts as not registered",
            {{"service", id}, {"error", service ? "it names another" : service.error().detail}}
        );
    }
}

const Service* Services::find(std::string_view id) const {
    const auto found = services_.find(id);
    return found == services_.end() ? nullptr : &found->second;
}

// Of all but this one, and of all that are being written.
std::size_t Services::bytes_beside(std::string_view id) const {
    std::size_t bytes = 0;
    for (const auto& [other, service] : services_) {
        bytes += other == id ? 0 : searched_bytes(service);
    }
    for (const auto& [other, size] : arriving_) {
        bytes += size;
    }
    return bytes;
}

void Services::put(const Service& service, Done done) {
    if (configured_.contains(service.id)) {
        return done(configured_service(service.id));
    }
    const bool is_new = !services_.contains(service.id);
    if (is_new && services_.size() + arriving_.size() >= limits_.services) {
        return done(no_room(limits_.services));
    }
    if (bytes_beside(service.id) + searched_bytes(service) > limits_.services_bytes) {
        return done(no_room(limits_.services_bytes));
    }
    std::string document = stored_service_json(service);
    if (document.size() > limits_.document_bytes) {
        return done(std::unexpected(Error{
            .code = Errc::too_large,
            .detail = "the service takes " + std::to_string(document.size()) + " bytes",
            .limit = limits_.document_bytes
        }));
    }
    const auto arriving = arriving_.emplace(service.id, searched_bytes(service));
    kv_.put(
        std::string(kServices) + service.id,
        std::move(document),
        Expect{},
        [this, arriving, done = std::move(done)](Result<Revision> written) mutable {
            arriving_.erase(arriving);
            done(written ? Result<void>() : std::unexpected(std::move(written.error())));
        }
    );
}

void Services::remove(const std::string& id, Done done) {
    if (configured_.contains(id)) {
        return done(configured_service(id));
    }
    if (!services_.contains(id)) {
        return done(unknown_service(id));
    }
    kv_.remove(
        std::string(kServices) + id,
        Expect{},
        [id, done = std::move(done)](Result<Revision> removed) mutable {
            if (removed) {
                return done({});
            }
            done(
                removed.error().code == Errc::not_found
                    ? Result<void>(unknown_service(id))
                    : std::unexpected(std::move(removed.error()))
            );
        }
    );
}

}  // namespace belfry
