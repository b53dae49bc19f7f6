#include "sinks/sink_factory.h"

#include "sinks/webhook.h"

namespace belfry {

SinkFactory make_sink_factory(SinkPorts ports) {
    WebhookPorts webhook{
        .send = [&client = ports.client](
                    HttpCall call, HttpReplyDone done
                ) { client.call(std::move(call), std::move(done)); },
        .clock = ports.clock,
        .tokens = ports.tokens,
        .user_agent = "Belfry/" + ports.version,
    };
    return [webhook](const Subscription& subscription) -> Result<std::unique_ptr<Sink>> {
        return std::visit(
            [&](const WebhookSink& config) { return make_webhook_sink(config, webhook); },
            subscription.sink
        );
    };
}

}  // namespace belfry
