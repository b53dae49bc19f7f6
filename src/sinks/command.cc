#include "sinks/command.h"

#include <utility>

namespace belfry {

namespace {

class Command final : public Sink {
 public:
    Command(std::string name, std::string subscription, Commands& commands)
        : name_(std::move(name)),
          subscription_(std::move(subscription)),
          endpoint_("command:" + name_),
          commands_(commands) {}

    void attempt(Attempt attempt, AttemptDone done) override {
        commands_.run(name_, subscription_, std::move(attempt), std::move(done));
    }
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    const std::string name_;
    const std::string subscription_;
    const std::string endpoint_;
    Commands& commands_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_command_sink(
    const CommandSink& config, std::string subscription, Commands& commands
) {
    if (!commands.has(config.command)) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = "the configuration defines no command `" + config.command + "`",
            .field = "sink.command"
        });
    }
    return std::make_unique<Command>(config.command, std::move(subscription), commands);
}

}  // namespace belfry
