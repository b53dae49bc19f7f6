#include "eventkit/registry.h"

#include <gmock/gmock.h>

namespace belfry::eventkit {
namespace {

using testing::HasSubstr;

Route::Wish wish(std::vector<std::string> events) {
    return {.events = std::move(events), .handler = [](const Event&, const Context&) {}};
}

std::string refusal(Result<void> result) {
    return result ? "" : result.error().detail;
}

TEST(Registry, OfNothingIsAnIndexWithAnEmptyArray) {
    EXPECT_EQ(Registry().current()->json, R"({"eventListeners":[]})");
}

TEST(Registry, ListenersOfOnePathAndMethodAreOneInTheIndex) {
    Registry registry;
    ASSERT_TRUE(registry.listen("/a", Method::post, wish({"x", "y", "x"})));
    ASSERT_TRUE(registry.listen("/a", Method::post, wish({"y", "z"})));
    ASSERT_TRUE(registry.listen("/a", Method::put, wish({"x"})));
    ASSERT_TRUE(registry.listen("/b", Method::del, wish({"x"})));
    ASSERT_TRUE(registry.listen("/b", Method::del, wish({"*"})));
    const auto index = registry.current();
    EXPECT_EQ(
        index->json,
        R"({"eventListeners":[{"path":"/a","method":"POST","listenTo":["x","y","z"]},)"
        R"({"path":"/a","method":"PUT","listenTo":["x"]},)"
        R"({"path":"/b","method":"DELETE","listenTo":["*"]}]})"
    );
    EXPECT_EQ(index->methods_of("/a"), "POST, PUT");
    EXPECT_EQ(index->methods_of("/A"), "");
    EXPECT_EQ(index->find("/a", "post"), nullptr) << "methods have one spelling";
    ASSERT_NE(index->find("/a", "POST"), nullptr);
    EXPECT_TRUE(index->find("/a", "POST")->wants("z"));
    EXPECT_FALSE(index->find("/a", "PUT")->wants("z"));
    EXPECT_FALSE(index->find("/a", "POST")->wants("Z"));
    EXPECT_TRUE(index->find("/b", "DELETE")->wants("new.name"));
    const auto& wishes = index->find("/a", "POST")->wishes;
    ASSERT_EQ(wishes.size(), 2U);
    EXPECT_TRUE(wishes[0]->is_for("x"));
    EXPECT_FALSE(wishes[1]->is_for("x"));
}

TEST(Registry, MembersStandBesideTheListenersAsArrays) {
    Registry registry;
    ASSERT_TRUE(registry.set_member("actions", R"([ {"method":"GET","path":"/a"} ])"));
    ASSERT_TRUE(registry.set_member("discoveries", "null"));
    ASSERT_TRUE(registry.set_member("actions", R"([1])"));
    EXPECT_EQ(registry.current()->json, R"({"eventListeners":[],"actions":[1],"discoveries":[]})");
}

TEST(Registry, EveryChangeAndEveryStartHasATagOfItsOwn) {
    Registry registry;
    const std::string first = registry.current()->tag;
    ASSERT_TRUE(registry.listen("/a", Method::post, wish({"x"})));
    const std::string second = registry.current()->tag;
    ASSERT_TRUE(registry.set_member("actions", "[]"));
    const std::string third = registry.current()->tag;
    EXPECT_NE(first, second);
    EXPECT_NE(second, third);
    EXPECT_EQ(registry.current()->tag, third) << "nothing has changed";
    EXPECT_NE(Registry().current()->tag, first);
}

TEST(Registry, AnIndexThatSomebodyHoldsStaysAsItWas) {
    Registry registry;
    ASSERT_TRUE(registry.listen("/a", Method::post, wish({"x"})));
    const auto before = registry.current();
    ASSERT_TRUE(registry.listen("/a", Method::post, wish({"y"})));
    EXPECT_FALSE(before->find("/a", "POST")->wants("y"));
    EXPECT_TRUE(registry.current()->find("/a", "POST")->wants("y"));
}

TEST(Registry, SaysWhatIsWrongAndChangesNothing) {
    Registry registry;
    const std::string tag = registry.current()->tag;
    for (const char* path : {"", "/", "a", "/a b", "/a?b", "/a#b", "/\xc3\xa4", "/a\n", "/a\"b"}) {
        EXPECT_THAT(
            refusal(registry.listen(path, Method::post, wish({"x"}))),
            HasSubstr("no path of a listener")
        ) << path;
    }
    EXPECT_THAT(
        refusal(registry.listen("/a", Method::post, wish({}))), HasSubstr("/a names no event")
    );
    EXPECT_THAT(refusal(registry.listen("/a", Method::post, wish({""}))), HasSubstr("empty"));
    EXPECT_THAT(refusal(registry.listen("/a", Method::post, wish({"\xff"}))), HasSubstr("UTF-8"));
    EXPECT_THAT(
        refusal(registry.listen("/a", Method::post, {.events = {"x"}, .handler = {}})),
        HasSubstr("no handler")
    );
    EXPECT_THAT(refusal(registry.set_member("eventListeners", "[]")), HasSubstr("eventListeners"));
    EXPECT_THAT(refusal(registry.set_member("", "[]")), HasSubstr("a name such as actions"));
    EXPECT_THAT(refusal(registry.set_member("actions", "{}")), HasSubstr("no JSON array"));
    EXPECT_THAT(refusal(registry.set_member("actions", "[1")), HasSubstr("index member actions"));
    EXPECT_THAT(refusal(registry.set_member("actions", "")), HasSubstr("index member actions"));
    EXPECT_EQ(registry.current()->tag, tag);
}

}  // namespace
}  // namespace belfry::eventkit
