#include "eventkit/step_cache.h"

#include "base/memory_file_system.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>

namespace belfry::eventkit {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr WallTime kNow{1'700'000'000s};
constexpr std::string_view kFile = "/var/lib/extension/steps";

std::string id(int number) {
    return fmt::format("00000000-0000-0000-0000-{:012}", number);
}

StepExecution step(int number, std::string label = "label") {
    return {
        .experiment_key = "A-1",
        .execution_id = 9'007'199'254'740'993,
        .id = id(number),
        .type = StepType::action,
        .state = State::running,
        .action_id = "com.example.stop",
        .custom_label = std::move(label),
        .started_time = kNow,
    };
}

StepCache::Options options() {
    return {.path = std::string(kFile), .count_max = 100, .bytes_max = 1U << 20U, .age_max = 24h};
}

std::unique_ptr<StepCache> opened(
    FileSystem& files, const StepCache::Options& with = options(), WallTime now = kNow
) {
    Result<std::unique_ptr<StepCache>> cache = StepCache::open(files, with, now);
    EXPECT_TRUE(cache) << cache.error().detail;
    return cache ? std::move(*cache) : nullptr;
}

std::string text_of(const MemoryFileSystem& files, std::string_view file = kFile) {
    const std::vector<std::byte> bytes = files.contents(std::string(file));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void set_text(MemoryFileSystem& files, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    files.set_contents(std::string(kFile), {bytes.begin(), bytes.end()});
}

// What a start says on stderr.
std::string warnings_of_start(FileSystem& files) {
    testing::internal::CaptureStderr();
    static_cast<void>(opened(files));
    return testing::internal::GetCapturedStderr();
}

TEST(StepCache, GivesTheLatestStateOfAStep) {
    MemoryFileSystem files;
    const auto cache = opened(files, {.path = ""});
    EXPECT_EQ(cache->find(id(1), kNow), std::nullopt);
    cache->remember(step(1), kNow);
    StepExecution later = step(1, "später \"\n");
    later.state = State::completed;
    cache->remember(later, kNow);
    cache->remember(step(2), kNow);
    EXPECT_EQ(cache->find(id(1), kNow), later);
    EXPECT_EQ(cache->find("{" + id(2) + "}", kNow), step(2)) << "any spelling";
    EXPECT_EQ(cache->size(), 2);
    EXPECT_EQ(cache->find("2", kNow), std::nullopt);
    EXPECT_EQ(files.changes(), 0) << "without a path nothing is written";
}

TEST(StepCache, FindsItsStepsAfterARestart) {
    MemoryFileSystem files;
    opened(files)->remember(step(1, "first"), kNow);
    auto cache = opened(files);
    cache->remember(step(1, "second"), kNow + 1s);
    cache->remember(step(2), kNow + 2s);
    cache.reset();
    files.kill();
    EXPECT_EQ(warnings_of_start(files), "");
    cache = opened(files);
    EXPECT_EQ(cache->find(id(1), kNow), step(1, "second"));
    EXPECT_EQ(cache->find(id(2), kNow), step(2));
    EXPECT_EQ(cache->size(), 2);
}

TEST(StepCache, ASecondStartRewritesNothingButWhatItKeeps) {
    MemoryFileSystem files;
    for (int i = 0; i < 10; ++i) {
        opened(files)->remember(step(1), kNow);
    }
    static_cast<void>(opened(files));
    EXPECT_EQ(std::ranges::count(text_of(files), '\n'), 1);
}

TEST(StepCache, BeginsEmptyWithAWarningWhenTheFileIsNoneOfItsOwn) {
    for (const std::string_view text :
         {"\n",
          "not a step\n",
          "{}",
          "00000000 2026-01-01T00:00:00Z {}\n",
          "00000000",
          "        x\n"}) {
        MemoryFileSystem files;
        static_cast<void>(opened(files));
        set_text(files, text);
        EXPECT_THAT(warnings_of_start(files), HasSubstr("begins empty")) << text;
        EXPECT_EQ(text_of(files), "") << text;
        EXPECT_EQ(text_of(files, "/var/lib/extension/steps.unreadable"), text) << "it is kept";
        EXPECT_EQ(warnings_of_start(files), "") << "once";
    }
    MemoryFileSystem files;
    static_cast<void>(opened(files));
    set_text(files, std::string(20U << 20U, 'x'));
    EXPECT_THAT(warnings_of_start(files), HasSubstr("no file of this program"));
}

TEST(StepCache, DropsTheLineThatWasTornOrChangedAndKeepsTheOthers) {
    MemoryFileSystem files;
    auto cache = opened(files);
    for (int i = 1; i <= 3; ++i) {
        cache->remember(step(i), kNow);
    }
    cache.reset();
    const std::string whole = text_of(files);
    const std::size_t second = whole.find('\n') + 1;

    set_text(files, whole.substr(0, whole.size() - 1));
    EXPECT_THAT(warnings_of_start(files), HasSubstr("lines=1"));
    EXPECT_EQ(opened(files)->size(), 2);

    std::string changed = whole;
    changed.replace(changed.find("com.example", second), 3, "org");
    set_text(files, changed);
    EXPECT_THAT(warnings_of_start(files), HasSubstr("lines=1"));
    cache = opened(files);
    EXPECT_EQ(cache->find(id(1), kNow), step(1));
    EXPECT_EQ(cache->find(id(2), kNow), std::nullopt);
    EXPECT_EQ(cache->find(id(3), kNow), step(3));
}

TEST(StepCache, TheOldestStepGoesWhenThereAreTooMany) {
    MemoryFileSystem files;
    StepCache::Options few = options();
    few.count_max = 3;
    auto cache = opened(files, few);
    for (int i = 1; i <= 4; ++i) {
        cache->remember(step(i), kNow);
    }
    cache->remember(step(2), kNow);
    cache->remember(step(5), kNow);
    const auto again = opened(files, few);
    for (const StepCache* found : {cache.get(), again.get()}) {
        EXPECT_EQ(found->size(), 3);
        EXPECT_EQ(found->find(id(3), kNow), std::nullopt);
        EXPECT_EQ(found->find(id(2), kNow), step(2)) << "the latest state counts";
        EXPECT_EQ(found->find(id(5), kNow), step(5));
    }
}

TEST(StepCache, IsBoundedInBytes) {
    MemoryFileSystem files;
    StepCache::Options small = options();
    small.bytes_max = 10'000;
    const auto cache = opened(files, small);
    for (int i = 1; i <= 20; ++i) {
        cache->remember(step(i, std::string(1'000, 'x')), kNow);
    }
    EXPECT_GE(cache->size(), 5);
    EXPECT_LE(cache->size(), 9);
    EXPECT_TRUE(cache->find(id(20), kNow));
    const std::size_t before = cache->size();
    cache->remember(step(21, std::string(20'000, 'x')), kNow);
    EXPECT_EQ(cache->size(), before) << "one that is too large pushes nothing out";
}

TEST(StepCache, HoldsAsManyStepsAsItIsToldTo) {
    MemoryFileSystem files;
    const auto cache = opened(files, {.path = {}, .count_max = 5'000});
    for (int i = 1; i <= 5'001; ++i) {
        cache->remember(step(i, std::string(500, 'x')), kNow);
    }
    EXPECT_EQ(cache->size(), 5'000U);
    EXPECT_TRUE(cache->find(id(2), kNow));
    const auto few = opened(files, {.path = {}, .count_max = 2});
    few->remember(step(1, std::string(500'000, 'x')), kNow);
    EXPECT_TRUE(few->find(id(1), kNow));
}

TEST(StepCache, OfNoSizeKeepsNothing) {
    MemoryFileSystem files;
    StepCache::Options none = options();
    none.count_max = 0;
    const auto cache = opened(files, none);
    cache->remember(step(1), kNow);
    EXPECT_EQ(cache->size(), 0);
    EXPECT_EQ(text_of(files), "");
}

TEST(StepCache, StepsGoWithAge) {
    MemoryFileSystem files;
    const auto cache = opened(files);
    cache->remember(step(1), kNow);
    cache->remember(step(2), kNow + 1h);
    EXPECT_TRUE(cache->find(id(1), kNow + 24h - 1us));
    EXPECT_FALSE(cache->find(id(1), kNow + 24h));
    cache->remember(step(3), kNow + 24h);
    EXPECT_EQ(cache->size(), 2);
    EXPECT_EQ(opened(files, options(), kNow + 25h)->size(), 1);
}

TEST(StepCache, TheFileStaysShortHoweverOftenStepsChange) {
    MemoryFileSystem files;
    const auto cache = opened(files);
    std::size_t longest = 0;
    for (int i = 0; i < 2'000; ++i) {
        cache->remember(step(i % 5, fmt::format("{}", i)), kNow);
        longest = std::max(longest, text_of(files).size());
    }
    EXPECT_GT(longest, 64U << 10U) << "it is appended to";
    EXPECT_LT(longest, 80U << 10U) << "and replaced";
    EXPECT_EQ(opened(files)->find(id(4), kNow), step(4, "1999"));
}

TEST(StepCache, ADiskThatFailsCostsAWarningAndNoStepOnceItWorksAgain) {
    MemoryFileSystem files;
    const auto cache = opened(files);
    cache->remember(step(1), kNow);
    for (const auto fault :
         {MemoryFileSystem::Fault::no_space, MemoryFileSystem::Fault::torn_error}) {
        files.plan({.call = files.changes() + 1, .fault = fault, .sticky = true});
        testing::internal::CaptureStderr();
        cache->remember(step(2), kNow);
        cache->remember(step(3), kNow);
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_THAT(said, HasSubstr("cannot be written"));
        EXPECT_EQ(std::ranges::count(said, '\n'), 1) << "once, not for each step: " << said;
        EXPECT_TRUE(cache->find(id(3), kNow)) << "in memory";
        files.clear_faults();
        testing::internal::CaptureStderr();
        cache->remember(step(4), kNow);
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("written again"));
        EXPECT_EQ(opened(files)->size(), 4);
    }
}

TEST(StepCache, EveryMomentOfDeathLeavesAFileThatIsRead) {
    for (std::uint64_t calls = 0;; ++calls) {
        MemoryFileSystem files;
        auto cache = opened(files);
        cache->remember(step(1), kNow);
        const std::uint64_t before = files.changes();
        files.die_after(calls);
        testing::internal::CaptureStderr();
        // A start and two steps; each call that changes something may be the last.
        Result<std::unique_ptr<StepCache>> second = StepCache::open(files, options(), kNow);
        if (second) {
            (*second)->remember(step(2), kNow);
        }
        static_cast<void>(testing::internal::GetCapturedStderr());
        const bool died = files.dead();
        files.kill();
        const auto third = opened(files);
        EXPECT_EQ(third->find(id(1), kNow), step(1)) << "death after " << calls;
        if (!died) {
            EXPECT_GE(files.changes() - before, 6);
            EXPECT_TRUE(third->find(id(2), kNow));
            break;
        }
    }
}

TEST(StepCache, APathThatCannotBeUsedIsAnErrorThatNamesIt) {
    MemoryFileSystem files;
    files.plan({.call = 1, .fault = MemoryFileSystem::Fault::io_error, .sticky = true});
    const Result<std::unique_ptr<StepCache>> cache = StepCache::open(files, options(), kNow);
    ASSERT_FALSE(cache);
    EXPECT_THAT(cache.error().detail, HasSubstr("/var/lib/extension"));
}

}  // namespace
}  // namespace belfry::eventkit
