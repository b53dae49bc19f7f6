#include "sinks/sink_factory.h"

#include "sinks/command.h"
#include "sinks/steadybit.h"
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
    SteadybitPorts steadybit{
        .send = webhook.send,
        .clock = ports.clock,
        .extensions = ports.extensions,
        .leadership = ports.leadership,
        .aws_mode = ports.steadybit_aws_mode,
        .user_agent = webhook.user_agent,
    };
    return [webhook, steadybit, &commands = ports.commands](const Subscription& subscription
           ) -> Result<std::unique_ptr<Sink>> {
        if (const auto* command = std::get_if<CommandSink>(&subscription.sink)) {
            return make_command_sink(*command, subscription.name, commands);
        }
        if (const auto* config = std::get_if<SteadybitSink>(&subscription.sink)) {
            static_cast<void>(steadybit.leadership());
            return make_steadybit_sink(*config, subscription.tenant, steadybit);
        }
        return make_webhook_sink(std::get<WebhookSink>(subscription.sink), webhook);
    };
}

}  // namespace belfry
