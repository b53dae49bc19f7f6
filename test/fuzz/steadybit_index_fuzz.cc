// Indexes of Steadybit's extensions. What is accepted keeps its bounds, is JSON by the other
// reader, too, and every listener of it can be written and read back equal.
#include "base/assert.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "event/steadybit_index.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::string index_of(const std::vector<belfry::SteadybitListener>& listeners) {
    std::string out = R"({"eventListeners":[)";
    for (const belfry::SteadybitListener& listener : listeners) {
        out += &listener == listeners.data() ? R"({"path":)" : R"(,{"path":)";
        belfry::append_json_string(out, listener.path);
        out += R"(,"method":)";
        belfry::append_json_string(out, listener.method);
        out += R"(,"restrictTo":)";
        belfry::append_json_string(out, belfry::restrict_name(listener.restrict_to));
        out += R"(,"listenTo":[)";
        for (const std::string& name : listener.listen_to) {
            out += &name == listener.listen_to.data() ? "" : ",";
            belfry::append_json_string(out, name);
        }
        out += "]}";
    }
    return out + "]}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const belfry::Limits limits;
    const auto index = belfry::parse_steadybit_index(json, limits);
    if (!index) {
        ASSERT(!index.error().detail.empty());
        return 0;
    }
    ASSERT(belfry::is_json(json));
    ASSERT(index->listeners.size() <= belfry::kSteadybitListeners);
    ASSERT(index->refusals.size() <= belfry::kSteadybitListeners);
    for (const belfry::SteadybitRefusal& refusal : index->refusals) {
        ASSERT(!refusal.reason.empty());
    }
    for (const belfry::SteadybitListener& listener : index->listeners) {
        ASSERT(listener.path.starts_with('/'));
        ASSERT(std::ranges::none_of(listener.path, [](char c) {
            return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
        }));
    }
    const auto again = belfry::parse_steadybit_index(index_of(index->listeners), limits);
    ASSERT(again.has_value() && again->refusals.empty() && again->listeners == index->listeners);
    return 0;
}
