// Extensions of a whole hub in memory: a test registers them and answers for them.
#pragma once

#include "doors/native/closed_hub_fixture.h"

#include <string>
#include <utility>
#include <vector>

namespace belfry {

inline constexpr const char* kUrl = R"({"url":"http://ext.example:8080/p/"})";
inline constexpr const char* kOne =
    R"({"eventListeners":[{"path":"/e","method":"POST","listenTo":["deploy","test.run"]}]})";

class ExtensionRoutes : public ClosedHubTest {
 protected:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    // Answers the oldest request for an index.
    void answer_index(int status, std::string body, Fields headers = {}) {
        ASSERT_FALSE(index_calls_.empty());
        IndexCall asked = std::move(index_calls_.front());
        index_calls_.pop_front();
        asked.done(
            HttpReply{.status = status, .headers = std::move(headers), .body = std::move(body)}
        );
        run();
    }
    void fail_index(std::string detail) {
        ASSERT_FALSE(index_calls_.empty());
        IndexCall asked = std::move(index_calls_.front());
        index_calls_.pop_front();
        asked.done(fail(Errc::unavailable, std::move(detail)));
        run();
    }
    // Registers, with that answer to the request for the index; gives what the hub answers.
    Answer add(
        const std::string& document, std::string index = kOne, int status = 200, Fields headers = {}
    ) {
        const std::uint64_t number = send(Method::post, "/api/v1/extensions", document);
        EXPECT_EQ(connection_.answer(number).status, 0) << "before its index is there";
        answer_index(status, std::move(index), std::move(headers));
        return connection_.answer(number);
    }
    std::string show(const std::string& name = "ext.example:8080") {
        Answer answer = get("/api/v1/extensions/" + name);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.body;
    }
    const Subscription* subscription(const std::string& name = "ext.example:8080") {
        return catalog_.find("default/steadybit/" + name);
    }
    std::vector<std::string> types() {
        std::vector<std::string> found;
        for (const TypePattern& pattern : subscription()->filter.types) {
            found.push_back(pattern.to_string());
        }
        return found;
    }
    const SteadybitExtension* served(const std::string& name = "ext.example:8080") {
        return served_extensions_.find("default/" + name);
    }
};

}  // namespace belfry
