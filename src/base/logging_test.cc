#include "base/logging.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

namespace belfry {
namespace {

// What somebody may put into an event's type, a subject or a URL.
constexpr std::string_view kForged =
    "a\r\n2026-01-01T00:00:00.000Z error forged\n{\"level\":\"error\"}\x1b[2J\x7f\t\"\\"
    "\xe2\x80\xae"  // right to left from here
    "\xe2\x81\xa6"  // isolate
    "\xe2\x80\xa8"  // line separator
    "z";

class LoggingTest : public testing::Test {
 protected:
    ~LoggingTest() override { set_up_logging(LogLevel::info, LogFormat::text); }

    static std::string written(LogFormat format, LogLevel level, LogFields fields) {
        set_up_logging(LogLevel::info, format);
        testing::internal::CaptureStderr();
        log_line(level, "a sentence", fields);
        return testing::internal::GetCapturedStderr();
    }
    // One line, and nothing in it that moves the cursor or the reading direction.
    static void expect_one_harmless_line(const std::string& text) {
        ASSERT_TRUE(text.ends_with('\n'));
        EXPECT_EQ(std::ranges::count(text, '\n'), 1);
        EXPECT_TRUE(std::ranges::none_of(
            std::string_view(text).substr(0, text.size() - 1),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
        ));
        EXPECT_FALSE(text.contains("\xe2\x80")) << text;
        EXPECT_FALSE(text.contains("\xe2\x81")) << text;
    }
};

TEST_F(LoggingTest, JsonIsOneObjectALineAndKeepsTheValues) {
    std::string line =
        written(LogFormat::json, LogLevel::warn, {{"type", kForged}, {"offset", std::uint64_t{7}}});
    expect_one_harmless_line(line);
    boost::json::object object = boost::json::parse(line).as_object();
    EXPECT_EQ(object.at("level").as_string(), "warn");
    EXPECT_EQ(object.at("msg").as_string(), "a sentence");
    EXPECT_EQ(std::string_view(object.at("type").as_string()), kForged);
    EXPECT_EQ(object.at("offset").to_number<std::uint64_t>(), 7U);
    EXPECT_EQ(
        object.at("ts").as_string().size(), std::string_view("2026-01-01T00:00:00.000Z").size()
    );
    EXPECT_EQ(object.size(), 5U);
}

TEST_F(LoggingTest, TextCannotBeForgedByAValue) {
    std::string line =
        written(LogFormat::text, LogLevel::error, {{"type", kForged}, {"plain", "a/b"}});
    expect_one_harmless_line(line);
    EXPECT_TRUE(line.contains(" error a sentence type=\"a\\u000d\\u000a2026")) << line;
    EXPECT_TRUE(line.ends_with("z\" plain=a/b\n")) << line;
}

TEST_F(LoggingTest, AValueThatLooksLikeAnotherFieldIsQuoted) {
    std::string line = written(LogFormat::text, LogLevel::info, {{"subject", "x level=error"}});
    EXPECT_TRUE(line.ends_with("subject=\"x level=error\"\n")) << line;
}

TEST_F(LoggingTest, AnErrorThatRepeatsIsLeftOutAndCountedAsOne) {
    constexpr int kLines = 5000;
    constexpr std::string_view kCount = "lines were left out, more than 10 a second";
    set_up_logging(LogLevel::info, LogFormat::json);
    log_left_out(LeftOutLines::all);
    testing::internal::CaptureStderr();
    for (int i = 0; i < kLines; ++i) {
        log_error("this one repeats", {{"number", i}});
        log_info("this one, too");
    }
    log_left_out(LeftOutLines::all);
    log_left_out(LeftOutLines::all);
    std::istringstream text(testing::internal::GetCapturedStderr());
    std::map<std::string, int> lines;
    int left_out = 0;
    for (std::string line; std::getline(text, line);) {
        const boost::json::object object = boost::json::parse(line).as_object();
        const std::string sentence(object.at("msg").as_string());
        ++lines[sentence];
        if (sentence == kCount) {
            EXPECT_EQ(object.at("sentence").as_string(), "this one repeats");
            EXPECT_EQ(object.at("level").as_string(), "error");
            left_out += object.at("lines").to_number<int>();
        }
    }
    EXPECT_EQ(lines["this one, too"], kLines) << "nobody said that something is wrong";
    EXPECT_GE(lines["this one repeats"], 10);
    EXPECT_LT(lines["this one repeats"], kLines / 2);
    EXPECT_EQ(lines["this one repeats"] + left_out, kLines);
}

TEST_F(LoggingTest, LinesBelowTheLevelAreNotWritten) {
    EXPECT_EQ(written(LogFormat::json, LogLevel::debug, {}), "");
    EXPECT_FALSE(logs(LogLevel::debug));
    EXPECT_TRUE(logs(LogLevel::info));
}

}  // namespace
}  // namespace belfry
