// What the log's tests stand on: an EmbeddedLog over the fault-injecting file system, a manual
// clock and executors that one thread runs in a fixed order, and events that say which they are.
#pragma once

#include "base/manual_clock.h"
#include "base/memory_file_system.h"
#include "base/seeded_rng.h"
#include "engine/embedded/embedded_log.h"

#include <memory>
#include <string>
#include <vector>

namespace belfry {

// Text that an event is made of; owns what the event's views point to.
struct EventText {
    std::string data;
    std::string id = {};
    std::string type = "deploy";
    std::string source = "/test";
    std::string subject = {};
    std::string tenant = "default";
    std::string time = {};

    [[nodiscard]] Event event() const {
        Event made;
        made.tenant = tenant;
        made.id = id;
        made.source = source;
        made.type = type;
        made.subject = subject;
        made.time = time;
        made.data = data;
        return made;
    }
};

class LogTestBed {
 public:
    LogTestBed() {
        options.directory = "data";
        options.segment_bytes = 256 * 1024;
        options.reserve_bytes = 0;
    }

    [[nodiscard]] Result<void> open() {
        log.reset();
        auto opened = EmbeddedLog::open(
            options,
            {.files = files,
             .clock = clock,
             .rng = rng,
             .loop = loop,
             .log_thread = log_thread,
             .read_thread = read_thread}
        );
        if (!opened) {
            return std::unexpected(opened.error());
        }
        log = std::move(*opened);
        return {};
    }

    // The process dies; files keep what was written, or with a seed what a power cut leaves.
    void kill() {
        forget_process();
        files.kill();
    }
    void crash(std::uint64_t seed) {
        forget_process();
        files.crash(seed);
    }

    // Runs turns of the loop and the other threads until nothing is left to do.
    void settle() {
        do {
            loop.run_all();
            if (log) {
                log->end_turn();
            }
        } while (log_thread.run_one() || read_thread.run_one() || loop.size() > 0);
    }

    // Starts an append; the answer is there once settled.
    struct Answer {
        bool done = false;
        Result<std::vector<Appended>> result;
    };
    std::shared_ptr<Answer> start_append(const std::vector<EventText>& texts) {
        std::vector<Event> events;
        for (const EventText& text : texts) {
            events.push_back(text.event());
        }
        auto answer = std::make_shared<Answer>();
        log->append(events, [answer](Result<std::span<const Appended>> result) {
            answer->done = true;
            if (result) {
                answer->result = std::vector<Appended>(result->begin(), result->end());
            } else {
                answer->result = std::unexpected(result.error());
            }
        });
        return answer;
    }
    Result<std::vector<Appended>> append(const std::vector<EventText>& texts) {
        auto answer = start_append(texts);
        settle();
        if (!answer->done) {
            return fail(Errc::internal, "append was not answered");
        }
        return answer->result;
    }

    // The idle time passes that makes the log write its watermark.
    void idle() {
        clock.advance(std::chrono::milliseconds(60));
        settle();
    }

    Result<ReadResult> read(Offset from, ReadLimit limit = {}) {
        Result<ReadResult> out = fail(Errc::internal, "read was not answered");
        log->read(from, limit, [&out](Result<ReadResult> result) { out = std::move(result); });
        settle();
        return out;
    }
    // Everything from the start on.
    Result<std::vector<LogEntry>> read_all() {
        std::vector<LogEntry> entries;
        for (Offset at = log->first_offset(); at < log->next_offset();) {
            auto part = read(at);
            if (!part) {
                return std::unexpected(part.error());
            }
            if (part->next <= at) {
                return fail(Errc::internal, "read makes no progress");
            }
            for (LogEntry& entry : part->entries) {
                entries.push_back(std::move(entry));
            }
            at = part->next;
        }
        return entries;
    }
    Result<ListResult> list(ListQuery query) {
        Result<ListResult> out = fail(Errc::internal, "list was not answered");
        log->list(std::move(query), [&out](Result<ListResult> result) { out = std::move(result); });
        settle();
        return out;
    }
    Result<StoredEvent> find(
        std::string id, std::string source = {}, std::string tenant = "default"
    ) {
        Result<StoredEvent> out = fail(Errc::internal, "find was not answered");
        log->find(
            std::move(tenant),
            std::move(id),
            std::move(source),
            [&out](Result<StoredEvent> result) { out = std::move(result); }
        );
        settle();
        return out;
    }
    Result<void> trim(Offset before) {
        Result<void> out = fail(Errc::internal, "trim was not answered");
        log->trim(before, [&out](Result<void> result) { out = std::move(result); });
        settle();
        return out;
    }
    bool stop() {
        bool stopped = false;
        log->stop([&stopped] { stopped = true; });
        settle();
        return stopped;
    }

    [[nodiscard]] std::vector<std::string> files_in_log() { return files.list("data/log").value(); }

    MemoryFileSystem files;
    ManualClock clock;
    ManualExecutor loop;
    ManualExecutor log_thread;
    ManualExecutor read_thread;
    SeededRng rng{1};
    EmbeddedLogOptions options;
    std::unique_ptr<EmbeddedLog> log;

 private:
    void forget_process() {
        loop.clear();
        log_thread.clear();
        read_thread.clear();
        clock.clear();
        log.reset();
    }
};

// The data of an entry, "gap from-to" for a gap.
[[nodiscard]] inline std::string text_of(const LogEntry& entry) {
    if (const auto* gap = std::get_if<Gap>(&entry)) {
        return "gap " + std::to_string(gap->from.value) + "-" + std::to_string(gap->to.value);
    }
    return std::string(std::get<StoredEvent>(entry).event.data.value_or("none"));
}
[[nodiscard]] inline std::vector<std::string> texts_of(const std::vector<LogEntry>& entries) {
    std::vector<std::string> texts;
    for (const LogEntry& entry : entries) {
        texts.push_back(text_of(entry));
    }
    return texts;
}

}  // namespace belfry
