#include "doors/steadybit/extension_subscription.h"

#include <set>
#include <string_view>

namespace belfry {

namespace {

// Past these the document and the index of types grow more than the passing over saves.
constexpr std::size_t kTypes = 500;
constexpr std::size_t kTypeBytes = 16 * 1024;

// Two values at once, which no event has.
Filter nothing() {
    const auto exactly = [](std::string value) {
        return FilterExpression{
            .kind = FilterExpression::Kind::exact,
            .terms = {{"type", std::move(value)}},
            .children = {}
        };
    };
    return Filter{.types = {}, .filters = {exactly("-"), exactly("--")}};
}

}  // namespace

Filter filter_for(std::span<const SteadybitListener> listeners) {
    std::set<std::string_view> names;
    std::size_t bytes = 0;
    for (const SteadybitListener& listener : listeners) {
        for (const std::string& name : listener.listen_to) {
            if (name.contains('*')) {
                return Filter{};
            }
            bytes += names.insert(name).second ? name.size() : 0;
        }
    }
    if (names.empty()) {
        return nothing();
    }
    if (names.size() > kTypes || bytes > kTypeBytes) {
        return Filter{};
    }
    Filter filter;
    for (const std::string_view name : names) {
        filter.types.push_back(TypePattern{.text = std::string(name), .prefix = false});
    }
    return filter;
}

Subscription subscription_for(const RegisteredExtension& extension) {
    Subscription subscription;
    subscription.tenant = extension.tenant;
    subscription.name = extension.subscription_name();
    subscription.sink = SteadybitSink{.extension = extension.name};
    subscription.start = StartNew{};
    subscription.delivery = extension.delivery;
    subscription.delivery.order = DeliveryPolicy::Order::all;
    subscription.delivery.pace = extension.poll;
    return subscription;
}

}  // namespace belfry
