#include "event/steadybit_made_body.h"

#include "event/steadybit_body.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

StoredEvent event_with(std::string data, std::string_view type = "deploy") {
    auto bytes = std::make_shared<std::string>(std::move(data));
    StoredEvent stored;
    stored.event.source = "/shop";
    stored.event.type = type;
    stored.event.data = *bytes;
    stored.offset = Offset{41};
    stored.uuid_low = 0x1122334455667788;
    stored.recorded = WallTime(1'767'225'600s);
    stored.owner = std::move(bytes);
    return stored;
}

std::string body_of(const StoredEvent& event) {
    const std::optional<SteadybitCallBody> body = steadybit_call_body(event);
    return body ? std::string(body->bytes) : "none";
}

std::string steadybit_body(std::string_view name) {
    return R"({ "tenant":{"key":"acme"},"id":"DA059724A8AE4B4BB4F0EE01898232D2","new":[1,2], )"
           R"("eventTime":"2021-09-01T12:00:00+02:00","eventName":")" +
           std::string(name) + "\" }\n";
}

TEST(SteadybitMadeBody, WhatCameFromSteadybitLeavesByteForByte) {
    for (std::string_view name : {"killswitch.engaged", "experiment.execution.created", "any"}) {
        const StoredEvent event = event_with(steadybit_body(name), name);
        const std::optional<SteadybitCallBody> body = steadybit_call_body(event);
        ASSERT_TRUE(body.has_value()) << name;
        EXPECT_EQ(body->bytes.data(), event.event.data->data()) << "the bytes themselves";
        EXPECT_EQ(body->bytes.size(), event.event.data->size());
        EXPECT_EQ(body->owner, event.owner);
    }
}

TEST(SteadybitMadeBody, ANameWithEscapesIsTheSameName) {
    const StoredEvent event =
        event_with(steadybit_body("killswitch\\u002eengaged"), "killswitch.engaged");
    EXPECT_EQ(body_of(event), *event.event.data);
}

TEST(SteadybitMadeBody, IsMadeOfTheEventsAttributes) {
    StoredEvent event = event_with(R"({"version":7,"é":1e400})");
    event.event.tenant = "team-a";
    event.event.subject = "web \"1\"";
    event.event.time = "2026-03-01t13:00:00.5+01:00";
    event.event.id = "da059724-a8ae-4b4b-b4f0-ee01898232d2";
    EXPECT_EQ(
        body_of(event),
        R"({"id":"da059724-a8ae-4b4b-b4f0-ee01898232d2","eventName":"deploy",)"
        R"("eventTime":"2026-03-01T12:00:00.500000Z","tenant":{"key":"team-a","name":"team-a"},)"
        R"("principal":{"principalType":"batch_job","username":"belfry"},)"
        R"("event":{"source":"/shop","subject":"web \"1\"","properties":{"version":7,"é":1e400}}})"
    );
}

TEST(SteadybitMadeBody, ItsIdIsTheUuidFormUnlessTheIdIsAUuid) {
    StoredEvent event = event_with("1");
    const UuidText text = uuid_text(event.uuid());
    const std::string uuid(text.data(), text.size());
    for (std::string_view id : {"", "order-1", "da059724a8ae4b4bb4f0ee01898232d2"}) {
        event.event.id = id;
        EXPECT_EQ(parse_steadybit_body(body_of(event)).value().id, uuid) << id;
    }
    event.event.id = "DA059724-a8ae-4b4b-b4f0-ee01898232d2";
    EXPECT_EQ(parse_steadybit_body(body_of(event)).value().id, event.event.id);
}

TEST(SteadybitMadeBody, TimeIsOfTheEventElseOfTheRecord) {
    StoredEvent event = event_with("1");
    EXPECT_EQ(
        parse_steadybit_body(body_of(event)).value().event_time, "2026-01-01T00:00:00.000000Z"
    );
    event.event.time = "2020-02-02T02:02:02Z";
    EXPECT_EQ(
        parse_steadybit_body(body_of(event)).value().event_time, "2020-02-02T02:02:02.000000Z"
    );
}

TEST(SteadybitMadeBody, DataThatIsNotJsonIsBase64) {
    StoredEvent event = event_with("{");
    EXPECT_TRUE(body_of(event).ends_with(R"("event":{"source":"/shop","data_base64":"ew=="}})"));
    event = event_with("{}");
    event.event.datacontenttype = "text/plain";
    EXPECT_TRUE(body_of(event).ends_with(R"("event":{"source":"/shop","data_base64":"e30="}})"));
    event.event.datacontenttype = "application/vnd.x+json";
    EXPECT_TRUE(body_of(event).ends_with(R"("event":{"source":"/shop","properties":{}}})"));
    event.event.data = std::nullopt;
    EXPECT_TRUE(body_of(event).ends_with(R"("event":{"source":"/shop"}})"));
}

TEST(SteadybitMadeBody, IsNeverMadeUnderANameOfSteadybits) {
    for (std::string_view name :
         {"user.invited",
          "killswitch.engaged",
          "killswitch.disengaged",
          "experiment.execution.requested",
          "experiment.execution.step-started",
          "experiment.execution.target-completed",
          "experiment.execution.of-tomorrow",
          "experiment.started"}) {
        EXPECT_TRUE(is_steadybit_event_name(name)) << name;
        EXPECT_EQ(body_of(event_with(R"({"version":7})", name)), "none") << name;
        EXPECT_EQ(body_of(event_with(steadybit_body("another.name"), name)), "none") << name;
        EXPECT_NE(body_of(event_with(steadybit_body(name), name)), "none") << name;
    }
    for (std::string_view name :
         {"deploy", "experiment.execution", "experiment", "killswitch", "Killswitch.engaged"}) {
        EXPECT_FALSE(is_steadybit_event_name(name)) << name;
    }
}

TEST(SteadybitMadeBody, ABodyUnderAnotherNameIsWrapped) {
    const StoredEvent event = event_with(steadybit_body("other"), "deploy");
    const std::string body = body_of(event);
    EXPECT_EQ(parse_steadybit_body(body).value().event_name, "deploy");
    EXPECT_NE(body.find(R"("properties":{ "tenant")"), std::string::npos);
}

TEST(SteadybitMadeBody, IsTheSameEveryTime) {
    const StoredEvent event = event_with(std::string(1 << 20, '\0'));
    EXPECT_EQ(body_of(event), body_of(event));
}

}  // namespace
}  // namespace belfry
