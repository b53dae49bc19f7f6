// The native door of a hub that is closed: tokens and policies, and requests that show them.
#pragma once

#include "doors/native/native_door_fixture.h"

#include <string>
#include <string_view>

namespace belfry {

class ClosedHubTest : public NativeDoorTest {
 protected:
    Answer ask_as(
        const std::string& secret,
        Method method,
        const std::string& target,
        std::string_view body = {}
    ) {
        Answer answer = connection_.answer(send_as(secret, method, target, body));
        EXPECT_FALSE(answer.dropped);
        return answer;
    }
    // The same for what may wait; gives the number of its answer.
    std::uint64_t send_as(
        const std::string& secret,
        Method method,
        const std::string& target,
        std::string_view body = {}
    ) {
        Headers headers;
        const std::string authorization = "Bearer " + secret;
        if (!secret.empty()) {
            headers.push_back({"Authorization", authorization});
        }
        return send(method, target, body, std::move(headers));
    }
    // Makes something and gives the answer's body.
    std::string made(const std::string& by, const std::string& target, const std::string& body) {
        Answer answer = ask_as(by, Method::post, target, body);
        EXPECT_EQ(answer.status, 201) << target << " " << answer.body;
        return answer.body;
    }
    // The first member of that name, a string.
    static std::string member(const std::string& json, const std::string& name) {
        const std::string before = '"' + name + R"(":")";
        std::size_t at = json.find(before);
        EXPECT_NE(at, std::string::npos) << name << " in " << json;
        if (at == std::string::npos) {
            return {};
        }
        at += before.size();
        return json.substr(at, json.find('"', at) - at);
    }
    std::string token(const std::string& policy, const std::string& more = "") {
        std::string issued =
            made(operator_, "/api/v1/tokens", R"({"policies":[")" + policy + "\"]" + more + "}");
        last_id_ = member(issued, "id");
        return member(issued, "secret");
    }
    void policy(const std::string& name, const std::string& rules, const std::string& more = "") {
        made(
            operator_,
            "/api/v1/policies",
            R"({"name":")" + name + R"(","rules":)" + rules + more + "}"
        );
    }
    void close() {
        operator_ = member(made("", "/api/v1/tokens", R"({"policies":["operator"]})"), "secret");
    }

    std::string operator_;  // the secret of the first token
    std::string last_id_;   // of the token made last
};

}  // namespace belfry
