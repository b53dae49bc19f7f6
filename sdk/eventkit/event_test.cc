#include <belfry/eventkit/event.h>
#include <gtest/gtest.h>

namespace belfry::eventkit {
namespace {

constexpr std::string_view kReadId = "da059724-a8ae-4b4b-b4f0-ee01898232d2";

// What every event has, and `members` behind it.
std::string event_body(std::string_view members = {}) {
    return R"({"id":"da059724-a8ae-4b4b-b4f0-ee01898232d2","eventName":"killswitch.engaged",)"
           R"("eventTime":"2021-09-01T12:00:00Z","tenant":{"key":"exmpl","name":"Example Inc."},)"
           R"("principal":{"principalType":"batch_job","username":"nightly"})" +
           std::string(members) + "}";
}

Event parsed(const std::string& json) {
    auto event = parse_event(json);
    EXPECT_TRUE(event) << json << "\n" << event.error().detail;
    return event ? std::move(*event) : Event{};
}

TEST(Event, ReadsTheExampleOfTheDocument) {
    const std::string json = R"({
  "id": "da059724-a8ae-4b4b-b4f0-ee01898232d2",
  "eventName": "experiment.execution.created",
  "eventTime": "2021-09-01T12:00:00Z",
  "tenant": { "key": "exmpl", "name": "Example Inc." },
  "principal": {
    "principalType": "user",
    "username": "tom.mason",
    "name": "Tom Mason",
    "email": "tom.mason@example.com"
  },
  "environment": { "id": "STG", "name": "Staging" },
  "team": { "key": "ADM", "name": "Administrators" },
  "experimentExecution": {
    "experimentKey": "ADM-4",
    "executionId": 34,
    "name": "Rollout restart does not impact service availability",
    "state": "COMPLETED",
    "preparedTime": "2022-11-08T16:42:32.303762Z",
    "startedTime": "2022-11-08T16:42:32.329718Z",
    "endedTime": "2022-11-08T16:42:42.636157Z"
  }
})";
    const Event event = parsed(json);
    EXPECT_EQ(event.id, kReadId);
    EXPECT_EQ(event.name, "experiment.execution.created");
    EXPECT_EQ(time_text(event.time), "2021-09-01T12:00:00.000000Z");
    EXPECT_EQ(event.tenant, (Tenant{.key = "exmpl", .name = "Example Inc."}));
    EXPECT_EQ(
        event.principal,
        Principal(UserPrincipal{
            .username = "tom.mason", .name = "Tom Mason", .email = "tom.mason@example.com"
        })
    );
    EXPECT_EQ(event.environment, (Environment{.id = "STG", .name = "Staging"}));
    EXPECT_EQ(event.team, (Team{.id = {}, .key = "ADM", .name = "Administrators"}));
    ASSERT_TRUE(event.experiment);
    EXPECT_EQ(event.experiment->experiment_key, "ADM-4");
    EXPECT_EQ(event.experiment->execution_id, 34);
    EXPECT_EQ(event.experiment->state, State::completed);
    EXPECT_EQ(event.experiment->hypothesis, std::nullopt);
    EXPECT_EQ(time_text(event.experiment->prepared_time.value()), "2022-11-08T16:42:32.303762Z");
    EXPECT_FALSE(event.step);
    EXPECT_FALSE(event.target);
    EXPECT_EQ(event.json, json);
    EXPECT_FALSE(parsed(event_body()).experiment);
}

std::string execution(std::string_view members = {}) {
    return event_body(
        R"(,"experimentExecution":{"experimentKey":"A-1","executionId":7,"name":"n",)"
        R"("state":"running")" +
        std::string(members) + "}"
    );
}

constexpr std::string_view kStepId = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
constexpr std::string_view kStep =
    R"({"experimentKey":"A-1","executionId":7,"id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427",)"
    R"("type":"action","state":"failed","actionId":"com.example.stop","actionKind":"load_test"})";

std::string target(std::string_view members) {
    return event_body(
        R"(,"experimentStepTargetExecution":{"experimentKey":"A-1","executionId":7,)"
        R"("stepExecutionId":"1b4e28ba-2fa1-11d2-883f-0016d3cca427",)"
        R"("id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","state":"completed","agentHostname":"h",)"
        R"("targetName":"t","targetType":"container")" +
        std::string(members) + "}"
    );
}

Principal principal(std::string_view json) {
    std::string text = event_body();
    const std::size_t at = text.find(R"({"principalType")");
    return parsed(text.replace(at, text.size() - 1 - at, json)).principal;
}

void expect_refused(const std::string& json, std::string_view field, std::string_view detail) {
    auto event = parse_event(json);
    ASSERT_FALSE(event) << json;
    EXPECT_EQ(event.error().field, field) << json;
    EXPECT_NE(event.error().detail.find(detail), std::string::npos) << json << "\n"
                                                                    << event.error().detail;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Event, TellsThePrincipalsApart) {
    EXPECT_EQ(
        principal(R"({"username":"u","name":"n","principalType":"user"})"),
        Principal(UserPrincipal{.username = "u", .name = "n", .email = {}})
    ) << "the kind may stand last";
    EXPECT_EQ(
        principal(R"({"principalType":"user","username":"u","name":"","email":""})"),
        Principal(UserPrincipal{.username = "u", .name = "", .email = ""})
    );
    EXPECT_EQ(
        principal(R"({"principalType":"access_token","id":"i","name":"n","tokenType":"team"})"),
        Principal(AccessTokenPrincipal{.id = "i", .name = "n", .token_type = TokenType::team})
    );
    EXPECT_EQ(
        principal(R"({"principalType":"batch_job","username":"u","name":1})"),
        Principal(BatchPrincipal{.username = "u"})
    ) << "a member of another kind may hold anything";
}

TEST(Event, KeepsTheJsonOfPrincipalsItDoesNotKnow) {
    const std::string robot =
        R"({ "principalType":"robot", "serial":[12345678901234567890, null] })";
    EXPECT_EQ(principal(robot), Principal(UnknownPrincipal{.type = "robot", .json = robot}));
    const std::string first = R"({"username":"u"})";
    EXPECT_EQ(principal(first), Principal(UnknownPrincipal{.type = "", .json = first}))
        << "the first version had no kinds";
    const std::string null = R"({"principalType":null,"username":"u"})";
    EXPECT_EQ(principal(null), Principal(UnknownPrincipal{.type = "", .json = null}));
    const std::string cased = R"({"principalType":"USER","username":"u","name":"n"})";
    EXPECT_EQ(principal(cased), Principal(UnknownPrincipal{.type = "USER", .json = cased}));
}

TEST(Event, ReadsStatesInEitherCase) {
    for (const std::string_view word :
         {"created", "prepared", "running", "failed", "completed", "canceled", "skipped", "errored"
         }) {
        std::string upper(word);
        for (char& c : upper) {
            c = static_cast<char>(c - 'a' + 'A');
        }
        std::string mixed = upper;
        mixed[1] = word[1];
        for (const std::string& spelt : {std::string(word), upper, mixed}) {
            const Event event = parsed(replaced(execution(), "running", spelt));
            EXPECT_EQ(state_name(event.experiment->state), word);
        }
    }
    for (const std::string wrong : {"", "run", "runnings", "cancelled", "r\xC5\xABnning"}) {
        expect_refused(
            replaced(execution(), "running", wrong),
            "experimentExecution.state",
            "must be one of created, prepared"
        );
    }
}

TEST(Event, ReadsLargeNumbersExactly) {
    const auto number = [](std::string_view literal) {
        return parsed(replaced(execution(), ":7", ":" + std::string(literal)))
            .experiment->execution_id;
    };
    EXPECT_EQ(number("16777217"), 16'777'217) << "a float would lose it";
    EXPECT_EQ(number("9007199254740992"), 9'007'199'254'740'992);
    EXPECT_EQ(number("9007199254740993"), 9'007'199'254'740'993) << "a double would lose it";
    EXPECT_EQ(number("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(number("-3"), -3);
    EXPECT_EQ(number("34.0"), 34);
    EXPECT_EQ(number("3.4e1"), 34);
    EXPECT_EQ(number("\"35\""), 35) << "the first version had strings";
    for (const std::string wrong :
         {"9223372036854775808",
          "1.5",
          "1e300",
          "1e999",
          "9007199254740994.0",
          "\"\"",
          "\"7a\"",
          "\" 7\"",
          "\"0x7\"",
          "true",
          "null",
          "[7]",
          "{}"}) {
        expect_refused(
            replaced(execution(), ":7", ":" + wrong),
            "experimentExecution.executionId",
            "must be a whole number"
        );
    }
}

TEST(Event, TellsAbsentFromEmpty) {
    const ExperimentExecution absent = parsed(execution()).experiment.value();
    EXPECT_FALSE(absent.hypothesis || absent.reason || absent.reason_details || absent.tags);
    EXPECT_FALSE(absent.variables || absent.properties || absent.prepared_time);
    const ExperimentExecution null =
        parsed(execution(R"(,"hypothesis":null,"reason":null,"tags":null,"variables":null,)"
                         R"("properties":null,"startedTime":null,"steps":null)"))
            .experiment.value();
    EXPECT_EQ(null, absent);
    const ExperimentExecution empty =
        parsed(execution(R"(,"hypothesis":"","reason":"","reasonDetails":"","tags":[],)"
                         R"("variables":{},"properties":{ })"))
            .experiment.value();
    EXPECT_EQ(empty.hypothesis, "");
    EXPECT_EQ(empty.reason, "");
    EXPECT_EQ(empty.reason_details, "");
    EXPECT_EQ(empty.tags, std::vector<std::string>());
    EXPECT_EQ(empty.variables, (std::map<std::string, std::string>()));
    EXPECT_EQ(empty.properties, "{ }");

    EXPECT_FALSE(parsed(event_body(R"(,"team":null,"environment":null)")).team);
    EXPECT_EQ(parsed(event_body(R"(,"team":{"key":"","name":""})")).team->id, std::nullopt);
    EXPECT_EQ(parsed(event_body(R"(,"team":{"id":"","key":"","name":""})")).team->id, "");
}

TEST(Event, ReadsWhatNewVersionsBrought) {
    const ExperimentExecution read =
        parsed(execution(R"(,"tags":["a","\u00fc"],"variables":{"k":"v","":""},)"
                         R"("properties":{"n":1e400,"a":[{"b":null}]})"))
            .experiment.value();
    EXPECT_EQ(read.tags, (std::vector<std::string>{"a", "ü"}));
    EXPECT_EQ(read.variables, (std::map<std::string, std::string>{{"k", "v"}, {"", ""}}));
    EXPECT_EQ(read.properties, R"({"n":1e400,"a":[{"b":null}]})");
    const Event unknown = parsed(replaced(
        event_body(R"(,"newMember":{"id":[1,2]},"another":"\ud83d")"),
        "killswitch.engaged",
        "brand.new"
    ));
    EXPECT_EQ(unknown.name, "brand.new");
}

TEST(Event, ReadsStepsAndTargets) {
    const Event event = parsed(event_body(R"(,"experimentStepExecution":)" + std::string(kStep)));
    ASSERT_TRUE(event.step);
    EXPECT_FALSE(event.experiment || event.target);
    EXPECT_EQ(event.step->id, kStepId);
    EXPECT_EQ(event.step->type, StepType::action);
    EXPECT_EQ(event.step->state, State::failed);
    EXPECT_EQ(event.step->action_id, "com.example.stop");
    EXPECT_EQ(event.step->action_kind, ActionKind::load_test);
    EXPECT_EQ(event.step->action_name, std::nullopt);

    const TargetExecution read =
        parsed(target(R"(,"targetAttributes":{"steadybit.label":["x","y"],"none":[],"null":null},)"
                      R"("startedTime":"2022-11-08T16:42:32.329718123+02:00","reason":"r")"))
            .target.value();
    EXPECT_EQ(read.step_execution_id, kStepId);
    EXPECT_EQ(
        read.target_attributes,
        (std::map<std::string, std::vector<std::string>>{
            {"steadybit.label", {"x", "y"}}, {"none", {}}, {"null", {}}
        })
    );
    EXPECT_EQ(time_text(read.started_time.value()), "2022-11-08T14:42:32.329718Z");
    EXPECT_EQ(read.ended_time, std::nullopt);
    EXPECT_EQ(read.reason, "r");
    EXPECT_TRUE(parsed(target(R"(,"targetAttributes":null)")).target->target_attributes.empty())
        << "what a map of Go without entries is written as";
}

TEST(Event, ReadsTheBodiesOfVersion12) {
    const Event event = parsed(
        event_body(R"(,"stepExecutionId":"00000000-0000-0000-0000-000000000002",)"
                   R"("experimentExecution":{"experimentKey":"A-1",)"
                   R"("executionId":8,"name":"n","hypothesis":"h","state":"FAILED",)"
                   R"("preparedTime":"2022-11-08T16:42:32Z","startedTime":"2022-11-08T16:42:32Z",)"
                   R"("failureReason":"why","failureReasonDetails":"more","steps":[)"
                   R"({"id":"00000000-0000-0000-0000-000000000001","type":"wait",)"
                   R"("state":"COMPLETED","targetExecutions":[]},)"
                   R"({"id":"00000000-0000-0000-0000-000000000002","type":"action",)"
                   R"("state":"FAILED","actionId":"a","targetExecutions":[)"
                   R"({"state":"FAILED","agentHostname":"h","targetName":"t","targetType":"host",)"
                   R"("targetAttributes":{"k":["v"]}},{"state":"SKIPPED"}]}]})")
    );
    EXPECT_EQ(event.experiment->reason, "why");
    EXPECT_EQ(event.experiment->reason_details, "more");
    ASSERT_EQ(event.experiment->steps.size(), 2);
    EXPECT_EQ(event.step_execution_id, "00000000-0000-0000-0000-000000000002");
    EXPECT_EQ(event.step, event.experiment->steps[1]) << "as if it had come in today's shape";
    EXPECT_EQ(event.step->experiment_key, "A-1");
    EXPECT_EQ(event.step->execution_id, 8);
    ASSERT_EQ(event.step->targets.size(), 2);
    EXPECT_EQ(event.step->targets[0].target_name, "t");
    EXPECT_EQ(event.step->targets[0].step_execution_id, "00000000-0000-0000-0000-000000000002");
    EXPECT_EQ(event.step->targets[1].state, State::skipped);
    EXPECT_EQ(event.step->targets[1].execution_id, 8);

    EXPECT_FALSE(
        parsed(event_body(R"(,"stepExecutionId":"00000000-0000-0000-0000-000000000001")")).step
    ) << "there is none of that id";
    EXPECT_FALSE(
        parsed(execution(R"(,"stepExecutionId":"00000000-0000-0000-0000-000000000001","steps":[])"))
            .step
    );
}

TEST(Event, FindsItsStepHoweverTheIdIsSpelt) {
    const Event event = parsed(
        event_body(R"(,"stepExecutionId":"ABCDEF00-0000-0000-0000-000000000001",)"
                   R"("experimentExecution":{"experimentKey":"A-1","executionId":8,"name":"n",)"
                   R"("state":"RUNNING","steps":[{"id":"abcdef00000000000000000000000001",)"
                   R"("type":"wait","state":"COMPLETED"}]})")
    );
    ASSERT_TRUE(event.step);
    EXPECT_EQ(event.step->id, "abcdef00000000000000000000000001") << "as it came";
}

// Every entry has a copy of it.
TEST(Event, RefusesALongExperimentKeyInATree) {
    const auto tree = [](std::size_t execution_key, std::size_t step_key) {
        return event_body(
            R"(,"experimentExecution":{"executionId":8,"name":"n","state":"failed",)"
            R"("experimentKey":")" +
            std::string(execution_key, 'k') +
            R"(","steps":[{"id":"00000000-0000-0000-0000-000000000001","type":"wait",)"
            R"("state":"created","experimentKey":")" +
            std::string(step_key, 's') + R"(","targetExecutions":[{"state":"created"}]}]})"
        );
    };
    EXPECT_EQ(
        parsed(tree(255, 0)).experiment->steps[0].targets[0].experiment_key, std::string(255, 'k')
    );
    EXPECT_EQ(
        parsed(tree(1, 255)).experiment->steps[0].targets[0].experiment_key, std::string(255, 's')
    );
    expect_refused(tree(256, 0), "experimentExecution.experimentKey", "at most 255 bytes");
    expect_refused(tree(1, 256), "experimentExecution.steps[0].experimentKey", "at most 255 bytes");
    const std::string key(5000, 'k');
    EXPECT_EQ(parsed(replaced(execution(), "A-1", key)).experiment->experiment_key, key)
        << "without a tree nothing multiplies it";
}

TEST(Event, TakesTheNewNameOfAReasonWhereverItStands) {
    for (const std::string members :
         {R"(,"reason":"new","failureReason":"old")", R"(,"failureReason":"old","reason":"new")"}) {
        EXPECT_EQ(parsed(execution(members)).experiment->reason, "new");
    }
    EXPECT_EQ(
        parsed(execution(R"(,"failureReason":"old","reason":null)")).experiment->reason, "old"
    );
}

TEST(Event, NamesEachMemberThatIsMissing) {
    const std::string whole = event_body(
        R"(,"team":{"key":"k","name":"n"},"environment":{"id":"i","name":"n"},)"
        R"("experimentStepExecution":)" +
        std::string(kStep)
    );
    const auto without = [&](std::string_view member) {
        return replaced(whole, member, R"("other":1)");
    };
    const std::vector<std::pair<std::string_view, std::string_view>> members{
        {R"("id":"da059724-a8ae-4b4b-b4f0-ee01898232d2")", "id"},
        {R"("eventName":"killswitch.engaged")", "eventName"},
        {R"("eventTime":"2021-09-01T12:00:00Z")", "eventTime"},
        {R"("principal":{"principalType":"batch_job","username":"nightly"})", "principal"},
        {R"("username":"nightly")", "principal.username"},
        {R"("tenant":{"key":"exmpl","name":"Example Inc."})", "tenant"},
        {R"("key":"exmpl")", "tenant.key"},
        {R"("name":"Example Inc.")", "tenant.name"},
        {R"("key":"k")", "team.key"},
        {R"("id":"i")", "environment.id"},
        {R"("experimentKey":"A-1")", "experimentStepExecution.experimentKey"},
        {R"("executionId":7)", "experimentStepExecution.executionId"},
        {R"("type":"action")", "experimentStepExecution.type"},
        {R"("state":"failed")", "experimentStepExecution.state"},
    };
    EXPECT_TRUE(parse_event(whole));
    for (const auto& [member, field] : members) {
        expect_refused(without(member), field, "is missing");
    }
    expect_refused("{}", "id", "id is missing");
    expect_refused(target(""), "experimentStepTargetExecution.targetAttributes", "is missing");
}

TEST(Event, NamesTheMemberThatIsWrong) {
    expect_refused(replaced(event_body(), "da059724-", "da059724"), "id", "must be a UUID");
    for (const std::string wrong : {"12", "null", "[]", "true", "{}"}) {
        expect_refused(
            replaced(event_body(), R"("killswitch.engaged")", wrong),
            "eventName",
            "must be a string"
        );
    }
    for (const std::string wrong :
         {R"("")", R"("2021-09-01")", R"("2021-09-01T12:00:00+0200")", R"("2021-02-30T12:00:00Z")"
         }) {
        expect_refused(
            replaced(event_body(), R"("2021-09-01T12:00:00Z")", wrong), "eventTime", "RFC 3339"
        );
    }
    expect_refused(event_body(R"(,"stepExecutionId":"s")"), "stepExecutionId", "must be a UUID");
    expect_refused(event_body(R"(,"team":[])"), "team", "must be an object");
    expect_refused(event_body(R"(,"experimentExecution":"x")"), "experimentExecution", "an object");
    expect_refused(event_body(R"(,"principal":1})"), "principal", "stands twice");
    expect_refused(
        replaced(event_body(), R"({"principalType":"batch_job","username":"nightly"})", "\"root\""),
        "principal",
        "must be an object"
    );
    expect_refused(
        replaced(event_body(), "\"batch_job\"", "1"), "principal.principalType", "a string"
    );
    expect_refused(
        replaced(
            event_body(),
            R"("principalType":"batch_job")",
            R"("principalType":"access_token","id":"i","name":"n","tokenType":"root")"
        ),
        "principal.tokenType",
        "must be admin or team"
    );
    expect_refused(execution(R"(,"tags":["a",1])"), "experimentExecution.tags[1]", "a string");
    expect_refused(execution(R"(,"tags":{})"), "experimentExecution.tags", "must be an array");
    expect_refused(
        execution(R"(,"variables":{"k":1})"), "experimentExecution.variables.k", "string"
    );
    expect_refused(execution(R"(,"properties":[])"), "experimentExecution.properties", "an object");
    expect_refused(
        target(R"(,"targetAttributes":{"a":["b"],"c":"d"})"),
        "experimentStepTargetExecution.targetAttributes.c",
        "must be an array"
    );
    expect_refused(
        execution(R"(,"steps":[{"id":"00000000-0000-0000-0000-000000000001",)"
                  R"("type":"wait","state":"created","targetExecutions":[)"
                  R"({"state":"created"},{"state":"lost"}]}])"),
        "experimentExecution.steps[0].targetExecutions[1].state",
        "must be one of"
    );
}

TEST(Event, RefusesTwoMembersOfOneName) {
    expect_refused(event_body(R"(,"i\u0064":"x")"), "id", "stands twice");
    expect_refused(event_body(R"(,"team":null,"team":null)"), "team", "stands twice");
    expect_refused(
        execution(R"(,"variables":{"k":"a","k":"b"})"), "experimentExecution.variables.k", "twice"
    );
    EXPECT_TRUE(parse_event(event_body(R"(,"unread":1,"unread":2)")));
}

TEST(Event, RefusesWhatIsNoJsonObject) {
    const std::vector<std::string> texts{
        "",
        "{",
        "nul",
        event_body() + "x",
        event_body() + event_body(),
        event_body() + std::string(1, '\0'),
        event_body(",}"),
        event_body(",\"a\":1e"),
        event_body(R"(,"a":"\x")"),
        event_body(R"(,"team":{"key":"k","name":"n")"),
        "{\"id\":tru}",
        "{\"id\":\"\n\"}",
    };
    for (const std::string& text : texts) {
        expect_refused(text, "", "malformed JSON at byte");
    }
    expect_refused(event_body(",\"a\":\"\xFF\""), "", "not UTF-8");
    for (const std::string text : {"[]", "null", "\"a\"", "7"}) {
        expect_refused(text, "", "the body must be an object");
    }
    expect_refused("[" + event_body() + "]", "", "the body must be an object");
    expect_refused(
        replaced(event_body(), "nightly", R"(\ud83d)"), "principal.username", "surrogate"
    );
    expect_refused(
        event_body(",\"a\":" + std::string(2000, '[') + std::string(2000, ']')), "", "malformed"
    );
}

TEST(Event, ShortensNamesThatTheSenderChose) {
    const std::string name(5000, 'x');
    expect_refused(
        execution(R"(,"variables":{")" + name + R"(":1})"), "experimentExecution.variables.…", "…"
    );
}

TEST(Event, TakesEveryUsualSpellingOfAUuid) {
    for (const std::string id :
         {"da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "DA059724-A8AE-4B4B-B4F0-EE01898232D2",
          "da059724a8ae4b4bb4f0ee01898232d2",
          "urn:uuid:da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "{da059724-a8ae-4b4b-b4f0-ee01898232d2}"}) {
        EXPECT_EQ(parsed(replaced(event_body(), kReadId, id)).id, id) << "spelt as it came";
    }
}

TEST(Event, IsWrittenAsTheBodyThatIsReadAsTheSame) {
    const std::vector<std::string> bodies{
        event_body(),
        execution(
            R"(,"hypothesis":"","tags":[],"variables":{"a":"\u0001\""},"properties":{"b":1.50},)"
            R"("reason":"r","reasonDetails":"","startedTime":"2022-11-08T16:42:32.329718+02:00")"
        ),
        event_body(
            R"(,"team":{"key":"k","name":"n"},"environment":{"id":"i","name":"n"},)"
            R"("experimentStepExecution":)" +
            std::string(kStep)
        ),
        target(R"(,"targetAttributes":{"a":["b","c"],"d":[]})"),
        replaced(
            execution(), R"("principalType":"batch_job")", R"("principalType":"robot","n":[1.0])"
        ),
        replaced(execution(), "running", "ERRORED"),
        execution(R"(,"steps":[{"id":"00000000-0000-0000-0000-000000000001",)"
                  R"("type":"wait","state":"created","targetExecutions":[)"
                  R"({"state":"skipped"}]}])"),
    };
    for (const std::string& json : bodies) {
        Event event = parsed(json);
        const std::string made = to_json(event);
        Event again = parsed(made);
        EXPECT_EQ(again.json, made);
        event.json = again.json = {};
        EXPECT_EQ(again, event) << made;
        EXPECT_EQ(to_json(again), made);
    }
    EXPECT_EQ(
        to_json(parsed(event_body())),
        R"({"id":"da059724-a8ae-4b4b-b4f0-ee01898232d2","eventName":"killswitch.engaged",)"
        R"("eventTime":"2021-09-01T12:00:00.000000Z","principal":{"principalType":"batch_job",)"
        R"("username":"nightly"},"tenant":{"key":"exmpl","name":"Example Inc."}})"
    );
}

TEST(Event, OfAProgramIsWrittenAsItsMembersSay) {
    Event event{.id = std::string(kReadId), .name = "a \"b\"", .tenant = {.key = "t", .name = "T"}};
    event.principal = UnknownPrincipal{.type = "robot", .json = ""};
    EXPECT_NE(to_json(event).find(R"("principal":{"principalType":"robot"})"), std::string::npos);
    event.principal = AccessTokenPrincipal{.id = "i", .name = "n", .token_type = TokenType::team};
    EXPECT_NE(
        to_json(event).find(
            R"({"principalType":"access_token","id":"i","name":"n","tokenType":"team"})"
        ),
        std::string::npos
    );
    EXPECT_EQ(parsed(to_json(event)).principal, event.principal);
}

TEST(Event, AStepAloneIsReadAndWritten) {
    const auto step = parse_step_execution(kStep);
    ASSERT_TRUE(step) << step.error().detail;
    EXPECT_EQ(step->id, kStepId);
    EXPECT_EQ(parse_step_execution(to_json(*step)), *step);
    const auto wrong = parse_step_execution(replaced(std::string(kStep), "failed", "lost"));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().field, "state");
}

}  // namespace
}  // namespace belfry::eventkit
