// SteadybitExtensions: where each registered extension of Steadybit is, which listeners its index
// names now, and what the calls to them showed. The registry of extensions writes the first half,
// the sinks the second, of which the registry hears what is to be kept. Owned by the wiring. I/O
// thread only.
#pragma once

#include "event/event.h"
#include "event/steadybit_index.h"
#include "sinks/steadybit_target.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace belfry {

using SteadybitListeners = std::shared_ptr<const std::vector<SteadybitListener>>;

// What is known of one listener beside its index.
struct SteadybitFinding {
    Offset from{};  // the first event it gets: a changed index that adds it does so from then on
    std::string refused;  // why calls showed that it is not to be called any more; empty: it is
    std::string warning;  // of what calls showed
};

struct SteadybitExtension {
    std::shared_ptr<const SteadybitTarget> target;
    SteadybitListeners listeners;            // none before the first index
    std::vector<SteadybitFinding> findings;  // one for each of *listeners
    std::string last_error;                  // of a call; empty: none since the registration
};

class SteadybitExtensions {
 public:
    // What a sink is told by: "<tenant>/<extension>".
    using Key = std::string;
    [[nodiscard]] static Key key(std::string_view tenant, std::string_view extension);

    // For the registry. A new extension, or where a known one is from now on.
    void put(const Key& key, SteadybitTarget target);
    // It cannot be called until the next put(); what is known of it stays.
    void withdraw(const Key& key);
    // A changed index: what was found about its listeners is forgotten, and those it adds get no
    // event below `next`. A listener is known by method and path, so that one whose names change
    // misses nothing; the first index adds none. Ignored if unknown.
    void set_listeners(const Key& key, std::vector<SteadybitListener> listeners, Offset next);
    // The index of an earlier run, with what was found then; `findings` has one for each listener.
    void restore(
        const Key& key,
        std::vector<SteadybitListener> listeners,
        std::vector<SteadybitFinding> findings
    );
    void remove(const Key& key);
    // What hears of every listener that is refused from now on; one, none to end it.
    void on_refused(std::function<void(const Key&)> observer) { on_refused_ = std::move(observer); }

    // nullptr if it is not registered or cannot be called. Valid until then.
    [[nodiscard]] const SteadybitExtension* find(const Key& key) const;

    // For the sinks, which call by the listeners they once saw: what they find out about others
    // than the present ones is dropped. `index` is the listener's place among `listeners`.
    void refuse(
        const Key& key, const SteadybitListeners& listeners, std::size_t index, std::string reason
    );
    // Empty: there is nothing to warn of any more.
    void warn(
        const Key& key, const SteadybitListeners& listeners, std::size_t index, std::string warning
    );
    void note_error(const Key& key, std::string error);

 private:
    SteadybitFinding* finding(
        const Key& key, const SteadybitListeners& listeners, std::size_t index
    );

    std::unordered_map<Key, SteadybitExtension> extensions_;
    std::function<void(const Key&)> on_refused_;
};

}  // namespace belfry
