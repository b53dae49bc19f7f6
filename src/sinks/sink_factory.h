// Makes the sink that a subscription's document names.
#pragma once

#include "auth/oauth2_tokens.h"
#include "base/clock.h"
#include "hub/sink.h"
#include "net/http_client.h"
#include "sinks/commands.h"
#include "sinks/steadybit.h"

#include <functional>
#include <string>

namespace belfry {

struct SinkPorts {
    HttpClient& client;
    Clock& clock;
    OAuth2Tokens& tokens;
    Commands& commands;
    SteadybitExtensions& extensions;
    // Asked when a sink of Steadybit is made, too, so that it is known when the first event comes.
    std::function<Leadership()> leadership;
    bool steadybit_aws_mode = false;  // this hub calls `restrictTo: aws`
    std::string version;              // "0.1.0", for User-Agent
};

// The ports must outlive the factory and every attempt of its sinks.
[[nodiscard]] SinkFactory make_sink_factory(SinkPorts ports);

}  // namespace belfry
