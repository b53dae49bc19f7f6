#include "app/policy_file.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(PolicyFile, IsYamlWithTheMembersOfTheApi) {
    Result<PolicyFile> file = parse_policy_file(
        "event:\n  deploy.done: write\nevent_prefix: {dep: read, \"\": deny}\ntoken: read\n"
        "operator: deny\n",
        "ci.yaml",
        Limits{}
    );
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(
        policy_rules_json(file->rules),
        R"({"event":{"deploy.done":"write"},"event_prefix":{"":"deny","dep":"read"},)"
        R"("token":"read","operator":"deny"})"
    );
    EXPECT_TRUE(parse_policy_file(R"({"event": {"x": "read"}, "event_prefix": {}})", "-", Limits{})
    );
}

TEST(PolicyFile, IsHclIfItsNameSaysSo) {
    const std::string_view text = R"(event_prefix "" { policy = "read" })";
    Result<PolicyFile> file = parse_policy_file(text, "consul.hcl", Limits{});
    ASSERT_TRUE(file);
    EXPECT_EQ(file->notes.size(), 1U);
    EXPECT_FALSE(parse_policy_file(text, "consul.yaml", Limits{}));
}

TEST(PolicyFile, SaysWhereSomethingIsWrong) {
    auto refused = [](std::string_view text) {
        Result<PolicyFile> file = parse_policy_file(text, "x.yaml", Limits{});
        EXPECT_FALSE(file) << text;
        return file ? "" : file.error().detail;
    };
    EXPECT_EQ(
        refused("event:\n  x: sudo\n"),
        "line 2, column 6: a permission is `read`, `write` or `deny`"
    );
    EXPECT_TRUE(refused("evnt:\n  x: read\n").starts_with("line 1, column 1: the members are"));
    for (std::string_view text :
         {"event: read\n",
          "event: {\"\": read}\n",
          "event: {x: {policy: read}}\n",
          "token: {x: read}\n",
          "token: [read]\n",
          "token:\n",
          "token: yes\n",
          "token: read\ntoken: write\n",
          "event: {x: read, x: write}\n"}) {
        EXPECT_TRUE(refused(text).starts_with("line ")) << text;
    }
}

}  // namespace
}  // namespace belfry
