#include "auth/policy_hcl.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

PolicyFile parsed(std::string_view text) {
    Result<PolicyFile> file = parse_policy_hcl(text, Limits{});
    EXPECT_TRUE(file) << file.error().detail;
    return file.value_or(PolicyFile{});
}
std::string refused(std::string_view text) {
    Result<PolicyFile> file = parse_policy_hcl(text, Limits{});
    EXPECT_FALSE(file) << text;
    return file ? "" : file.error().detail;
}

TEST(PolicyHcl, ReadsEventRulesAsConsulWritesThem) {
    PolicyFile file = parsed(R"(
# who deploys
event "deploy.done" { policy = "write" }
event_prefix "dep" {
  policy = "read"  // and reads
}
event_prefix "a\"b\\" { policy = "deny" } /* odd */ event "x" {policy="write"}
)");
    EXPECT_EQ(
        policy_rules_json(file.rules),
        R"({"event":{"deploy.done":"write","x":"write"},)"
        R"("event_prefix":{"a\"b\\":"deny","dep":"read"}})"
    );
    EXPECT_TRUE(file.notes.empty());
}

TEST(PolicyHcl, SkipsWhatBelfryDoesNotHaveAndSaysSo) {
    PolicyFile file = parsed(R"(operator = "read"
key_prefix "" { policy = "write" }
service "web" {
  policy = "write"
  intentions = ["a", { b = "}" }]  # }
}
acl = "write"
event "kept" { policy = "read" }
)");
    EXPECT_EQ(policy_rules_json(file.rules), R"({"event":{"kept":"read"}})");
    ASSERT_EQ(file.notes.size(), 4U);
    EXPECT_EQ(
        file.notes[1], "line 2, column 1: `key_prefix \"\"` is skipped: Belfry has no such rule"
    );
    EXPECT_TRUE(file.notes[2].starts_with("line 3, column 1: `service \"web\"`"));
}

TEST(PolicyHcl, NotesARuleOnEveryType) {
    EXPECT_EQ(parsed(R"(event_prefix "" { policy = "write" })").notes.size(), 1U);
    EXPECT_EQ(parsed(R"(event_prefix "" { policy = "deny" })").notes.size(), 0U);
    EXPECT_TRUE(parsed("").rules == PolicyRules{});
}

TEST(PolicyHcl, SaysWhereAndWhatIsExpected) {
    EXPECT_EQ(
        refused("event {"),
        "line 1, column 7: the type is expected in quotes, such as "
        "event \"deploy\""
    );
    EXPECT_EQ(
        refused("\n  event \"x\" { policy = \"sudo\" }"),
        "line 2, column 24: a permission is `read`, `write` or `deny`"
    );
    for (std::string_view text : {
             R"(event "x" { policy = "write")",
             R"(event "x" { policy "write" })",
             R"(event "x" { polcy = "write" })",
             R"(event "x" { policy = write })",
             R"(event "x" { policy = "write" intentions = "read" })",
             R"(event "x)",
             "event \"x\n\" { policy = \"read\" }",
             R"(event "\n" { policy = "read" })",
             R"(event "${x}" { policy = "read" })",
             R"(event "" { policy = "read" })",
             R"(event "x" { policy = "read" } event "x" { policy = "deny" })",
             R"(key "x" { policy = "read")",
             R"(acl = <<EOT)",
             R"(/* no end)",
             R"({})",
             R"(})",
             R"(event)",
             R"(event "a" "b" { policy = "read" })",
         }) {
        EXPECT_TRUE(refused(text).starts_with("line ")) << text;
    }
}

TEST(PolicyHcl, BoundsNestingLengthAndNames) {
    Limits limits;
    EXPECT_EQ(
        parse_policy_hcl(std::string(limits.yaml_bytes + 1, '#'), limits).error().code,
        Errc::too_large
    );
    refused("a = " + std::string(100'000, '['));
    refused("event \"" + std::string(limits.event_type_bytes + 1, 'x') + "\" { policy=\"read\" }");
}

}  // namespace
}  // namespace belfry
