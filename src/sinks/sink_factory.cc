#include "sinks/sink_factory.h"

#include "sinks/command.h"
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
    return [webhook, &commands = ports.commands](const Subscription& subscription
           ) -> Result<std::unique_ptr<Sink>> {
        if (const auto* command = std::get_if<CommandSink>(&subscription.sink)) {
            return make_command_sink(*command, subscription.name, commands);
        }
        return make_webhook_sink(std::get<WebhookSink>(subscription.sink), webhook);
    };
}

}  // namespace belfry
