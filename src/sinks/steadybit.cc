#include "sinks/steadybit.h"

#include "event/steadybit_made_body.h"
#include "sinks/steadybit_outcome.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace belfry {

namespace {

using Restrict = SteadybitListener::Restrict;
using std::chrono::seconds;

// Events that are remembered as settled in part. A subscription has one under way.
constexpr std::size_t kRemembered = 64;
// Between attempts while the extension or the leader is not known.
constexpr std::uint32_t kLongestWait = 10;
constexpr std::size_t kErrorBytes = 2048;
// Shown to whoever may read extensions, and logged: nothing of the answer, which may repeat the
// event.
constexpr std::string_view kGone = "it answered 410 Gone";

// Who has settled, of events that others have not.
class Memory {
 public:
    [[nodiscard]] const std::vector<std::string>& settled(const StoredEvent& event) const {
        static const std::vector<std::string> kNone;
        const auto found = events_.find(key(event));
        return found == events_.end() ? kNone : found->second;
    }
    // What the subscription gave up on is never forgotten, but the oldest go.
    void remember(const StoredEvent& event, std::vector<std::string> settled) {
        events_[key(event)] = std::move(settled);
        if (events_.size() > kRemembered) {
            events_.erase(events_.begin());
        }
    }
    void forget(const StoredEvent& event) { events_.erase(key(event)); }

 private:
    using Key = std::pair<Offset, std::uint64_t>;
    static Key key(const StoredEvent& event) { return {event.offset, event.uuid_low}; }

    std::map<Key, std::vector<std::string>> events_;
};

// What all attempts of one sink share.
struct Shared {
    const SteadybitPorts ports;
    const SteadybitExtensions::Key key;
    Memory memory;
};

// What a listener is known by from one attempt to the next, in which the index may have changed.
std::string label(const std::vector<SteadybitListener>& listeners, std::size_t index) {
    const SteadybitListener& listener = listeners[index];
    std::size_t before = 0;  // those that differ in nothing but the names they listen to
    for (std::size_t i = 0; i < index; ++i) {
        before += listeners[i].path == listener.path && listeners[i].method == listener.method;
    }
    std::string text = listener.method + " " + listener.path;
    return before == 0 ? text : text + " #" + std::to_string(before + 1);
}

// Which of two outcomes of different listeners is the attempt's.
int weight(Outcome::Kind kind) {
    switch (kind) {
        case Outcome::Kind::failed:
            return 4;
        case Outcome::Kind::unclear:
            return 3;
        case Outcome::Kind::wait:
            return 2;
        case Outcome::Kind::rejected:
            return 1;
        case Outcome::Kind::settled:
        case Outcome::Kind::gone:
            break;
    }
    return 0;
}

class SteadybitAttempt : public std::enable_shared_from_this<SteadybitAttempt> {
 public:
    SteadybitAttempt(std::shared_ptr<Shared> shared, Attempt attempt, AttemptDone done)
        : shared_(std::move(shared)),
          ports_(shared_->ports),
          attempt_(std::move(attempt)),
          done_(std::move(done)),
          deadline_(ports_.clock.now() + attempt_.timeout) {}

    void run();

 private:
    [[nodiscard]] const SteadybitExtension* extension() const {
        return ports_.extensions.find(shared_->key);
    }
    void choose(const SteadybitExtension& extension);
    [[nodiscard]] std::optional<bool> is_ours(const SteadybitListener& listener);
    void call_more();
    void call(std::size_t index);
    void judge(std::size_t index, SteadybitAnswer answer);
    void add(std::size_t index, Outcome outcome);
    void finish();
    void remember();
    void wait(std::string why);
    void pass_over();
    // Its listeners are those of a replay's dead letter, or all, and nothing was settled before.
    [[nodiscard]] bool is_replay() const { return !attempt_.replay.empty(); }

    const std::shared_ptr<Shared> shared_;
    const SteadybitPorts& ports_;
    const Attempt attempt_;
    AttemptDone done_;
    const MonoTime deadline_;
    std::shared_ptr<const SteadybitTarget> target_;
    SteadybitCallBody body_;
    SteadybitListeners listeners_;
    std::vector<std::size_t> chosen_;
    std::size_t next_ = 0;  // of chosen_
    std::size_t under_way_ = 0;
    bool calling_ = false;
    std::vector<std::size_t> settled_;
    bool is_answered_ = false;  // by one of them, whatever the answer
    Outcome outcome_{.kind = Outcome::Kind::settled};
};

void SteadybitAttempt::wait(std::string why) {
    outcome_.kind = Outcome::Kind::wait;
    outcome_.error = std::move(why);
    finish();
}

void SteadybitAttempt::run() {
    const SteadybitExtension* found = extension();
    if (found == nullptr) {
        wait("the extension is not registered");
        return;
    }
    if (found->listeners == nullptr) {
        wait("the extension's index has not been read yet");
        return;
    }
    choose(*found);
    if (chosen_.empty()) {
        if (is_replay() && outcome_.kind == Outcome::Kind::settled) {
            // Nobody has it, so it stays a dead letter.
            const std::string which = attempt_.listener.empty() ? "" : " " + attempt_.listener;
            wait("the extension has no listener" + which + " for this event now");
            return;
        }
        finish();
        return;
    }
    std::optional<SteadybitCallBody> body = steadybit_call_body(attempt_.event);
    if (!body) {
        pass_over();
        return;
    }
    // Those that are not called within one attempt are the first of the next.
    if (chosen_.size() > kSteadybitCallsAtOnce) {
        const std::size_t passed = (attempt_.number - 1) * kSteadybitCallsAtOnce % chosen_.size();
        std::ranges::rotate(chosen_, chosen_.begin() + static_cast<std::ptrdiff_t>(passed));
    }
    body_ = *std::move(body);
    target_ = found->target;
    call_more();
}

void SteadybitAttempt::pass_over() {
    std::string why = "event " + attempt_.event.id() +
                      " was passed over: its type is one of Steadybit's, its data is no such body";
    ports_.extensions.note_error(shared_->key, why);
    if (is_replay()) {
        done_(Outcome{.kind = Outcome::Kind::rejected, .error = std::move(why)});
        return;
    }
    done_(Outcome{.kind = Outcome::Kind::settled});
}

void SteadybitAttempt::choose(const SteadybitExtension& extension) {
    listeners_ = extension.listeners;
    static const std::vector<std::string> kNobody;
    const std::vector<std::string>& settled =
        is_replay() ? kNobody : shared_->memory.settled(attempt_.event);
    for (std::size_t i = 0; i < listeners_->size(); ++i) {
        const SteadybitListener& listener = (*listeners_)[i];
        if (!listener.listens_to(attempt_.event.event.type) ||
            !extension.findings[i].refused.empty() ||
            (!is_replay() && attempt_.event.offset < extension.findings[i].from) ||
            (!attempt_.listener.empty() && listener.path != attempt_.listener)) {
            continue;
        }
        const std::optional<bool> ours = is_ours(listener);
        if (!ours) {
            add(i,
                Outcome{.kind = Outcome::Kind::wait, .error = "which hub leads is not known yet"});
        } else if (*ours) {
            if (settled.empty() ||
                std::ranges::find(settled, label(*listeners_, i)) == settled.end()) {
                chosen_.push_back(i);
            } else {
                settled_.push_back(i);
                is_answered_ = true;
            }
        }
    }
}

// Whether this hub calls it; nullopt: it is not known.
std::optional<bool> SteadybitAttempt::is_ours(const SteadybitListener& listener) {
    switch (listener.restrict_to) {
        case Restrict::any:
            return true;
        case Restrict::aws:
            return ports_.aws_mode;
        case Restrict::leader:
            break;
    }
    const Leadership leadership = ports_.leadership();
    if (leadership == Leadership::unknown) {
        return std::nullopt;
    }
    return leadership == Leadership::here;
}

// Answers may come before send() returns.
void SteadybitAttempt::call_more() {
    if (std::exchange(calling_, true)) {
        return;
    }
    while (under_way_ < kSteadybitCallsAtOnce && next_ < chosen_.size()) {
        call(chosen_[next_++]);
    }
    calling_ = false;
    if (under_way_ == 0) {
        finish();
    }
}

void SteadybitAttempt::call(std::size_t index) {
    // Whole milliseconds, as texts have it: "30 s", not "29.999995 s".
    const Duration left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - ports_.clock.now());
    if (left <= Duration::zero()) {
        add(index,
            Outcome{.error = "not called: the other listeners used up the time of the attempt"});
        return;
    }
    HttpCall request =
        steadybit_event_call(*target_, (*listeners_)[index], body_.bytes, left, ports_.user_agent);
    request.body_owner = body_.owner;
    ++under_way_;
    ports_.send(
        std::move(request),
        [self = shared_from_this(), index](const Result<HttpReply>& reply) {
            --self->under_way_;
            self->judge(index, steadybit_outcome(reply, self->ports_.clock.wall()));
            self->call_more();
        }
    );
}

void SteadybitAttempt::judge(std::size_t index, SteadybitAnswer answer) {
    SteadybitExtensions& extensions = ports_.extensions;
    if (answer.outcome.kind == Outcome::Kind::gone) {
        extensions.refuse(shared_->key, listeners_, index, std::string(kGone));
        answer.outcome.kind = Outcome::Kind::rejected;  // it does not have this event
    } else if (answer.outcome.kind == Outcome::Kind::settled) {
        extensions.warn(shared_->key, listeners_, index, std::move(answer.warning));
    }
    add(index, std::move(answer.outcome));
}

// Takes one listener's outcome into the attempt's.
void SteadybitAttempt::add(std::size_t index, Outcome outcome) {
    const SteadybitListener& listener = (*listeners_)[index];
    const int heavy = weight(outcome.kind);
    const bool leads = heavy > weight(outcome_.kind);
    is_answered_ = is_answered_ || heavy <= weight(Outcome::Kind::unclear);
    if (heavy <= weight(Outcome::Kind::rejected)) {
        settled_.push_back(index);
    } else {
        outcome_.unsettled.push_back(listener.path);
    }
    if (heavy == 0) {
        if (weight(outcome_.kind) == 0) {
            outcome_.status = outcome.status;
        }
        return;
    }
    if (outcome.kind == Outcome::Kind::rejected) {
        outcome_.rejected_by.push_back(listener.path);
    }
    std::string told = listener.method + " " + listener.path + ": " + outcome.error;
    if (outcome_.error.size() + told.size() <= kErrorBytes || outcome_.error.empty()) {
        outcome_.error += (outcome_.error.empty() ? "" : "; ") + told;
    }
    if (outcome.retry_after) {
        outcome_.retry_after =
            std::max(outcome_.retry_after.value_or(Duration::zero()), *outcome.retry_after);
    }
    if (leads) {
        outcome_.kind = outcome.kind;
        outcome_.status = outcome.status;
        outcome_.response = std::move(outcome.response);
    }
}

void SteadybitAttempt::finish() {
    if (outcome_.kind != Outcome::Kind::wait && !outcome_.error.empty()) {
        ports_.extensions.note_error(shared_->key, outcome_.error);
    }
    if (outcome_.kind == Outcome::Kind::wait) {
        outcome_.retry_after = seconds(std::clamp<std::uint32_t>(attempt_.number, 1, kLongestWait));
    }
    // The extension is there. Were its circuit opened, the event would be probed with for as long
    // as that listener fails, and those that answer would wait for it.
    if (outcome_.kind == Outcome::Kind::failed && is_answered_) {
        outcome_.kind = Outcome::Kind::unclear;
    }
    if (!is_replay()) {
        remember();
    }
    done_(std::move(outcome_));
}

void SteadybitAttempt::remember() {
    Memory& memory = shared_->memory;
    if (outcome_.unsettled.empty() || settled_.empty()) {
        memory.forget(attempt_.event);
        return;
    }
    std::vector<std::string> labels;
    labels.reserve(settled_.size());
    for (std::size_t index : settled_) {
        labels.push_back(label(*listeners_, index));
    }
    memory.remember(attempt_.event, std::move(labels));
}

class SteadybitListenersSink final : public Sink {
 public:
    explicit SteadybitListenersSink(std::shared_ptr<Shared> shared)
        : endpoint_("steadybit " + shared->key), shared_(std::move(shared)) {}

    void attempt(Attempt attempt, AttemptDone done) override {
        std::make_shared<SteadybitAttempt>(shared_, std::move(attempt), std::move(done))->run();
    }
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    const std::string endpoint_;
    const std::shared_ptr<Shared> shared_;
};

}  // namespace

std::unique_ptr<Sink> make_steadybit_sink(
    const SteadybitSink& config, std::string_view tenant, SteadybitPorts ports
) {
    SteadybitExtensions::Key key = SteadybitExtensions::key(tenant, config.extension);
    return std::make_unique<SteadybitListenersSink>(
        std::make_shared<Shared>(std::move(ports), std::move(key), Memory{})
    );
}

}  // namespace belfry
