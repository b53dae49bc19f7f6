#include "doors/native/stream.h"

#include "base/assert.h"
#include "base/logging.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/sse.h"
#include "doors/native/translate.h"

#include <algorithm>
#include <variant>

namespace belfry {

namespace {

constexpr std::size_t kNotLive = ~std::size_t{0};
// Ticks without a byte taken by the client before a reader is given up: a minute.
constexpr int kStalledTicksMax = 4;
// One read of a reader that catches up: small, so that many of them share the thread.
constexpr ReadLimit kCatchUpRead{.events = 256, .bytes = 64 * 1024};
constexpr std::string_view kOpening = "retry: 2000\n";  // how soon a client reconnects, in ms

// Where a reader begins: behind Last-Event-ID, else behind `after`, else now.
Result<Offset> starting_offset(const RequestContext& context, Offset next) {
    std::string_view name = "Last-Event-ID";
    std::optional<std::string_view> text = context.request.header(name);
    if (!text || text->empty()) {
        name = "after";
        text = context.query.get(name);
    }
    if (!text) {
        return next;
    }
    Result<std::uint64_t> after = parse_number(*text, name);
    if (!after) {
        return std::unexpected(std::move(after).error());
    }
    if (*after >= next.value) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = "the log ends before this offset; it belongs to another hub",
            .field = std::string(name)
        });
    }
    return Offset{*after}.next();
}

}  // namespace

struct EventStreams::Group {
    Filter key;
    std::optional<TypePattern> type;
    std::size_t members = 0;
    // Of the live readers: everything below `position` was examined for all of them.
    Offset position;
    std::vector<Reader*> live;

    [[nodiscard]] bool matches(const Event& event) const {
        const auto& [tenant, type_text, source, subject, grant] = key;
        return event.tenant == tenant && (!type || type->matches(event.type)) &&
               (source.empty() || event.source == source) &&
               (subject.empty() || event.subject == subject) &&
               grant->allows(Resource::event, Verb::read, event.type);
    }
    void append(const std::vector<LogEntry>& entries, std::string& out) const {
        for (const LogEntry& entry : entries) {
            if (const auto* gap = std::get_if<Gap>(&entry)) {
                append_sse_gap(gap->from, gap->to, MissingBy::damage, out);
            } else if (const auto& stored = std::get<StoredEvent>(entry); matches(stored.event)) {
                append_sse_event(stored, out);
            }
        }
    }
};

struct EventStreams::Reader {
    std::uint64_t number = 0;
    Group* group = nullptr;
    Exchange exchange;
    std::size_t live_index = kNotLive;
    bool doomed = false;
    // While it catches up.
    Offset position;      // everything below was examined
    std::string pending;  // formatted, not yet written
    std::size_t written = 0;
    // At the last tick.
    std::size_t unsent = 0;
    int stalled_ticks = 0;
};

// Scope in which readers may be found gone but stay where they are.
class EventStreams::Walk {
 public:
    explicit Walk(EventStreams& streams) : streams_(streams) { ++streams_.walks_; }
    ~Walk() {
        if (--streams_.walks_ == 0) {
            streams_.tail_.reset();
            streams_.drop_doomed();
        }
    }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

 private:
    EventStreams& streams_;
};

EventStreams::EventStreams(const NativeDoorPorts& ports)
    : hub_(ports.hub),
      clock_(ports.clock),
      limits_(ports.limits),
      self_(std::make_shared<EventStreams*>(this)) {
    hub_reader_ = hub_.add_reader([this](Offset first, Offset next) { committed(first, next); });
}

EventStreams::~EventStreams() {
    hub_.remove_reader(hub_reader_);
    clock_.cancel(tick_);
    clock_.cancel(grant_check_);
}

Result<std::unique_ptr<EventStreams::Reader>> EventStreams::make_reader(
    const RequestContext& context
) {
    Result<Offset> start = starting_offset(context, hub_.log().next_offset());
    if (!start) {
        return std::unexpected(std::move(start).error());
    }
    std::string_view type_text = context.query.get("type").value_or("");
    std::optional<TypePattern> type;
    if (!type_text.empty()) {
        Result<TypePattern> pattern = parse_type_pattern(type_text);
        if (!pattern) {
            pattern.error().field = "type";
            return std::unexpected(std::move(pattern).error());
        }
        type = std::move(*pattern);
    }
    Filter key{
        context.caller.tenant,
        type_text,
        context.query.get("source").value_or(""),
        context.query.get("subject").value_or(""),
        context.caller.grant
    };
    std::unique_ptr<Group>& group = groups_[key];
    if (!group) {
        group = std::make_unique<Group>();
        group->key = std::move(key);
        group->type = std::move(type);
    }
    ++group->members;
    auto reader = std::make_unique<Reader>();
    reader->number = ++last_number_;
    reader->group = group.get();
    reader->position = *start;
    return reader;
}

void EventStreams::open(RequestContext& context) {
    static const std::string kHeaders = std::string(kApiHeaders) + "X-Accel-Buffering: no\r\n";
    HttpResponse head{.content_type = "text/event-stream", .headers = kHeaders};
    if (context.request.method == Method::head) {
        context.exchange.begin_stream(head);
        return context.exchange.end_stream();
    }
    Result<std::unique_ptr<Reader>> made = make_reader(context);
    if (!made) {
        return answer_error(context.exchange, made.error());
    }
    Walk walk(*this);
    Reader& reader = **made;
    readers_.emplace(reader.number, std::move(*made));
    reader.exchange = std::move(context.exchange);
    reader.exchange.on_gone(later(reader, &EventStreams::doom));
    reader.exchange.begin_stream(head);
    reader.pending = kOpening;
    append_sse_position(reader.position, reader.pending);
    send_pending(reader);
    if (tick_ == TimerId{}) {
        tick_ = clock_.call_after(kPositionEvery, [this] { tick(); });
    }
    if (grant_check_ == TimerId{}) {
        grant_check_ = clock_.call_after(kGrantCheckEvery, [this] { check_grants(); });
    }
}

void EventStreams::committed(Offset, Offset next) {
    if (live_ == 0) {
        return;
    }
    Walk walk(*this);
    for (auto& [key, group] : groups_) {
        advance(*group, next);
    }
}

// Brings the live readers of a group to `next`. What is just durable is in the tail; if it is not
// any more, they read the log for themselves.
void EventStreams::advance(Group& group, Offset next) {
    while (!group.live.empty() && group.position < next) {
        Offset before = group.position;
        const ReadResult* tail = read_tail(before);
        if (tail == nullptr) {
            while (!group.live.empty()) {
                Reader& reader = *group.live.back();
                leave(reader);
                clock_.call_after(Duration::zero(), later(reader, &EventStreams::read_on));
            }
            return;
        }
        group.append(tail->entries, for_all_.begin());
        for_all_.frame();
        group.position = tail->next;
        if (!for_all_.text().empty()) {
            write_live(group, before);
        }
    }
}

// What follows `from` in the log's memory; nullptr if that does not hold it. Groups stand at the
// same offset as a rule, so a commit is decoded once, however many groups there are.
const ReadResult* EventStreams::read_tail(Offset from) {
    if (!tail_ || tail_from_ != from) {
        tail_ = hub_.log().read_tail(from, ReadLimit{});
        tail_from_ = from;
    }
    return tail_ && tail_->next > from ? &*tail_ : nullptr;
}

// The same bytes to all. From the back, because a reader that cannot take them leaves, and the last
// takes its place.
void EventStreams::write_live(Group& group, Offset before) {
    for (std::size_t i = group.live.size(); i-- > 0;) {
        Reader& reader = *group.live[i];
        if (reader.doomed) {
            continue;
        }
        if (reader.exchange.unsent() + for_all_.chunk().size() >= limits_.stream_buffer_bytes) {
            leave(reader);
            reader.position = before;
            send_pending(reader);
        } else if (!reader.exchange.write(for_all_)) {
            doom(reader);
        }
    }
}

void EventStreams::join(Reader& reader) {
    Group& group = *reader.group;
    // Between a commit and its announcement the group may still be behind.
    advance(group, reader.position);
    if (group.live.empty()) {
        group.position = reader.position;
    }
    ASSERT(group.position == reader.position && reader.live_index == kNotLive);
    reader.live_index = group.live.size();
    group.live.push_back(&reader);
    ++live_;
}

void EventStreams::leave(Reader& reader) {
    Group& group = *reader.group;
    reader.position = group.position;
    group.live.back()->live_index = reader.live_index;
    group.live[reader.live_index] = group.live.back();
    group.live.pop_back();
    reader.live_index = kNotLive;
    --live_;
}

void EventStreams::read_on(Reader& reader) {
    if (reader.position == hub_.log().next_offset()) {
        return join(reader);
    }
    hub_.log().read(
        reader.position,
        kCatchUpRead,
        [self = std::weak_ptr(self_), number = reader.number](Result<ReadResult> read) {
            std::shared_ptr<EventStreams*> streams = self.lock();
            if (!streams) {
                return;
            }
            Walk walk(**streams);
            auto found = (*streams)->readers_.find(number);
            if (found != (*streams)->readers_.end() && !found->second->doomed) {
                (*streams)->take(*found->second, std::move(read));
            }
        }
    );
}

void EventStreams::take(Reader& reader, Result<ReadResult> read) {
    Offset before = reader.position;
    if (read) {
        reader.group->append(read->entries, reader.pending);
        reader.position = read->next;
    } else if (read.error().code == Errc::offset_expired) {
        Offset first{read.error().first_offset.value_or(hub_.log().first_offset().value)};
        if (first > before) {
            append_sse_gap(before, first, MissingBy::retention, reader.pending);
        }
        reader.position = first;
    }
    if (reader.position <= before) {
        log_warn(
            "A stream reader was closed because the log could not be read",
            {{"offset", before.value}, {"detail", read ? "nothing was read" : read.error().detail}}
        );
        return doom(reader);
    }
    send_pending(reader);
}

// Writes as much as the client takes, waits for it, and reads on when all is written. A reader
// never holds more than one read, however slow its client is.
void EventStreams::send_pending(Reader& reader) {
    while (reader.written < reader.pending.size() && reader.exchange.unsent() == 0) {
        std::string_view rest = std::string_view(reader.pending).substr(reader.written);
        std::string_view piece = rest.substr(0, limits_.stream_buffer_bytes / 2);
        for_one_.begin() += piece;
        for_one_.frame();
        if (!reader.exchange.write(for_one_)) {
            return doom(reader);
        }
        reader.written += piece.size();
        reader.stalled_ticks = 0;
    }
    if (reader.exchange.unsent() > 0) {
        return reader.exchange.on_drained(later(reader, &EventStreams::send_pending));
    }
    reader.pending.clear();
    reader.written = 0;
    if (reader.position == hub_.log().next_offset()) {
        return join(reader);
    }
    // A turn of the loop for the others before the next read.
    clock_.call_after(Duration::zero(), later(reader, &EventStreams::read_on));
}

void EventStreams::tick() {
    tick_ = {};
    Walk walk(*this);
    for (auto& [number, reader] : readers_) {
        std::size_t unsent = reader->exchange.unsent();
        bool stalled = unsent > 0 && unsent >= reader->unsent;
        reader->unsent = unsent;
        reader->stalled_ticks = stalled ? reader->stalled_ticks + 1 : 0;
        if (reader->stalled_ticks >= kStalledTicksMax) {
            doom(*reader);
        } else if (unsent == 0 && reader->pending.empty() && !reader->doomed) {
            show_position(*reader);
        }
    }
    if (!readers_.empty()) {
        tick_ = clock_.call_after(kPositionEvery, [this] { tick(); });
    }
}

// Ends the streams of whoever lost the right to read. What he lost is kept from him at once; this
// is about the open connection.
void EventStreams::check_grants() {
    grant_check_ = {};
    Walk walk(*this);
    for (auto& [number, reader] : readers_) {
        const std::shared_ptr<const Grant>& grant = std::get<4>(reader->group->key);
        if (!grant->valid() || !grant->allows(Resource::event, Verb::read, {})) {
            end(*reader);
        }
    }
    if (!readers_.empty()) {
        grant_check_ = clock_.call_after(kGrantCheckEvery, [this] { check_grants(); });
    }
}

void EventStreams::show_position(Reader& reader) {
    append_sse_position(
        reader.live_index == kNotLive ? reader.position : reader.group->position, for_one_.begin()
    );
    for_one_.frame();
    if (!reader.exchange.write(for_one_)) {
        doom(reader);
    }
}

Task EventStreams::later(const Reader& reader, Step step) {
    return [self = std::weak_ptr(self_), number = reader.number, step] {
        std::shared_ptr<EventStreams*> streams = self.lock();
        if (!streams) {
            return;
        }
        Walk walk(**streams);
        auto found = (*streams)->readers_.find(number);
        if (found != (*streams)->readers_.end() && !found->second->doomed) {
            ((*streams)->*step)(*found->second);
        }
    };
}

// In order, unless the reader is in the middle of an event: then it sees that it was cut.
void EventStreams::end(Reader& reader) {
    if (!reader.doomed && reader.written == reader.pending.size()) {
        reader.exchange.end_stream();
    }
    doom(reader);
}

void EventStreams::doom(Reader& reader) {
    ASSERT(walks_ > 0);
    if (!reader.doomed) {
        reader.doomed = true;
        doomed_.push_back(reader.number);
    }
}

void EventStreams::drop_doomed() {
    for (std::uint64_t number : std::exchange(doomed_, {})) {
        auto node = readers_.extract(number);
        Reader& reader = *node.mapped();
        if (reader.live_index != kNotLive) {
            leave(reader);
        }
        if (--reader.group->members == 0) {
            groups_.erase(Filter(reader.group->key));
        }
    }
}

}  // namespace belfry
