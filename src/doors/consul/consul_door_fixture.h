// The event half of the Consul door against a whole hub in memory, for tests.
#pragma once

#include "doors/native/closed_hub_fixture.h"

#include <memory>
#include <string>
#include <string_view>

namespace belfry {

class ConsulDoorTest : public ClosedHubTest {
 protected:
    Answer fire(std::string_view name, std::string_view body = "", std::string_view query = "") {
        return ask(Method::put, "/v1/event/fire/" + std::string(name) + std::string(query), body);
    }
    Answer list(std::string_view query = "") {
        return ask(Method::get, "/v1/event/list" + std::string(query));
    }
    std::uint64_t block(std::string_view query) {
        return send(Method::get, "/v1/event/list" + std::string(query));
    }
    bool answered(std::uint64_t number) { return connection_.answer(number).status != 0; }
    static std::uint64_t index_of(const Answer& answer) {
        constexpr std::string_view kName = "X-Consul-Index: ";
        const std::size_t at = answer.headers.find(kName);
        return at == std::string::npos ? 0 : std::stoull(answer.headers.substr(at + kName.size()));
    }
    static bool is_filtered(const Answer& answer) {
        return answer.headers.contains("X-Consul-Results-Filtered-By-Acls: true\r\n");
    }
    static std::size_t count(const Answer& answer) {
        std::size_t found = 0;
        for (std::size_t at = 0; (at = answer.body.find("\"ID\":", at)) != std::string::npos;
             ++at) {
            ++found;
        }
        return found;
    }
    void restart_door() {
        router_.reset();
        router_ = std::make_unique<Router>(doors(), access_, limits_);
    }
};

}  // namespace belfry
