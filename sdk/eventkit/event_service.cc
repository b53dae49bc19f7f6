#include "eventkit/event_service.h"

#include "base/ascii.h"
#include "base/logging.h"
#include "eventkit/entity_tag.h"
#include "eventkit/problem.h"
#include "eventkit/request_timeout.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace belfry::eventkit {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kTryAgain = "Retry-After: 1\r\n";
// Of events that wait or run, as JSON, so that a full queue of large ones does not fill the memory:
// what is read of a tree of steps can be 25 times as large.
constexpr std::size_t kUnfinishedBytes = 16U << 20U;

void answer_problem(
    Exchange& exchange, int status, const Problem& problem, std::string_view headers = {}
) {
    const std::string body = problem_json(problem);
    exchange.respond({.status = status, .content_type = kJson, .headers = headers, .body = body});
}

void answer_ok(Exchange& exchange) {
    exchange.respond({.status = 200, .content_type = kJson, .body = "{}"});
}

void answer_wrong_method(Exchange& exchange, const std::string& allowed) {
    answer_problem(
        exchange,
        405,
        {.title = "Method Not Allowed", .detail = "this path takes " + allowed},
        "Allow: " + allowed + "\r\n"
    );
}

bool has_tag(const HttpRequest& request, std::string_view tag) {
    return std::ranges::any_of(request.headers, [tag](const HeaderField& field) {
        return equals_ignoring_case(field.name, "If-None-Match") && names_tag(field.value, tag);
    });
}

bool is_encoded(const HttpRequest& request) {
    const auto coding = request.header("Content-Encoding");
    return coding && !equals_ignoring_case(*coding, "identity");
}

EventCall::Headers copy_headers(const HttpRequest& request) {
    EventCall::Headers headers;
    headers.reserve(request.headers.size());
    for (const HeaderField& field : request.headers) {
        headers.emplace_back(field.name, field.value);
    }
    return headers;
}

// Of the execution that an event is about; events about none share a lane.
std::uint64_t execution_lane(const Event& event) {
    const auto lane = [](const auto& execution) {
        const std::size_t key = std::hash<std::string_view>()(execution.experiment_key);
        return key ^ std::hash<std::int64_t>()(execution.execution_id);
    };
    if (event.experiment) {
        return lane(*event.experiment);
    }
    if (event.step) {
        return lane(*event.step);
    }
    return event.target ? lane(*event.target) : 0;
}

// A directory, a device: what must not be replaced by a file.
bool is_no_file(const std::string& path) {
    std::error_code error;
    const auto there = std::filesystem::status(path, error);
    return std::filesystem::exists(there) && !std::filesystem::is_regular_file(there);
}

}  // namespace

EventService::EventService(const Options& options, Registry& registry, Loop& loop)
    : options_(options),
      registry_(registry),
      loop_(loop),
      dedup_({.count_max = options.dedup_events, .age_max = options.dedup_window}),
      workers_(loop, [this] { loop_.post([this] { take_done(); }); }) {
    loop_.on_turn_end([this] { workers_.hand_over(); });
}

EventService::~EventService() = default;

Result<void> EventService::open() {
    if (is_no_file(options_.step_cache_file)) {
        return fail(
            Errc::conflict,
            "STEADYBIT_EXTENSION_STEP_CACHE_FILE: " + options_.step_cache_file +
                " is there and is no file: it is not replaced"
        );
    }
    auto opened = StepCache::open(
        posix_file_system(),
        {.path = options_.step_cache_file, .count_max = options_.step_cache_steps},
        loop_.wall()
    );
    if (!opened) {
        return fail(
            opened.error().code, "STEADYBIT_EXTENSION_STEP_CACHE_FILE: " + opened.error().detail
        );
    }
    steps_ = *std::move(opened);
    if (Result<void> started = workers_.start(options_.workers); !started) {
        return fail(started.error().code, "STEADYBIT_EXTENSION_WORKERS: " + started.error().detail);
    }
    return {};
}

HttpService::Admission EventService::admit(const HttpRequest& /*head*/) {
    return {.body_limit = options_.body_bytes, .waits = false};
}

void EventService::handle(const HttpRequest& request, Exchange exchange) {
    if (health_ != nullptr && health_->answers(request, exchange)) {
        return;
    }
    const std::shared_ptr<const Index> index = registry_.current();
    if (request.path == "/") {
        answer_index(*index, request, std::move(exchange));
    } else if (const auto route = index->find(request.path, request.method_text)) {
        take_event(route, request, std::move(exchange));
    } else if (const std::string methods = index->methods_of(request.path); !methods.empty()) {
        answer_wrong_method(exchange, methods);
    } else {
        answer_problem(
            exchange,
            404,
            {.title = "Not Found", .detail = "no listener has this path; the index is at /"}
        );
    }
}

void EventService::refuse(
    const HttpRequest& /*head*/, int status, const Error& error, Exchange exchange
) {
    const std::string body =
        problem_json({.title = std::string(reason_phrase(status)), .detail = error.detail});
    exchange.respond(
        {.status = status,
         .content_type = kJson,
         .headers = status == 503 ? kTryAgain : "",
         .body = body,
         .close = true}
    );
}

void EventService::answer_index(const Index& index, const HttpRequest& request, Exchange exchange) {
    if (request.method != belfry::Method::get && request.method != belfry::Method::head) {
        answer_wrong_method(exchange, "GET, HEAD");
        return;
    }
    const std::string tag = "ETag: \"" + index.tag + "\"\r\n";
    if (has_tag(request, index.tag)) {
        exchange.respond({.status = 304, .headers = tag});
    } else {
        exchange.respond({.content_type = kJson, .headers = tag, .body = index.json});
    }
}

// --- Events

void EventService::take_event(
    const std::shared_ptr<const Route>& route, const HttpRequest& request, Exchange exchange
) {
    if (is_encoded(request)) {
        answer_problem(
            exchange,
            415,
            {.title = "Unsupported Media Type", .detail = "bodies are not to be encoded"}
        );
        return;
    }
    OwnedCall call = new_call(request.body, route);
    if (const EventError* error = call->error(); error != nullptr) {
        answer_problem(
            exchange,
            options_.schema_status,
            {.title = "Failed to decode event request body", .detail = error->detail}
        );
        return;
    }
    const Event& event = call->event();
    if (!route->wants(event.name)) {
        // Asked for before the index changed, or by mistake: no reason to try it again.
        log_info("an event came that nobody listens to", {{"type", event.name}});
        answer_ok(exchange);
        return;
    }
    if (turns_away(event, *route, exchange)) {
        return;
    }
    if (route->wants_context) {
        call->set_headers(copy_headers(request));
    }
    if (!options_.asynchronous) {
        if (const auto timeout = request_timeout(request)) {
            call->set_deadline(loop_.now() + *timeout);
        }
    }
    begin(*call.release(), std::move(exchange));
}

EventService::OwnedCall EventService::new_call(
    std::string_view body, const std::shared_ptr<const Route>& route
) {
    return OwnedCall(
        CallMemory(&calls_).new_object<EventCall>(body, route, *steps_, loop_), DeleteCall{&calls_}
    );
}

// Of what is still with its handlers nobody knows yet how it ends; but who was answered 200 before
// hears that again.
bool EventService::turns_away(const Event& event, const Route& route, Exchange& exchange) {
    const MonoTime now = loop_.now();
    const DedupWindow::Seen seen = dedup_.begin(route.number, event.id, now);
    Problem problem{.title = "Service Unavailable"};
    if (seen == DedupWindow::Seen::fresh) {
        if (!is_full(event.json.size())) {
            return false;
        }
        dedup_.end(route.number, event.id, false, now);
        problem.detail = "too many events wait for their handlers";
    } else if (seen == DedupWindow::Seen::handled || options_.asynchronous) {
        answer_ok(exchange);
        return true;
    } else {
        problem.detail = "an earlier attempt is still being handled";
    }
    answer_problem(exchange, 503, problem, kTryAgain);
    return true;
}

bool EventService::is_full(std::size_t bytes) const {
    return unfinished_ >= options_.queue_events + options_.workers ||
           (unfinished_ > 0 && unfinished_bytes_ + bytes > kUnfinishedBytes);
}

// Who waits for an answer gives the order by that; who does not must be given it.
std::uint64_t EventService::lane_of(const Event& event, const Exchange& exchange) const {
    return options_.asynchronous ? execution_lane(event) : exchange.connection();
}

// From here the call is the workers' until they give it back.
void EventService::begin(EventCall& call, Exchange exchange) {
    ++unfinished_;
    unfinished_bytes_ += call.event().json.size();
    workers_.post(call, lane_of(call.event(), exchange));
    if (options_.asynchronous) {
        answer_ok(exchange);
        return;
    }
    exchange.on_gone([this, &call] { give_up(call); });
    call.exchange.emplace(std::move(exchange));
    if (call.deadline() != MonoTime::max()) {
        call.timer = loop_.call_at(call.deadline(), [this, &call] {
            call.timer = {};
            call.exchange->respond({.status = 503, .content_type = "text/plain", .body = "Timeout"}
            );
            give_up(call);
        });
    }
}

// Nobody waits for it any more. What no worker has begun is as if it had not come.
void EventService::give_up(EventCall& call) {
    if (workers_.withdraw(call)) {
        forget(call, false, loop_.now());
        tell_if_idle();
        return;
    }
    call.give_up();
    call.exchange.reset();
    loop_.cancel(std::exchange(call.timer, {}));
}

void EventService::take_done() {
    const MonoTime now = loop_.now();
    for (Job* job : workers_.take_done()) {
        finish(static_cast<EventCall&>(*job), now);
    }
    tell_if_idle();
}

void EventService::tell_if_idle() {
    if (unfinished_ == 0 && idle_) {
        idle_();
    }
}

void EventService::finish(EventCall& call, MonoTime now) {
    if (call.problem()) {
        log_warn(
            "a handler failed",
            {{"event_id", call.event().id},
             {"type", call.event().name},
             {"path", call.route().path},
             {"title", call.problem()->title},
             {"detail", call.problem()->detail}}
        );
    }
    if (call.exchange && call.problem()) {
        answer_problem(*call.exchange, 500, *call.problem());
    } else if (call.exchange) {
        answer_ok(*call.exchange);
    }
    forget(call, !call.problem(), now);
}

void EventService::forget(EventCall& call, bool was_handled, MonoTime now) {
    --unfinished_;
    unfinished_bytes_ -= call.event().json.size();
    loop_.cancel(call.timer);
    dedup_.end(call.route().number, call.event().id, was_handled, now);
    DeleteCall{&calls_}(&call);
}

}  // namespace belfry::eventkit
