#include "base/logging.h"
#include "eventkit/options_check.h"
#include "eventkit/registry.h"
#include "eventkit/serving.h"
#include "net/loop.h"

#include <belfry/eventkit/extension.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace belfry::eventkit {
namespace {

belfry::LogLevel level_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return belfry::LogLevel::debug;
        case LogLevel::info:
            return belfry::LogLevel::info;
        case LogLevel::warn:
            return belfry::LogLevel::warn;
        case LogLevel::error:
            return belfry::LogLevel::error;
    }
    return belfry::LogLevel::info;
}

void set_up_logging_of(const Options& options) {
    set_up_logging(
        level_of(options.log_level),
        options.log_format == LogFormat::json ? belfry::LogFormat::json : belfry::LogFormat::text
    );
}

}  // namespace

struct Extension::State {
    void note(Result<void> result);
    void add(const std::string& path, Method method, Route::Wish wish);

    Options options;
    std::atomic<bool> ready = true;
    Registry registry;
    Loop loop;
    std::function<void(const std::string&)> listening;
    Serving* serving = nullptr;  // while run() runs; I/O thread
    std::mutex mutex;
    bool running = false;  // guarded by mutex, like the next
    std::string problem;   // the first thing wrong before run()
};

// Before run() a mistake is what run() ends with; later it must not end anything.
void Extension::State::note(Result<void> result) {
    if (result) {
        return;
    }
    const std::lock_guard lock(mutex);
    if (running) {
        log_error("the index stays as it was", {{"detail", result.error().detail}});
    } else if (problem.empty()) {
        problem = std::move(result.error().detail);
    }
}

void Extension::State::add(const std::string& path, Method method, Route::Wish wish) {
    note(registry.listen(path, method, std::move(wish)));
}

Extension::Extension() : state_(std::make_unique<State>()) {
    if (auto options = Options::from_environment()) {
        state_->options = *std::move(options);
    } else {
        state_->problem = std::move(options.error());
    }
}

Extension::Extension(Options options) : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
}

Extension::~Extension() = default;

void Extension::listen(
    const std::string& path, std::vector<std::string> events, Handler handler, Method method
) {
    Route::Wish wish{.events = std::move(events), .handler = {}, .wants_context = false};
    if (handler) {
        wish.handler = [handler = std::move(handler)](const Event& event, const Context&) {
            handler(event);
        };
    }
    state_->add(path, method, std::move(wish));
}

void Extension::listen(
    const std::string& path, std::vector<std::string> events, ContextHandler handler, Method method
) {
    state_->add(
        path,
        method,
        {.events = std::move(events), .handler = std::move(handler), .wants_context = true}
    );
}

void Extension::index_member(const std::string& name, const std::string& json) {
    state_->note(state_->registry.set_member(name, json));
}

void Extension::when_listening(std::function<void(const std::string& where)> listening) {
    state_->listening = std::move(listening);
}

void Extension::set_ready(bool ready) {
    state_->ready = ready;
}

int Extension::run() {
    State& state = *state_;
    set_up_logging_of(state.options);
    {
        const std::lock_guard lock(state.mutex);
        if (state.problem.empty()) {
            state.problem = problem_of(state.options);
        }
        if (!state.problem.empty()) {
            log_error(state.problem);
            return EXIT_FAILURE;
        }
        state.running = true;
    }
    Serving serving(state.options, state.registry, state.ready, state.loop);
    if (Result<void> started = serving.start(); !started) {
        log_error(started.error().detail);
        return EXIT_FAILURE;
    }
    state.serving = &serving;
    log_info("listening on " + serving.where());
    if (state.listening) {
        state.listening(serving.where());
    }
    serving.run();
    state.serving = nullptr;
    log_info("stopped");
    return EXIT_SUCCESS;
}

// Through the loop, so that it is heard even before run().
void Extension::stop() {
    State* state = state_.get();
    state->loop.post([state] {
        if (state->serving != nullptr) {
            state->serving->stop();
        }
    });
}

}  // namespace belfry::eventkit
