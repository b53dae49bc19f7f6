#include "sinks/steadybit_extensions.h"

#include "base/assert.h"
#include "base/logging.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace belfry {

namespace {

// nullopt if the extension's index so far does not know it.
std::optional<Offset> first_event_of(
    const SteadybitListener& listener, const SteadybitExtension& before
) {
    if (before.listeners == nullptr) {
        return Offset{};
    }
    std::optional<Offset> from;
    for (std::size_t i = 0; i < before.listeners->size(); ++i) {
        const SteadybitListener& known = (*before.listeners)[i];
        if (known.method == listener.method && known.path == listener.path) {
            const Offset its = before.findings[i].from;
            from = std::min(from.value_or(its), its);
        }
    }
    return from;
}

}  // namespace

SteadybitExtensions::Key SteadybitExtensions::key(
    std::string_view tenant, std::string_view extension
) {
    Key key(tenant);
    key += '/';
    key += extension;
    return key;
}

void SteadybitExtensions::put(const Key& key, SteadybitTarget target) {
    extensions_[key].target = std::make_shared<const SteadybitTarget>(std::move(target));
}

void SteadybitExtensions::withdraw(const Key& key) {
    extensions_[key].target = nullptr;
}

void SteadybitExtensions::set_listeners(
    const Key& key, std::vector<SteadybitListener> listeners, Offset next
) {
    const auto found = extensions_.find(key);
    if (found == extensions_.end()) {
        return;
    }
    std::vector<SteadybitFinding> findings;
    findings.reserve(listeners.size());
    for (const SteadybitListener& listener : listeners) {
        findings.push_back({.from = first_event_of(listener, found->second).value_or(next)});
    }
    restore(key, std::move(listeners), std::move(findings));
}

void SteadybitExtensions::restore(
    const Key& key, std::vector<SteadybitListener> listeners, std::vector<SteadybitFinding> findings
) {
    ASSERT(findings.size() == listeners.size());
    const auto found = extensions_.find(key);
    if (found == extensions_.end()) {
        return;
    }
    SteadybitExtension& extension = found->second;
    extension.findings = std::move(findings);
    extension.listeners =
        std::make_shared<const std::vector<SteadybitListener>>(std::move(listeners));
}

void SteadybitExtensions::remove(const Key& key) {
    extensions_.erase(key);
}

const SteadybitExtension* SteadybitExtensions::find(const Key& key) const {
    const auto found = extensions_.find(key);
    return found == extensions_.end() || found->second.target == nullptr ? nullptr : &found->second;
}

SteadybitFinding* SteadybitExtensions::finding(
    const Key& key, const SteadybitListeners& listeners, std::size_t index
) {
    const auto found = extensions_.find(key);
    if (found == extensions_.end() || found->second.listeners != listeners) {
        return nullptr;
    }
    ASSERT(index < found->second.findings.size());
    return &found->second.findings[index];
}

void SteadybitExtensions::refuse(
    const Key& key, const SteadybitListeners& listeners, std::size_t index, std::string reason
) {
    SteadybitFinding* about = finding(key, listeners, index);
    if (about == nullptr || !about->refused.empty()) {
        return;
    }
    log_warn(
        "a listener of a Steadybit extension is not called any more",
        {{"extension", key}, {"listener", (*listeners)[index].path}, {"reason", reason}}
    );
    about->refused = std::move(reason);
    if (on_refused_) {
        on_refused_(key);
    }
}

void SteadybitExtensions::warn(
    const Key& key, const SteadybitListeners& listeners, std::size_t index, std::string warning
) {
    SteadybitFinding* about = finding(key, listeners, index);
    if (about == nullptr || about->warning == warning) {
        return;
    }
    about->warning = std::move(warning);
    if (!about->warning.empty()) {
        log_warn(
            "a listener of a Steadybit extension may not be what it seems",
            {{"extension", key}, {"listener", (*listeners)[index].path}, {"warning", about->warning}
            }
        );
    }
}

void SteadybitExtensions::note_error(const Key& key, std::string error) {
    if (const auto found = extensions_.find(key); found != extensions_.end()) {
        found->second.last_error = std::move(error);
    }
}

}  // namespace belfry
