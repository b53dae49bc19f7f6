// How far a watch has handed events over, in a file that outlives it: one line of JSON,
// {"format":1,"name":"deploy","index":18,"id":"<UUID>"}, index and id of the last event whose
// command ended with 0. While the object lives, no other watch can open the same file (a lock on
// FILE.lock). save() replaces the file as a whole, synced: a crash leaves the old line or the new.
#pragma once

#include "app/event_list.h"
#include "base/file_system.h"

#include <memory>
#include <optional>
#include <string>

namespace belfry {

class WatchState {
 public:
    // Creates the directory. conflict: another watch holds it; bad_request: the file is damaged, or
    // of a watch of other events.
    static Result<WatchState> open(FileSystem& files, std::string path, std::string event_name);

    [[nodiscard]] const std::optional<EventMark>& mark() const { return mark_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] Result<void> save(const EventMark& mark);

 private:
    WatchState(FileSystem& files, std::string path, std::string event_name)
        : files_(&files), path_(std::move(path)), event_name_(std::move(event_name)) {}
    [[nodiscard]] Result<void> read();

    FileSystem* files_;
    std::string path_;
    std::string event_name_;
    std::string directory_;
    std::unique_ptr<FileLock> lock_;
    std::optional<EventMark> mark_;
};

}  // namespace belfry
