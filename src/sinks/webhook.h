// Webhook sink: one attempt is one POST to the subscription's URL, in one of three formats:
//   cloudevents-binary      data as the body, attributes as ce-* headers;
//   cloudevents-structured  the event as application/cloudevents+json;
//   body                    data as the body and its Content-Type, nothing else of the event.
// Every POST has webhook-id (the UUID form, the same on all attempts and replays),
// webhook-timestamp, Belfry-Attempt, in a replay Belfry-Replay and, if the subscription has a
// secret, webhook-signature: of the newest one, and of the one before while they overlap. With
// OAuth 2.0 credentials a token is asked for first; if the listener answers 401 to one that was
// kept, once more. I/O thread only.
#pragma once

#include "auth/oauth2_tokens.h"
#include "base/clock.h"
#include "hub/sink.h"
#include "net/http_client.h"

#include <functional>
#include <memory>
#include <string>

namespace belfry {

struct WebhookPorts {
    std::function<void(HttpCall, HttpReplyDone)> send;  // HttpClient::call
    Clock& clock;
    OAuth2Tokens& tokens;
    std::string user_agent;
};

// bad_request, with `field`, if the URL or a secret cannot be used. The clock and the tokens must
// outlive every attempt; attempts outlive the sink.
[[nodiscard]] Result<std::unique_ptr<Sink>> make_webhook_sink(
    const WebhookSink& config, WebhookPorts ports
);

}  // namespace belfry
