#include "app/event_watch.h"

#include "app/screen_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>

namespace belfry {

namespace {

using namespace std::chrono_literals;

// One question; short enough that a hub that went away without a word is noticed.
constexpr Duration kAskTime = 60s;
constexpr Duration kAnswerDelayMax = 15s;
constexpr Duration kHubWait = 5s;
constexpr Duration kHubWaitMax = 180s;
constexpr Duration kCommandWait = 1s;
constexpr Duration kCommandWaitMax = 60s;
// Before the next question to a hub that answered before anything happened.
constexpr Duration kHastyWait = 1s;
constexpr Duration kStopTime = 5s;  // from SIGTERM to SIGKILL
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::string seconds_text(Duration wait) {
    return fmt::format("{:g} s", std::chrono::duration<double>(wait).count());
}

std::optional<std::uint64_t> parse_index(std::string_view text) {
    std::uint64_t index = 0;
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, index);
    return error == std::errc() && stop == end && index != 0 ? std::optional(index) : std::nullopt;
}

HubFailure no_event_list(std::string sentence) {
    return {
        .code = ExitCode::failure,
        .sentence = std::move(sentence),
        .next_step = "Is it a hub, or something between here and there, that answers?",
        .status = 200
    };
}

// Whoever started us may want us to outlive a terminal (nohup).
bool is_ignored(int number) {
    struct sigaction now{};
    return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

Duration hub_wait(std::uint64_t failures) {
    const std::uint64_t times = std::min<std::uint64_t>(failures, 100);
    return std::min<Duration>(kHubWait * (times * times), kHubWaitMax);
}

Duration command_wait(std::uint64_t failures) {
    const std::uint64_t doublings = std::min<std::uint64_t>(failures - 1, 10);
    return std::min<Duration>(kCommandWait * (1U << doublings), kCommandWaitMax);
}

Target event_list_target(std::string_view name, std::uint64_t index, Duration wait) {
    Target target("/v1/event/list");
    target.parameter("name", name);
    if (index != 0) {
        const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(wait);
        target.parameter("index", std::to_string(index));
        target.parameter(
            "wait", fmt::format("{}ms", std::max<std::int64_t>(1, milliseconds.count()))
        );
    }
    return target;
}

EventWatch::EventWatch(HubClient& hub, WatchOptions options, WatchState* state, Console& console)
    : hub_(hub),
      options_(std::move(options)),
      state_(state),
      console_(console),
      owes_first_(state == nullptr) {
    if (state_ != nullptr) {
        mark_ = state_->mark();
    }
}

ExitCode EventWatch::run() {
    end_on_signals();
    while (!stopping_) {
        HubResult<Answer> answer = ask();
        if (stopping_) {
            break;
        }
        if (!answer) {
            if (!endures(answer.error())) {
                console_.complain(answer.error().sentence, answer.error().next_step);
                return answer.error().code;
            }
            continue;
        }
        if (std::exchange(hub_failures_, 0) > 0) {
            console_.say("the hub is back");
        }
        take(*std::move(answer));
    }
    return ExitCode::ok;
}

void EventWatch::end_on_signals() {
    std::array<bool, kSignals.size()> ignored{};
    std::ranges::transform(kSignals, ignored.begin(), is_ignored);
    hub_.loop().on_signal([this, ignored](int number) {
        const auto which = std::ranges::find(kSignals, number) - kSignals.begin();
        if (!ignored[static_cast<std::size_t>(which)]) {
            stop();
        }
    });
}

void EventWatch::stop() {
    const bool again = std::exchange(stopping_, true);
    if (child_ == nullptr) {
        hub_.loop().stop();
        return;
    }
    child_->signal(again ? SIGKILL : SIGTERM);
    if (!again) {
        hub_.loop().call_after(kStopTime, [this] {
            if (child_ != nullptr) {
                child_->signal(SIGKILL);
            }
        });
    }
}

HubResult<EventWatch::Answer> EventWatch::ask() {
    const Duration wait =
        command_failures_ == 0 ? kAskTime : options_.command_wait(command_failures_);
    const MonoTime begin = hub_.clock().now();
    HubResult<HttpReply> reply = hub_.call(
        {.target = event_list_target(options_.name, index_, wait), .timeout = wait + kAnswerDelayMax
        }
    );
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto index = parse_index(reply->header("x-consul-index").value_or(std::string_view()));
    if (!index) {
        return std::unexpected(no_event_list("an answer of the hub has no X-Consul-Index"));
    }
    Result<std::vector<ListedEvent>> events = parse_event_list(reply->body);
    if (!events) {
        return std::unexpected(
            no_event_list("an answer of the hub is " + screen_text(events.error().detail))
        );
    }
    const Duration rest = begin + wait - hub_.clock().now();
    if (*index == index_ && rest > Duration::zero()) {
        pause(command_failures_ == 0 ? std::min(rest, kHastyWait) : rest);
    }
    return Answer{.index = *index, .events = *std::move(events)};
}

// A hub that answered before may come back; what it refuses, it refuses again.
bool EventWatch::endures(const HubFailure& failure) {
    const bool is_busy = failure.status >= 500 || failure.status == 408 || failure.status == 429;
    if (!has_answered_ || (!is_busy && failure.code != ExitCode::unreachable)) {
        return false;
    }
    if (++hub_failures_ == 1) {
        console_.complain(failure.sentence + "; trying until the hub is back");
    }
    pause(options_.hub_wait(hub_failures_));
    return true;
}

void EventWatch::take(Answer answer) {
    has_answered_ = true;
    index_ = answer.index;
    if (mark_ && is_of_another_log(answer.events, *mark_)) {
        console_.complain(fmt::format(
            "the hub's events end at index {}, and this watch has been at {}: another data "
            "directory, which is read from its beginning",
            answer.index,
            mark_->index()
        ));
        mark_.reset();
    }
    const std::vector<ListedEvent> events = events_behind(std::move(answer.events), mark_);
    if (!events.empty() || owes_first_) {
        hand_over(events, answer.index);
    } else {
        command_failures_ = 0;  // what it failed for is no longer there
    }
}

void EventWatch::hand_over(const std::vector<ListedEvent>& events, std::uint64_t index) {
    Program program = options_.program;
    std::erase_if(program.environment, [](const auto& variable) {
        return variable.first == "CONSUL_INDEX";
    });
    program.environment.emplace_back("CONSUL_INDEX", std::to_string(index));
    for (const ListedEvent& event : events) {
        program.input += (program.input.empty() ? "[" : ",") + event.json;
    }
    program.input += events.empty() ? "[]\n" : "]\n";
    if (!command_succeeds(program)) {
        return;
    }
    command_failures_ = 0;
    owes_first_ = false;
    if (events.empty()) {
        return;
    }
    mark_ = EventMark{.id = events.back().id};
    if (state_ == nullptr) {
        return;
    }
    if (Result<void> saved = state_->save(*mark_); !saved) {
        console_.complain(fmt::format(
            "the state is not saved, so a restart runs the command again for {} events: {}",
            events.size(),
            screen_text(saved.error().detail)
        ));
    }
}

bool EventWatch::command_succeeds(const Program& program) {
    // What was said before stands before what the command says.
    static_cast<void>(console_.flush());
    Result<std::unique_ptr<ChildProcess>> child = ChildProcess::start(program);
    std::string trouble;
    if (child) {
        child_ = child->get();
        trouble = (*child)->wait(hub_.loop());
        child_ = nullptr;
    } else {
        trouble = "cannot be started: " + screen_text(child.error().detail);
    }
    if (trouble.empty()) {
        return true;
    }
    if (!stopping_) {
        console_.complain(fmt::format(
            "the command {}; it runs again with the next event, or in {}",
            trouble,
            seconds_text(options_.command_wait(++command_failures_))
        ));
    }
    return false;
}

void EventWatch::pause(Duration wait) {
    Loop& loop = hub_.loop();
    const TimerId timer = loop.call_after(wait, [&loop] { loop.stop(); });
    loop.run();
    loop.cancel(timer);
}

}  // namespace belfry
