// /api/v1/extensions: register, list, show, refresh and remove the extensions of Steadybit whose
// listeners are called. Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/routes.h"
#include "doors/steadybit/extension_registry.h"

#include <string>
#include <vector>

namespace belfry {

class ExtensionDocuments {
 public:
    explicit ExtensionDocuments(ExtensionRegistry& registry)
        : registry_(registry), hub_(registry.ports().hub), limits_(registry.ports().limits) {}

    void add(RequestContext& context);
    void list(RequestContext& context);
    void get(RequestContext& context);
    void refresh(RequestContext& context);
    void remove(RequestContext& context);
    void list_attempts(RequestContext& context);

 private:
    [[nodiscard]] const RegisteredExtension* find(const RequestContext& context) const;
    [[nodiscard]] std::string json_of(const RegisteredExtension& extension, bool with_error) const;

    ExtensionRegistry& registry_;
    Hub& hub_;
    const Limits& limits_;
};

// To the native door, of a hub that has a registry; which must outlive the door.
void add_extension_routes(Door& native, ExtensionRegistry& registry);

}  // namespace belfry
