// Steadybit sink: one attempt is the event to every listener of one extension that asks for it, one
// call each, at most kSteadybitCallsAtOnce under way. It ends when all have settled. Who has
// settled is remembered while the event is unsettled, so that a retry calls the others only; after
// a restart of the hub all are called again, with the same body. Which listeners there are is
// looked up when the attempt begins. I/O thread only.
#pragma once

#include "base/clock.h"
#include "hub/sink.h"
#include "net/http_client.h"
#include "sinks/steadybit_extensions.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace belfry {

inline constexpr std::size_t kSteadybitCallsAtOnce = 16;

// Of the hubs that share registrations, which one calls listeners that are for one alone.
enum class Leadership : std::uint8_t { unknown, here, elsewhere };

struct SteadybitPorts {
    std::function<void(HttpCall, HttpReplyDone)> send;  // HttpClient::call
    Clock& clock;
    SteadybitExtensions& extensions;
    std::function<Leadership()> leadership;  // whether this hub calls `restrictTo: leader`
    bool aws_mode = false;                   // whether it calls `restrictTo: aws`
    std::string user_agent;
};

// Clock and extensions must outlive every attempt; attempts outlive the sink. The extension need
// not be registered yet.
[[nodiscard]] std::unique_ptr<Sink> make_steadybit_sink(
    const SteadybitSink& config, std::string_view tenant, SteadybitPorts ports
);

}  // namespace belfry
