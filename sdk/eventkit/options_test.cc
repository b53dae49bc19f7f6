#include "eventkit/options_check.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace belfry::eventkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Variables of a test, gone with it.
class Environment {
 public:
    Environment(std::initializer_list<std::pair<std::string, std::string>> variables) {
        for (const auto& [name, value] : variables) {
            names_.push_back("STEADYBIT_" + name);
            ::setenv(names_.back().c_str(), value.c_str(), 1);
        }
    }
    ~Environment() {
        for (const std::string& name : names_) {
            ::unsetenv(name.c_str());
        }
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

 private:
    std::vector<std::string> names_;
};

std::string refusal(std::initializer_list<std::pair<std::string, std::string>> variables) {
    const Environment environment(variables);
    const auto options = Options::from_environment();
    return options ? "" : options.error();
}

TEST(Options, OfAnEmptyEnvironmentAreThoseOfTheProgram) {
    const Environment environment{{"EXTENSION_PORT", ""}, {"LOG_LEVEL", ""}};
    Options mine;
    mine.port = 8085;
    mine.log_level = LogLevel::warn;
    const auto options = Options::from_environment(mine);
    ASSERT_TRUE(options.has_value()) << options.error();
    EXPECT_EQ(options->port, 8085);
    EXPECT_EQ(options->log_level, LogLevel::warn);
    EXPECT_EQ(options->host, "::");
}

TEST(Options, AreReadFromTheVariablesOfExtensionKit) {
    const Environment environment{
        {"EXTENSION_PORT", "9000"},
        {"EXTENSION_HEALTH_PORT", "9001"},
        {"EXTENSION_UNIX_SOCKET", "/run/a.sock"},
        {"EXTENSION_TLS_SERVER_CERT", "/c.pem"},
        {"EXTENSION_TLS_SERVER_KEY", "/k.pem"},
        {"EXTENSION_TLS_CLIENT_CAS", "/a.pem,/dir,"},
        {"LOG_LEVEL", "WARN"},
        {"LOG_FORMAT", "json"}
    };
    const auto options = Options::from_environment();
    ASSERT_TRUE(options.has_value()) << options.error();
    EXPECT_EQ(options->port, 9000);
    EXPECT_EQ(options->health_port, 9001);
    EXPECT_EQ(options->unix_socket, "/run/a.sock");
    EXPECT_EQ(options->tls_certificate, "/c.pem");
    EXPECT_EQ(options->tls_key, "/k.pem");
    EXPECT_THAT(options->tls_client_cas, ElementsAre("/a.pem", "/dir"));
    EXPECT_EQ(options->log_level, LogLevel::warn);
    EXPECT_EQ(options->log_format, LogFormat::json);
}

TEST(Options, AreReadFromVariablesOfTheirOwn) {
    const Environment environment{
        {"EXTENSION_HOST", "127.0.0.1"},
        {"EXTENSION_BODY_BYTES", "1000"},
        {"EXTENSION_SCHEMA_STATUS", "400"},
        {"EXTENSION_WORKERS", "2"},
        {"EXTENSION_QUEUE_EVENTS", "3"},
        {"EXTENSION_ASYNCHRONOUS", "true"},
        {"EXTENSION_DRAIN_TIME", "500ms"},
        {"EXTENSION_DEDUP_EVENTS", "0"},
        {"EXTENSION_DEDUP_WINDOW", "1h"},
        {"EXTENSION_STEP_CACHE_STEPS", "7"},
        {"EXTENSION_STEP_CACHE_FILE", "/var/lib/steps"}
    };
    const auto options = Options::from_environment();
    ASSERT_TRUE(options.has_value()) << options.error();
    EXPECT_EQ(options->host, "127.0.0.1");
    EXPECT_EQ(options->body_bytes, 1000U);
    EXPECT_EQ(options->schema_status, 400);
    EXPECT_EQ(options->workers, 2U);
    EXPECT_EQ(options->queue_events, 3U);
    EXPECT_TRUE(options->asynchronous);
    EXPECT_EQ(options->drain_time, std::chrono::milliseconds(500));
    EXPECT_EQ(options->dedup_events, 0U);
    EXPECT_EQ(options->dedup_window, std::chrono::hours(1));
    EXPECT_EQ(options->step_cache_steps, 7U);
    EXPECT_EQ(options->step_cache_file, "/var/lib/steps");
}

TEST(Options, ThatCannotBeReadNameTheVariableAndWhatWouldBeRight) {
    EXPECT_EQ(
        refusal({{"EXTENSION_PORT", "65536"}}),
        "STEADYBIT_EXTENSION_PORT is \"65536\"; a whole number from 0 to 65535 is expected"
    );
    EXPECT_THAT(refusal({{"EXTENSION_WORKERS", "0"}}), HasSubstr("WORKERS is \"0\""));
    EXPECT_THAT(refusal({{"EXTENSION_QUEUE_EVENTS", "1x"}}), HasSubstr("QUEUE_EVENTS"));
    EXPECT_THAT(refusal({{"EXTENSION_ASYNCHRONOUS", "1"}}), HasSubstr("true or false"));
    EXPECT_THAT(refusal({{"EXTENSION_DRAIN_TIME", "5"}}), HasSubstr("a duration such as"));
    EXPECT_THAT(refusal({{"EXTENSION_SCHEMA_STATUS", "404"}}), HasSubstr("400 or 500"));
    EXPECT_THAT(refusal({{"EXTENSION_HOST", "localhost"}}), HasSubstr("an address such as"));
    EXPECT_THAT(refusal({{"EXTENSION_TLS_CLIENT_CAS", ","}}), HasSubstr("with commas"));
    EXPECT_THAT(refusal({{"LOG_LEVEL", "loud"}}), HasSubstr("STEADYBIT_LOG_LEVEL is \"loud\""));
    EXPECT_THAT(refusal({{"LOG_FORMAT", "xml"}}), HasSubstr("text or json"));
}

TEST(Options, OfTlsAreWholeOrRefused) {
    EXPECT_THAT(
        refusal({{"EXTENSION_TLS_SERVER_CERT", "/c.pem"}}),
        HasSubstr("STEADYBIT_EXTENSION_TLS_SERVER_KEY is not")
    );
    EXPECT_THAT(
        refusal({{"EXTENSION_TLS_SERVER_KEY", "/k.pem"}}),
        HasSubstr("STEADYBIT_EXTENSION_TLS_SERVER_CERT is not")
    );
    EXPECT_THAT(
        refusal({{"EXTENSION_TLS_CLIENT_CAS", "/a.pem"}}),
        HasSubstr("STEADYBIT_EXTENSION_TLS_SERVER_CERT is not")
    );
}

TEST(Options, SetByHandAreHeldAgainstTheSameRules) {
    EXPECT_EQ(problem_of({}), "");
    EXPECT_THAT(problem_of({.host = "here"}), HasSubstr("STEADYBIT_EXTENSION_HOST"));
    EXPECT_THAT(problem_of({.schema_status = 200}), HasSubstr("400 or 500"));
    EXPECT_THAT(problem_of({.workers = 0}), HasSubstr("at least one worker"));
    EXPECT_EQ(problem_of({.host = "here", .unix_socket = "/run/a.sock"}), "");
}

}  // namespace
}  // namespace belfry::eventkit
