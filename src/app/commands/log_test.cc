// belfry log verify against a log on a real disk.
#include "app/command_line.h"
#include "engine/embedded/log_test_bed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace belfry {
namespace {

using testing::HasSubstr;

class LogCommand : public testing::Test {
 protected:
    LogCommand() {
        std::string pattern = "/tmp/belfry-log-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~LogCommand() override { std::filesystem::remove_all(directory_); }

    // A stopped hub's log of three events; `spoil` may change it before it is put on the disk.
    void make_log(const std::function<void(MemoryFileSystem&)>& spoil = {}) {
        LogTestBed bed;
        ASSERT_TRUE(bed.open());
        ASSERT_TRUE(bed.append({{.data = "one"}, {.data = "two"}}));
        ASSERT_TRUE(bed.append({{.data = "three"}}));
        ASSERT_TRUE(bed.stop());
        if (spoil) {
            spoil(bed.files);
        }
        std::filesystem::create_directories(directory_ + "/log");
        for (const std::string& name : bed.files_in_log()) {
            auto bytes = bed.files.contents("data/log/" + name);
            std::ofstream file(directory_ + "/log/" + name, std::ios::binary);
            file.write(
                reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size())
            );
        }
    }

    ExitCode run(std::vector<std::string> arguments) {
        using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
        Stream out(std::tmpfile(), std::fclose);
        Stream err(std::tmpfile(), std::fclose);
        arguments.insert(arguments.begin(), {"log", "verify", "--data", directory_});
        ExitCode code = run_command_line(
            {.arguments = std::move(arguments),
             .environment = {},
             .out = out.get(),
             .err = err.get()}
        );
        out_ = contents(out.get());
        err_ = contents(err.get());
        return code;
    }
    static std::string contents(std::FILE* file) {
        std::fflush(file);
        (void)std::fseek(file, 0, SEEK_SET);
        std::string text(1 << 16, '\0');
        text.resize(std::fread(text.data(), 1, text.size(), file));
        return text;
    }

    std::string directory_;
    std::string out_;
    std::string err_;
};

TEST_F(LogCommand, ASoundLogIsZeroAndCounted) {
    make_log();
    EXPECT_EQ(run({}), ExitCode::ok);
    EXPECT_THAT(out_, HasSubstr("events    3, events 0 to 2"));
    EXPECT_THAT(err_, HasSubstr("intact"));
}

TEST_F(LogCommand, ADamagedLogIsFiveAndSaysWhere) {
    make_log([](MemoryFileSystem& files) {
        files.flip("data/log/00000000000000000000.segment", 8192 + 60, 1);
    });
    EXPECT_EQ(run({}), ExitCode::invalid);
    EXPECT_THAT(out_, HasSubstr("00000000000000000000.segment at byte 8224"));
    EXPECT_THAT(out_, HasSubstr("missing   event 0"));
    EXPECT_THAT(err_, HasSubstr("1 events are missing"));
}

TEST_F(LogCommand, JsonIsOneLineWithEveryCount) {
    make_log([](MemoryFileSystem& files) {
        files.flip("data/log/00000000000000000000.segment", 8192 + 60, 1);
    });
    EXPECT_EQ(run({"--json"}), ExitCode::invalid);
    EXPECT_EQ(
        out_,
        R"({"intact":false,"first_offset":0,"next_offset":3,"segments":1,"batches":2,)"
        R"("watermarks":1,"events":2,"bytes":262144,"missing_events":1,)"
        R"("gaps":[{"from":0,"to":1,"accepted":false}],"damaged_places":1,)"
        R"("damage":[{"file":"00000000000000000000.segment","position":8224,"bytes":64,)"
        R"("what":"the record of event 0"}],"tail":{"kind":"none"}})"
        "\n"
    );
}

TEST_F(LogCommand, ADirectoryWithoutALogIsThree) {
    EXPECT_EQ(run({}), ExitCode::not_found);
    EXPECT_THAT(err_, HasSubstr("there is no log in"));
}

TEST_F(LogCommand, ADirectoryThatAHubUsesIsRefused) {
    make_log();
    auto lock = posix_file_system().lock(directory_ + "/lock");
    ASSERT_TRUE(lock);
    EXPECT_EQ(run({}), ExitCode::failure);
    EXPECT_THAT(err_, HasSubstr("stop it"));
}

}  // namespace
}  // namespace belfry
