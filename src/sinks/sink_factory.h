// Makes the sink that a subscription's document names.
#pragma once

#include "auth/oauth2_tokens.h"
#include "base/clock.h"
#include "hub/sink.h"
#include "net/http_client.h"
#include "sinks/commands.h"

#include <string>

namespace belfry {

struct SinkPorts {
    HttpClient& client;
    Clock& clock;
    OAuth2Tokens& tokens;
    Commands& commands;
    std::string version;  // "0.1.0", for User-Agent
};

// The ports must outlive the factory and every attempt of its sinks.
[[nodiscard]] SinkFactory make_sink_factory(SinkPorts ports);

}  // namespace belfry
