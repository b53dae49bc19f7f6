// An extension for Steadybit's Event API: an HTTP server that says which events it wants and hands
// them to functions of yours. Owned by the program. listen(), index_member(), set_ready() and
// stop() may be called from any thread, before run() or during it; run() once.
#pragma once

#include <belfry/eventkit/context.h>
#include <belfry/eventkit/event.h>
#include <belfry/eventkit/options.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace belfry::eventkit {

// Thrown by a handler: the event is answered 500 with these. Any other exception is answered 500,
// too, with its what() as the detail.
struct ExtensionError : std::runtime_error {
    explicit ExtensionError(std::string problem_title, std::string problem_detail = {})
        : std::runtime_error(
              problem_detail.empty() ? problem_title : problem_title + ": " + problem_detail
          ),
          title(std::move(problem_title)),
          detail(std::move(problem_detail)) {}

    std::string title;
    std::string detail;
    std::string type = {};      // a URI of the kind of problem; empty: left out
    std::string instance = {};  // a URI of this one; empty: left out
};

enum class Method : std::uint8_t { post, put, del };

class Extension {
 public:
    using Handler = std::function<void(const Event&)>;
    using ContextHandler = std::function<void(const Event&, const Context&)>;

    // As the environment says. If that is wrong, run() says so and returns 1.
    Extension();
    explicit Extension(Options options);
    ~Extension();
    Extension(const Extension&) = delete;
    Extension& operator=(const Extension&) = delete;

    // Calls `handler` with the events of these names, `*` for every one, that come to `path`. It
    // runs on a worker thread, beside others, but one after another for the events of one
    // connection (in asynchronous mode: of one execution). Several listeners of one method and path
    // are one to callers; who wants an event gets it in the order of these calls.
    void listen(
        const std::string& path,
        std::vector<std::string> events,
        Handler handler,
        Method method = Method::post
    );
    void listen(
        const std::string& path,
        std::vector<std::string> events,
        ContextHandler handler,
        Method method = Method::post
    );
    // Adds a member such as `actions` or `discoveries` to the index, or puts it in the place of the
    // one of that name. `json` is an array; null stands for an empty one.
    void index_member(const std::string& name, const std::string& json);

    // Called once the extension listens, with where: "http://127.0.0.1:8080/",
    // "unix:/run/extension.sock".
    void when_listening(std::function<void(const std::string& where)> listening);
    // What /health/readiness says, true to begin with.
    void set_ready(bool ready);

    // Serves until SIGTERM, SIGINT or stop(); then takes no more connections, finishes what it has
    // taken on, and returns 0. Returns 1 if it could not begin; it said why on standard error.
    // Handlers that are not done after Options::drain_time end the program with 1.
    [[nodiscard]] int run();
    void stop();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace belfry::eventkit
