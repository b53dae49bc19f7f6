#include "app/child_process.h"

#include "app/own_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string contents_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Program script(std::string text, std::string input = "") {
    return {
        .arguments = {"/bin/sh", "-c", std::move(text)},
        .environment = {{"OUT", own_file("belfry-child-out")}, {"PATH", "/usr/bin:/bin"}},
        .input = std::move(input)
    };
}

std::string ended(const Program& program) {
    auto child = ChildProcess::start(program);
    if (!child) {
        return "not started: " + child.error().detail;
    }
    Loop loop;
    return (*child)->wait(loop);
}

TEST(ChildProcess, SaysHowItEnded) {
    EXPECT_EQ(ended(script("exit 0")), "");
    EXPECT_EQ(ended(script("exit 3")), "ended with 3");
    EXPECT_THAT(ended(script("kill -9 $$")), StartsWith("was killed by signal 9 ("));
    EXPECT_THAT(
        ended({.arguments = {"/no/such/program"}, .environment = {}, .input = {}}),
        HasSubstr("not started: /no/such/program: No such file")
    );
}

TEST(ChildProcess, GetsItsInputAndItsEnvironmentAndNothingElse) {
    const std::string input(1 << 20, 'x');
    ASSERT_EQ(ended(script("{ env | grep -c HOME; cat; } >\"$OUT\"", input)), "");
    EXPECT_EQ(contents_of(own_file("belfry-child-out")), "0\n" + input);
    // Who does not read its input does not hold anybody up.
    EXPECT_EQ(ended(script("exec true", input)), "");
}

TEST(ChildProcess, MakesFilesWithTheMaskOfWhoeverStartedUs) {
    Program program = script("rm -f \"$OUT\"; : >\"$OUT\"");
    for (const auto& [mask, mode] : {std::pair<mode_t, unsigned>{022, 0644}, {077, 0600}}) {
        program.umask = mask;
        ASSERT_EQ(ended(program), "");
        const auto status = std::filesystem::status(own_file("belfry-child-out"));
        EXPECT_EQ(static_cast<unsigned>(status.permissions()), mode);
    }
}

// The pipe stays open while anything of the group lives.
TEST(ChildProcess, ASignalReachesItsWholeGroup) {
    const std::string pipe = own_file("belfry-child-pipe");
    std::filesystem::remove(pipe);
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    Program program = script("exec 3>\"$PIPE\"; sleep 30 & echo ready >&3; wait");
    program.environment.emplace_back("PIPE", pipe);
    auto child = ChildProcess::start(program);
    ASSERT_TRUE(child.has_value());
    std::ifstream reader(pipe);
    std::string line;
    ASSERT_TRUE(std::getline(reader, line));
    ASSERT_EQ(line, "ready");
    Loop loop;
    const MonoTime begin = loop.now();
    (*child)->signal(SIGTERM);
    EXPECT_THAT((*child)->wait(loop), StartsWith("was killed by signal 15 ("));
    EXPECT_EQ(reader.get(), std::ifstream::traits_type::eof());
    EXPECT_LT(loop.now() - begin, std::chrono::seconds(20)) << "the inner one slept to its end";
    std::filesystem::remove(pipe);
}

TEST(ChildProcess, IsKilledIfNobodyWaitsForIt) {
    const std::string out = own_file("belfry-child-out");
    std::filesystem::remove(out);
    const Loop clock;
    const MonoTime begin = clock.now();
    {
        ASSERT_TRUE(ChildProcess::start(script("sleep 30; echo late >\"$OUT\"")).has_value());
    }
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_LT(clock.now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace belfry
