// The latest state of each step an event told of, by its id, so that the events of its targets find
// it. With a path, steps outlive the process: each is appended to that file before remember()
// returns, and the file is replaced by a shorter one when half of it is outdated. What a power cut
// takes is what the kernel had not written yet. Bounded in number, bytes and age (the event that
// ends an experiment may never come); the oldest go first. One process a file. Any thread.
//
// The file is lines: CRC32C of the rest of the line in 8 hex digits, space, time in RFC 3339,
// space, the step as it stands in an event. Lines that are not so are dropped with a warning; a
// file of such lines alone is put aside under another name.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "event/uuid.h"

#include <belfry/eventkit/event.h>

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::eventkit {

class StepCache {
 public:
    struct Options {
        std::string path;               // empty: in memory alone
        std::size_t count_max = 1'000;  // 0: none ever
        std::size_t bytes_max = 0;      // of the steps as JSON; 0: 1 KiB each, and 1 MiB at least
        std::chrono::microseconds age_max = std::chrono::hours{24};
    };

    // Reads the file; creates it and its folder where missing. An error if it can be neither read
    // nor written. `files` must outlive the cache.
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> open(
        FileSystem& files, Options options, WallTime now
    );

    // A step whose id is no UUID, or that is larger than all bounds, is not kept. A disk that fails
    // costs a warning, and what the file lacks then is written with the next step that can be.
    void remember(const StepExecution& step, WallTime now);
    // `id` in any usual spelling of a UUID.
    [[nodiscard]] std::optional<StepExecution> find(std::string_view id, WallTime now) const;
    [[nodiscard]] std::size_t size() const;

 private:
    struct Kept {
        Uuid id;
        WallTime when;
        std::string json;
    };

    StepCache(FileSystem& files, Options options);

    Result<void> load(WallTime now);
    Result<std::string> contents();
    void put_aside();
    bool keep_line(std::string_view line);
    void keep(Kept step);
    void expire(WallTime now);
    void drop_oldest();
    Result<void> append(const Kept& step);
    Result<void> replace_file();

    FileSystem& files_;
    const Options options_;
    mutable std::mutex mutex_;  // all below
    std::list<Kept> steps_;     // oldest first
    std::map<Uuid, std::list<Kept>::iterator> by_id_;
    std::size_t bytes_ = 0;  // of steps_
    std::unique_ptr<File> file_;
    std::size_t file_bytes_ = 0;
    bool whole_ = true;  // the file has all of steps_
};

}  // namespace belfry::eventkit
