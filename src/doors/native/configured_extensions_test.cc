// Extensions that configuration registers, and what of all of them outlives a run of the hub.
#include "doors/native/extensions_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class ConfiguredExtensions : public ExtensionRoutes {
 protected:
    static constexpr const char* kKey = "default/ext.example:8080";

    // The registry of a hub that starts again on the same documents.
    struct SecondRun {
        explicit SecondRun(ConfiguredExtensions& first, std::string extension = kKey)
            : test(first), key(std::move(extension)) {
            documents.start([] {});
            registry.prepare([this] { ready = true; });
            test.run();
            EXPECT_TRUE(ready);
        }
        const SteadybitExtension* served() { return calls.find(key); }
        std::vector<std::string> refused() {
            std::vector<std::string> reasons;
            for (const SteadybitFinding& finding : served()->findings) {
                reasons.push_back(finding.refused);
            }
            return reasons;
        }
        // Asks for the index, which the test is to answer.
        bool refresh() {
            registry.refresh(key, [](const Result<void>&) {});
            return !test.index_calls_.empty();
        }

        ConfiguredExtensions& test;
        const std::string key;
        SteadybitExtensions calls{};
        Extensions documents{test.kv_, test.limits_};
        bool ready = false;
        ExtensionRegistry registry{ExtensionRegistryPorts{
            .send = [this](
                        HttpCall call, HttpReplyDone done
                    ) { test.index_calls_.push_back({std::move(call), std::move(done)}); },
            .make_tls = [this](const TlsClientFiles&) { return test.tls_; },
            .clock = test.clock_,
            .hub = test.hub_,
            .catalog = test.catalog_,
            .extensions = documents,
            .indexes = test.kept_indexes_,
            .calls = calls,
            .limits = test.limits_,
            .user_agent = "Belfry/1.2.3",
        }};
    };
    // What a start would find.
    KeptIndexes::ByKey kept() {
        std::optional<KeptIndexes::ByKey> found;
        kept_indexes_.load([&](KeptIndexes::ByKey all) { found = std::move(all); });
        run();
        return found.value();
    }

    static RegisteredExtension configured(const std::string& json) {
        RegisteredExtension extension =
            parse_extension(json, ExtensionDefaults{}, Limits()).value();
        extension.origin = RegisteredExtension::Origin::configuration;
        return extension;
    }
    void configure(std::vector<RegisteredExtension> extensions) {
        extension_registry_.configure(std::move(extensions));
        run();
        while (!index_calls_.empty()) {
            answer_index(200, kOne);
        }
    }
};

TEST_F(ConfiguredExtensions, AreShownAndNotRemovedByTheApi) {
    configure({configured(kUrl)});
    EXPECT_THAT(show(), HasSubstr(R"("origin":"configuration")"));
    const Answer refused = ask(Method::del, "/api/v1/extensions/ext.example:8080");
    EXPECT_EQ(refused.status, 409);
    EXPECT_THAT(refused.body, HasSubstr("by the hub's configuration (steadybit.extensions)"));
    EXPECT_NE(subscription(), nullptr);
}

TEST_F(ConfiguredExtensions, CountMoreThanTheApi) {
    configure({configured(kUrl)});
    const std::uint64_t number = send(
        Method::post,
        "/api/v1/extensions",
        R"({"url":"http://ext.example:8080/p","profile":"poll"})"
    );
    answer_index(200, kOne);
    EXPECT_EQ(connection_.answer(number).status, 200);
    EXPECT_THAT(connection_.answer(number).body, HasSubstr(R"("profile":"push")"));
    EXPECT_THAT(connection_.answer(number).body, HasSubstr(R"("origin":"configuration")"));
}

TEST_F(ConfiguredExtensions, GoWhenTheConfigurationNamesThemNoMore) {
    configure({configured(kUrl), configured(R"({"url":"http://other"})")});
    EXPECT_EQ(catalog_.list("default").size(), 2U);
    const Revision before = subscription()->revision;
    configure({configured(kUrl)});
    EXPECT_EQ(catalog_.list("default").size(), 1U);
    EXPECT_EQ(get("/api/v1/extensions/other:80").status, 404);
    EXPECT_EQ(subscription()->revision, before) << "the other one is not touched";
    EXPECT_EQ(add(R"({"url":"http://api"})").status, 201);
    configure({});
    EXPECT_EQ(catalog_.list("default").size(), 1U) << "the API's stays";
}

TEST_F(ConfiguredExtensions, StayWhileTheirSourceCannotBeRead) {
    RegisteredExtension dropped = configured(kUrl);
    dropped.origin = RegisteredExtension::Origin::drop_in;
    configure({dropped, configured(R"({"url":"http://other"})")});
    ASSERT_EQ(catalog_.list("default").size(), 2U);
    const Revision before = subscription()->revision;
    extension_registry_.configure({}, {RegisteredExtension::Origin::drop_in});
    run();
    ASSERT_EQ(index_calls_.size(), 1U) << "it is served as before, after a restart too";
    answer_index(200, kOne);
    ASSERT_NE(subscription(), nullptr);
    EXPECT_EQ(subscription()->revision, before);
    EXPECT_THAT(show(), HasSubstr(R"("origin":"drop-in")"));
    EXPECT_EQ(get("/api/v1/extensions/other:80").status, 404) << "its source was read";
    configure({});
    EXPECT_TRUE(catalog_.list("default").empty()) << "now it is known to be gone";
}

TEST_F(ConfiguredExtensions, TheSecondRunServesWhatTheFirstRegistered) {
    const std::uint64_t number = send(Method::post, "/api/v1/extensions", kUrl);
    fail_index("connection refused");
    EXPECT_EQ(connection_.answer(number).status, 201);
    SecondRun second(*this);
    ASSERT_NE(second.served(), nullptr);
    EXPECT_EQ(second.served()->listeners, nullptr) << "there was no index";
    second.registry.start();
    run();
    EXPECT_THAT(types(), testing::IsEmpty()) << "every type until the index is known";
    answer_index(200, kOne);
    EXPECT_EQ(second.served()->listeners->size(), 1U);
    EXPECT_THAT(types(), testing::ElementsAre("deploy", "test.run"));
}

TEST_F(ConfiguredExtensions, CertificatesThatCannotBeUsedAreToldAndTriedAgain) {
    tls_ = fail(Errc::bad_request, "no certificate can be read from /ca.pem: no such file");
    extension_registry_.configure(
        {configured(R"({"name":"t","url":"https://t","tls":{"ca":"/ca.pem"}})")}
    );
    run();
    EXPECT_TRUE(index_calls_.empty()) << "it would be called with other certificates";
    EXPECT_EQ(served("t"), nullptr);
    EXPECT_THAT(show("t"), HasSubstr("no certificate can be read from /ca.pem"));
    tls_ = nullptr;
    pass(1s);
    ASSERT_EQ(index_calls_.size(), 1U);
    answer_index(200, kOne);
    ASSERT_NE(served("t"), nullptr);
    EXPECT_EQ(served("t")->listeners->size(), 1U);
}

// --- What outlives a run

constexpr const char* kTwo =
    R"({"eventListeners":[{"path":"/e","method":"POST","listenTo":["deploy"]},)"
    R"({"path":"no","method":"POST"},{"path":"/f","method":"PUT","listenTo":["*"]}]})";

TEST_F(ConfiguredExtensions, ListenersEtagAndRefusalsOutliveARun) {
    add(kUrl, kTwo, 200, {{"etag", "raw-1"}});
    served_extensions_.refuse(kKey, served()->listeners, 1, "it answered 410");
    run();
    SecondRun second(*this);
    ASSERT_NE(second.served(), nullptr);
    ASSERT_NE(second.served()->listeners, nullptr) << "known before it is asked for";
    EXPECT_EQ(*second.served()->listeners, *served()->listeners);
    EXPECT_EQ(second.refused(), (std::vector<std::string>{"", "it answered 410"}));
    EXPECT_EQ(second.registry.index(kKey)->index, extension_registry_.index(kKey)->index);
    EXPECT_EQ(second.registry.index(kKey)->index.refusals.size(), 1U);
    second.registry.start();
    run();
    ASSERT_EQ(index_calls_.size(), 1U);
    EXPECT_THAT(index_calls_.front().call.head, HasSubstr("\r\nIf-None-Match: raw-1\r\n"));
    answer_index(200, kTwo, {{"etag", "raw-1"}});
    EXPECT_EQ(second.refused()[1], "it answered 410") << "the index is the same";
    ASSERT_TRUE(second.refresh());
    answer_index(200, kTwo, {{"etag", "raw-2"}});
    EXPECT_EQ(second.refused()[1], "");
    SecondRun third(*this);
    EXPECT_EQ(third.refused()[1], "");
    EXPECT_EQ(third.registry.index(kKey)->etag, "raw-2");
}

TEST_F(ConfiguredExtensions, SinceWhenAListenerGetsEventsOutlivesARun) {
    add(kUrl);
    publish("deploy");
    publish("deploy");
    add(kUrl, kTwo);
    EXPECT_EQ(served()->findings[0].from, Offset{0}) << "it was there before";
    EXPECT_EQ(served()->findings[1].from, Offset{2});
    publish("deploy");
    SecondRun second(*this);
    EXPECT_EQ(second.served()->findings[1].from, Offset{2});
    ASSERT_TRUE(second.refresh());
    answer_index(200, kTwo, {{"etag", "other"}});
    EXPECT_EQ(second.served()->findings[1].from, Offset{2}) << "nothing was added";
}

TEST_F(ConfiguredExtensions, WhatIsConfiguredAsBeforeKeepsItsEtagAndRefusals) {
    configure({configured(kUrl)});
    served_extensions_.refuse(kKey, served()->listeners, 0, "it answered 410");
    run();
    SecondRun second(*this);
    second.registry.configure({configured(kUrl)});
    run();
    answer_index(200, kOne);
    EXPECT_EQ(second.refused()[0], "it answered 410");
    second.registry.configure({configured(R"({"url":"http://ext.example:8080/p","method":"PUT"})")}
    );
    run();
    EXPECT_THAT(index_calls_.front().call.head, testing::StartsWith("PUT /p"));
    answer_index(200, kOne, {{"etag", "other"}});
    EXPECT_EQ(second.refused()[0], "");
}

TEST_F(ConfiguredExtensions, WhatIsKeptGoesWithTheExtension) {
    add(kUrl);
    ASSERT_EQ(kept().size(), 1U);
    EXPECT_EQ(ask(Method::del, "/api/v1/extensions/ext.example:8080").status, 204);
    EXPECT_TRUE(kept().empty());
    // Of a removal that a crash cut off, and of another extension that had the name.
    add(kUrl);
    const KeptIndex left = kept().at(kKey);
    kept_indexes_.put("default/gone", left, [](const Result<void>&) {});
    KeptIndex anothers = left;
    anothers.identity = "http://elsewhere";
    kept_indexes_.put(kKey, anothers, [](const Result<void>&) {});
    SecondRun second(*this);
    EXPECT_EQ(second.served()->listeners, nullptr) << "not the other one's";
    EXPECT_TRUE(kept().empty());
}

TEST_F(ConfiguredExtensions, AnIndexThatIsTooLargeToKeepIsToldAndForgotten) {
    add(kUrl);
    std::string large = R"({"eventListeners":[{"path":"/e","method":"POST","listenTo":[")";
    large += std::string(64UL * 1024, 'x') + "\"]}]}";
    EXPECT_THAT(add(kUrl, large).body, HasSubstr(R"("note":"it takes more than limits.document_)"));
    EXPECT_EQ(served()->listeners->size(), 1U) << "it counts";
    EXPECT_TRUE(kept().empty()) << "nor is the one before it";
    EXPECT_THAT(add(kUrl).body, Not(HasSubstr("\"note\"")));
    EXPECT_EQ(kept().size(), 1U);
}

TEST_F(ConfiguredExtensions, WhatCouldNotBeKeptIsToldAndTriedAgainSoon) {
    add(kUrl);
    served_extensions_.refuse(kKey, served()->listeners, 0, "it answered 410");
    run();
    kv_.device().fail_writes({.code = Errc::disk_full, .detail = "the disk is full"}, 2);
    const std::uint64_t number = send(Method::post, "/api/v1/extensions/ext.example:8080/refresh");
    answer_index(200, kOne, {{"etag", "new"}});
    EXPECT_THAT(connection_.answer(number).body, HasSubstr(R"("error":"the disk is full")"));
    EXPECT_EQ(kept().at(kKey).findings[0].refused, "it answered 410");
    pass(1s);
    answer_index(304, "");
    EXPECT_THAT(show(), HasSubstr("the disk is full"));
    pass(2s);
    answer_index(304, "");
    EXPECT_THAT(show(), Not(HasSubstr("the disk is full")));
    EXPECT_EQ(kept().at(kKey).findings[0].refused, "");
    EXPECT_EQ(kept().at(kKey).etag, "new");
}

TEST_F(ConfiguredExtensions, ManyRefusalsAreWrittenTogether) {
    std::string many = R"({"eventListeners":[)";
    for (int i = 0; i < 100; ++i) {
        many += fmt::format(R"({}{{"path":"/{}","method":"POST"}})", i == 0 ? "" : ",", i);
    }
    add(kUrl, many + "]}");
    kv_.device().hold();
    for (std::size_t i = 0; i < 100; ++i) {
        served_extensions_.refuse(kKey, served()->listeners, i, "it answered 410");
    }
    EXPECT_EQ(kv_.device().held(), 1U);
    kv_.device().release();
    run();
    const KeptIndexes::ByKey written = kept();
    for (const KeptFinding& finding : written.at(kKey).findings) {
        EXPECT_EQ(finding.refused, "it answered 410");
    }
}

TEST_F(ConfiguredExtensions, WhatIsKnownStaysWhileCertificatesCannotBeUsed) {
    add(R"({"name":"t","url":"https://t","tls":{"ca":"/ca.pem"}})");
    served_extensions_.refuse("default/t", served("t")->listeners, 0, "it answered 410");
    run();
    tls_ = fail(Errc::bad_request, "no certificate can be read from /ca.pem: no such file");
    SecondRun second(*this, "default/t");
    EXPECT_EQ(second.served(), nullptr) << "it would be called with other certificates";
    tls_ = nullptr;
    second.registry.start();
    run();
    answer_index(200, kOne);
    EXPECT_EQ(second.refused(), (std::vector<std::string>{"it answered 410"}));
}

}  // namespace
}  // namespace belfry
