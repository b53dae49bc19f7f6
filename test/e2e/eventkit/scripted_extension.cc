// An extension for tests: what real ones do rarely and agents must survive, each on a path of its
// own. SCRIPTED_LISTENERS=none leaves every listener out, another word tries one that is wrong.
#include <belfry/eventkit.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <set>
#include <stdexcept>
#include <thread>

namespace {

namespace kit = belfry::eventkit;
using kit::Context;
using kit::Event;

void nothing(const Event& /*event*/) {}

void listen_to_failures(kit::Extension& extension) {
    extension.listen("/error", {"*"}, [](const Event&) {
        throw kit::ExtensionError("Failed to send \"ünï\"", "downstream is away\n");
    });
    extension.listen("/bare-error", {"*"}, [](const Event&) {
        throw kit::ExtensionError("No reason");
    });
    extension.listen("/throw", {"*"}, [](const Event&) {
        throw std::runtime_error("out of luck");
    });
    extension.listen("/throw-int", {"*"}, [](const Event&) { throw 42; });
    extension.listen("/throw-nested", {"*"}, [](const Event&) {
        try {
            throw std::runtime_error("inside");
        } catch (...) {
            std::throw_with_nested(std::logic_error("outside"));
        }
    });
    extension.listen(
        "/first-fails",
        {"*"},
        [seen = std::make_shared<std::set<std::string>>()](const Event& event) {
            std::clog << "first-fails is called\n";
            if (seen->insert(event.id).second) {
                throw std::runtime_error("not yet");
            }
        }
    );
}

void listen_to_the_rest(kit::Extension& extension) {
    extension.listen("/twice", {"*"}, nothing);
    extension.listen("/twice", {"*"}, nothing);
    extension.listen("/shared", {"killswitch.engaged"}, nothing);
    extension.listen("/shared", {"killswitch.disengaged"}, nothing);
    extension.listen("/put", {"*"}, nothing, kit::Method::put);
    extension.listen("/delete", {"*"}, nothing, kit::Method::del);
    extension.listen("/both", {"*"}, nothing);
    extension.listen("/both", {"*"}, nothing, kit::Method::put);
    extension.listen("/redescribe", {"*"}, [&extension](const Event&) {
        extension.index_member("advice", R"([{"id":"one"}])");
    });
    extension.listen("/pause", {"*"}, [](const Event&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    extension.listen("/print", {"*"}, [](const Event&) { std::cout << "printed, not flushed\n"; });
    // With the lock of a stream, as one has whose output nobody takes.
    extension.listen("/hang-printing", {"*"}, [](const Event&) {
        ::flockfile(stdout);
        std::clog << "the handler hangs\n";
        std::this_thread::sleep_for(std::chrono::minutes(1));
        ::funlockfile(stdout);
    });
    // Ends by itself after a minute, so that a test of it cannot hang.
    extension.listen("/until-cancelled", {"*"}, [](const Event&, const Context& context) {
        std::clog << "the handler waits\n";
        const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (!context.is_cancelled() && std::chrono::steady_clock::now() < patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        if (context.is_cancelled()) {
            const bool over = context.deadline() <= std::chrono::steady_clock::now();
            std::clog << "the handler saw the cancellation, "
                      << (over ? "its time is over\n" : "its caller is gone\n");
        }
    });
    extension.listen("/headers", {"*"}, [](const Event&, const Context& context) {
        std::clog << "traceparent is " << context.header("TraceParent").value_or("absent") << '\n';
    });
}

void listen_wrongly(kit::Extension& extension, std::string_view how) {
    if (how == "nameless") {
        extension.listen("/nameless", {}, nothing);
    } else if (how == "pathless") {
        extension.listen("pathless", {"*"}, nothing);
    } else if (how == "root") {
        extension.listen("/", {"*"}, nothing);
    } else if (how == "no-array") {
        extension.index_member("no-array", "{}");
    } else if (how == "reserved") {
        extension.index_member("eventListeners", "[]");
    }
}

}  // namespace

int main() {
    kit::Extension extension;
    extension.index_member("actions", R"([{"method":"GET","path":"/actions/one"}])");
    extension.index_member("discoveries", "null");
    extension.index_member("advice", R"([{"big":12345678901234567890,"text":"ünï \" \\ end"}])");
    if (const char* listeners = std::getenv("SCRIPTED_LISTENERS")) {
        listen_wrongly(extension, listeners);
    } else {
        listen_to_failures(extension);
        listen_to_the_rest(extension);
    }
    return extension.run();
}
