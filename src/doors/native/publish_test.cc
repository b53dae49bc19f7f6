#include "doors/native/publish.h"

#include "doors/native/native_door_fixture.h"

namespace belfry {
namespace {

constexpr std::string_view kEvents = "/api/v1/events";
constexpr std::string_view kOne =
    R"({"specversion":"1.0","id":"1","source":"/ci","type":"deploy","data":{"a":1}})";

class PublishTest : public NativeDoorTest {
 protected:
    Answer post(std::string_view body, std::string_view content_type, std::string_view query = "") {
        return ask(
            Method::post,
            std::string(kEvents) + std::string(query),
            body,
            {{"Content-Type", content_type}}
        );
    }
    std::uint64_t stored() { return log_.next_offset().value; }
};

TEST_F(PublishTest, APlainBodyGetsAReceipt) {
    Answer answer = post("hello", "text/plain", "?type=deploy&subject=web");
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body.starts_with("{\"id\":\"")) << answer.body;
    EXPECT_TRUE(answer.body.ends_with("\",\"offset\":0,\"durability\":\"fsync\"}")) << answer.body;
    EXPECT_TRUE(answer.headers.contains("Belfry-Durability: fsync\r\n"));
    EXPECT_TRUE(answer.headers.contains("Cache-Control: no-store\r\n"));
    std::string event = get("/api/v1/events/0").body;
    for (std::string_view part :
         {R"("type":"deploy")",
          R"("subject":"web")",
          R"("source":"/belfry/http")",
          R"("data":"hello")",
          R"("datacontenttype":"text/plain")",
          R"("tenant":"default")",
          R"("offset":0)"}) {
        EXPECT_TRUE(event.contains(part)) << part << "\n" << event;
    }
}

TEST_F(PublishTest, TheReceiptShowsThePublishersId) {
    EXPECT_EQ(
        post("x", "text/plain", "?type=a&id=mine").body,
        R"({"id":"mine","offset":0,"durability":"fsync"})"
    );
}

TEST_F(PublishTest, BinaryModeIsReadFromTheHeaders) {
    Answer answer =
        ask(Method::post,
            kEvents,
            "{}",
            {{"ce-specversion", "1.0"},
             {"ce-id", "7"},
             {"ce-source", "/ci"},
             {"ce-type", "deploy"},
             {"ce-team", "ops"},
             {"Content-Type", "application/json"}});
    EXPECT_EQ(answer.body, R"({"id":"7","offset":0,"durability":"fsync"})");
    EXPECT_TRUE(get("/api/v1/events/7").body.contains(R"("team":"ops")"));
}

TEST_F(PublishTest, StructuredModeIsOneEvent) {
    EXPECT_EQ(
        post(kOne, "application/cloudevents+json; charset=utf-8").body,
        R"({"id":"1","offset":0,"durability":"fsync"})"
    );
}

TEST_F(PublishTest, BatchesAndLinesGiveAReceiptForEach) {
    std::string batch = "[" + std::string(kOne) +
                        R"(,{"specversion":"1.0","id":"2","source":"/ci","type":"deploy"}])";
    EXPECT_EQ(
        post(batch, "application/cloudevents-batch+json").body,
        R"({"events":[{"id":"1","offset":0},{"id":"2","offset":1}],"durability":"fsync"})"
    );
    std::string lines = std::string(kOne) + "\n" + std::string(kOne) + "\n";
    EXPECT_EQ(
        post(lines, "application/x-ndjson").body,
        R"({"events":[{"id":"1","offset":2},{"id":"1","offset":3}],"durability":"fsync"})"
    );
}

TEST_F(PublishTest, AnEmptyBatchStoresNothing) {
    EXPECT_EQ(
        post("[]", "application/cloudevents-batch+json").body,
        R"({"events":[],"durability":"fsync"})"
    );
    EXPECT_EQ(stored(), 0U);
}

TEST_F(PublishTest, OneBadItemRefusesTheBatchAndIsNamed) {
    Answer answer = post(
        "[" + std::string(kOne) + R"(,{"specversion":"1.0"}])", "application/cloudevents-batch+json"
    );
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.body.contains(R"("index":1)")) << answer.body;
    EXPECT_EQ(stored(), 0U);
}

TEST_F(PublishTest, MalformedEventsAreRefused) {
    EXPECT_EQ(post("x", "text/plain").status, 400);
    EXPECT_EQ(post("{", "application/cloudevents+json").status, 400);
    EXPECT_EQ(post(R"({"specversion":"0.3"})", "application/cloudevents+json").status, 400);
    EXPECT_EQ(post("x", "text/plain", "?type=a&colour=red").status, 400);
    EXPECT_EQ(ask(Method::post, kEvents, "", {{"ce-specversion", "1.0"}}).status, 400);
    EXPECT_EQ(stored(), 0U);
}

TEST_F(PublishTest, ParametersBesideACloudEventAreRefused) {
    Answer answer = post(kOne, "application/cloudevents+json", "?type=other");
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.body.contains(R"("field":"type")")) << answer.body;
}

TEST_F(PublishTest, TheTenantIsTheCallersWhateverTheEventSays) {
    std::string event =
        R"({"specversion":"1.0","id":"1","source":"/ci","type":"deploy","tenant":"other"})";
    ASSERT_EQ(post(event, "application/cloudevents+json").status, 200);
    log_.read(Offset{0}, ReadLimit{}, [](Result<ReadResult> read) {
        EXPECT_EQ(std::get<StoredEvent>(read->entries.front()).event.tenant, "default");
    });
    run();
}

TEST_F(PublishTest, ACodedBodyIsRefused) {
    for (std::string_view coding : {"gzip", "x-gzip", "br", "identity, gzip", "unheard-of"}) {
        for (std::string_view type : {"text/plain", "application/cloudevents+json"}) {
            Answer answer =
                ask(Method::post,
                    "/api/v1/events?type=a",
                    "\x1f\x8b",
                    {{"Content-Type", type}, {"content-encoding", coding}});
            EXPECT_EQ(answer.status, 400) << coding;
            EXPECT_TRUE(answer.body.contains(R"("field":"Content-Encoding")")) << answer.body;
        }
    }
    EXPECT_EQ(stored(), 0U);
    for (std::string_view coding : {"identity", "Identity", ""}) {
        Answer answer =
            ask(Method::post,
                "/api/v1/events?type=a",
                "x",
                {{"Content-Type", "text/plain"}, {"Content-Encoding", coding}});
        EXPECT_EQ(answer.status, 200) << coding;
    }
}

TEST_F(PublishTest, EventsAtTheLimitPassAndOneByteMoreDoesNot) {
    EXPECT_EQ(post(std::string(limits_.body_bytes, 'x'), "text/plain", "?type=a").status, 200);
    Answer answer = post(std::string(limits_.body_bytes + 1, 'x'), "text/plain", "?type=a");
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(answer.body.contains(R"("limit":1048576)")) << answer.body;
}

}  // namespace
}  // namespace belfry
