// GET /api/v1/events/stream: server-sent events to any number of readers. Readers with the same
// filter form a group; a commit is read once, formatted once per group, and the same bytes go to
// all its readers. A reader that is behind, because it asked for old events or its client is slow,
// reads the log for itself, as fast as its client takes it, until it has caught up; it never slows
// the others. Owned by the native door's routes. I/O thread only.
#pragma once

#include "doors/native/native_door.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace belfry {

class EventStreams {
 public:
    static constexpr Duration kPositionEvery = std::chrono::seconds(15);

    explicit EventStreams(const NativeDoorPorts& ports);
    ~EventStreams();
    EventStreams(const EventStreams&) = delete;
    EventStreams& operator=(const EventStreams&) = delete;

    void open(RequestContext& context);
    [[nodiscard]] std::size_t readers() const { return readers_.size(); }

 private:
    struct Group;
    struct Reader;
    class Walk;
    using Step = void (EventStreams::*)(Reader&);
    // tenant, type pattern, source, subject; empty texts are no condition. Last, by whose leave.
    using Filter = std::
        tuple<std::string, std::string, std::string, std::string, std::shared_ptr<const Grant>>;

    [[nodiscard]] Result<std::unique_ptr<Reader>> make_reader(const RequestContext& context);

    // The live side: all readers of a group stand at the same offset.
    void committed(Offset first, Offset next);
    void advance(Group& group, Offset next);
    [[nodiscard]] const ReadResult* read_tail(Offset from);
    void write_live(Group& group, Offset before);
    void join(Reader& reader);
    void leave(Reader& reader);

    // The side that catches up: a reader reads, or waits for its client, never both.
    void read_on(Reader& reader);
    void take(Reader& reader, Result<ReadResult> read);
    void send_pending(Reader& reader);

    void tick();
    void check_grants();
    void show_position(Reader& reader);
    [[nodiscard]] Task later(const Reader& reader, Step step);
    void end(Reader& reader);
    void doom(Reader& reader);
    void drop_doomed();

    // Constant after construction.
    Hub& hub_;
    Clock& clock_;
    const Limits& limits_;
    std::uint64_t hub_reader_ = 0;
    std::shared_ptr<EventStreams*>
        self_;  // whoever calls back later asks this whether we still are
    // I/O thread.
    std::unordered_map<std::uint64_t, std::unique_ptr<Reader>> readers_;
    std::map<Filter, std::unique_ptr<Group>> groups_;
    std::uint64_t last_number_ = 0;
    std::size_t live_ = 0;
    int walks_ = 0;  // while above 0, readers are being walked over: none may be erased
    std::vector<std::uint64_t> doomed_;  // to be erased when the walk is over
    TimerId tick_;
    TimerId grant_check_;
    StreamPiece for_all_;  // of a group; reused, as the next one
    StreamPiece for_one_;
    std::optional<ReadResult> tail_;  // of this walk
    Offset tail_from_;
};

}  // namespace belfry
