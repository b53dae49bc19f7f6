#include "app/hub_client.h"

#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/json.h"
#include "base/rng.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace belfry {

namespace {

using namespace std::chrono_literals;

// A hub sends something every 15 s; three times that means it is gone.
constexpr Duration kSilenceMax = 45s;
constexpr Duration kFirstWait = 500ms;
constexpr Duration kLastWait = 30s;
constexpr std::uint64_t kAnswerBytesMax = 256ULL << 20U;
constexpr std::size_t kEventBytesMax = 64ULL << 20U;
constexpr std::size_t kProblemBytesMax = 64ULL << 10U;
constexpr std::size_t kSentenceWidthMax = 500;

Limits client_limits() {
    Limits limits;
    limits.response_body_bytes = kAnswerBytesMax;
    return limits;
}

bool is_header_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

const ErrcInfo* find_errc(std::string_view name) {
    auto table = errc_table();
    auto found = std::ranges::find(table, name, &ErrcInfo::name);
    return found == table.end() ? nullptr : &*found;
}

ExitCode exit_code_of_status(int status) {
    switch (status) {
        case 404:
        case 410:
            return ExitCode::not_found;
        case 401:
        case 403:
            return ExitCode::refused;
        default:
            return status >= 400 && status < 500 ? ExitCode::invalid : ExitCode::failure;
    }
}

}  // namespace

HubFailure failure_of(int status, std::string_view body, std::string_view content_type) {
    HubFailure failure{
        .code = exit_code_of_status(status),
        .sentence = fmt::format("the hub answered {}", status),
        .next_step = {},
        .status = status
    };
    if (content_type.starts_with("text/plain") && !body.empty()) {
        body = body.substr(0, body.find_last_not_of(" \r\n") + 1);
        failure.sentence += ": " + screen_text(body, kSentenceWidthMax);
        return failure;
    }
    Result<boost::json::value> problem = parse_json(body, Limits{});
    if (!problem) {
        return failure;
    }
    std::string code = member_text(*problem, "code");
    std::string detail = member_text(*problem, "detail");
    if (const ErrcInfo* info = find_errc(code)) {
        failure.code = exit_code(info->code);
        failure.next_step = info->next_step;
    }
    failure.sentence = screen_text(detail.empty() ? failure.sentence : detail);
    std::string facts;
    for (std::string_view name : {"code", "field", "limit", "index", "first"}) {
        if (std::string fact = member_text(*problem, name); !fact.empty()) {
            facts += fmt::format("{}{}: {}", facts.empty() ? "" : ", ", name, screen_text(fact));
        }
    }
    if (!facts.empty()) {
        failure.sentence += " (" + facts + ")";
    }
    return failure;
}

HubClient::HubClient(Url address, std::string token, std::shared_ptr<const TlsContext> tls)
    : address_(std::move(address)),
      token_(std::move(token)),
      limits_(client_limits()),
      client_(loop_, limits_, guard_) {
    client_.set_tls([tls = std::move(tls)] { return tls; });
}

HubResult<HttpCall> HubClient::prepare(const HubRequest& request) const {
    std::string head = fmt::format(
        "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: belfry\r\n",
        request.method,
        request.target.text(),
        address_.authority()
    );
    std::vector<std::pair<std::string, std::string>> headers = request.headers;
    if (!token_.empty()) {
        headers.emplace_back("Authorization", "Bearer " + token_);
    }
    if (!request.content_type.empty()) {
        headers.emplace_back("Content-Type", request.content_type);
    }
    for (const auto& [name, value] : headers) {
        if (!is_header_value(value)) {
            return std::unexpected(HubFailure{
                .code = ExitCode::usage,
                .sentence = fmt::format("a control character cannot stand in {}", name),
                .next_step = {}
            });
        }
        head += fmt::format("{}: {}\r\n", name, value);
    }
    if (request.method != "GET") {
        head += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    head += "\r\n";
    auto body = std::make_shared<const std::string>(request.body);
    HttpCall call;
    call.secure = address_.scheme == Url::Scheme::https;
    call.host = address_.host;
    call.port = address_.port;
    call.head = std::move(head);
    call.body = *body;
    call.body_owner = body;
    call.timeout = request.timeout;
    return call;
}

HubFailure HubClient::unreachable(const Error& error) const {
    return {
        .code = ExitCode::unreachable,
        .sentence = fmt::format(
            "no answer from {}://{}: {}",
            address_.scheme_text(),
            screen_text(address_.authority()),
            screen_text(error.detail)
        ),
        .next_step =
            "Is the hub running? Start one with `belfry serve`, or name it with --url or "
            "BELFRY_URL."
    };
}

HubResult<HttpReply> HubClient::call(const HubRequest& request) {
    HubResult<HttpCall> prepared = prepare(request);
    if (!prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    auto answer = std::make_shared<std::optional<Result<HttpReply>>>();
    client_.call(
        *std::move(prepared),
        [this, awaited = std::weak_ptr(answer)](Result<HttpReply> reply) {
            // Nobody waits any more when the loop was stopped by somebody else.
            if (auto held = awaited.lock()) {
                *held = std::move(reply);
                loop_.stop();
            }
        }
    );
    loop_.run();
    if (!answer->has_value()) {
        return std::unexpected(HubFailure{.sentence = "interrupted", .next_step = {}});
    }
    if (!**answer) {
        return std::unexpected(unreachable((*answer)->error()));
    }
    HttpReply& reply = ***answer;
    if (reply.status < 200 || reply.status >= 300) {
        return std::unexpected(failure_of(
            reply.status, reply.body, reply.header("content-type").value_or(std::string_view())
        ));
    }
    if (reply.body_truncated) {
        return std::unexpected(HubFailure{
            .code = ExitCode::failure,
            .sentence = fmt::format("the answer is larger than {} bytes", kAnswerBytesMax),
            .next_step = "Ask for less: --limit, or narrower filters."
        });
    }
    return std::move(reply);
}

// One follow(): connections one after another. All of it runs inside loop_.run().
class HubClient::Follower {
 public:
    Follower(HubClient& hub, StreamRequest request)
        : hub_(hub),
          request_(std::move(request)),
          reader_(kEventBytesMax),
          last_id_(request_.after) {}

    HubResult<void> run() {
        connect();
        watch_for_silence();
        hub_.loop_.run();
        hub_.loop_.cancel(timer_);
        hub_.loop_.cancel(silence_timer_);
        if (failure_) {
            return std::unexpected(*std::move(failure_));
        }
        return {};
    }

 private:
    void connect() {
        HubRequest request{.target = request_.target};
        request.headers.emplace_back("Accept", "text/event-stream");
        if (!last_id_.empty()) {
            request.headers.emplace_back("Last-Event-ID", last_id_);
        }
        HubResult<HttpCall> call = hub_.prepare(request);
        if (!call) {
            end(std::move(call.error()));
            return;
        }
        reader_.reset();
        head_.clear();
        heard_at_ = hub_.loop_.now();
        std::uint64_t connection = ++connection_;
        std::uint64_t stream = hub_.client_.stream(
            *std::move(call),
            [this, connection](std::string_view bytes) {
                if (connection == connection_) {
                    take(bytes);
                }
            },
            [this, connection](Result<HttpReply> reply) {
                if (connection == connection_) {
                    ended(std::move(reply));
                }
            }
        );
        // It may have ended already.
        stream_ = connection == connection_ ? stream : 0;
    }

    void take(std::string_view bytes) {
        heard_at_ = hub_.loop_.now();
        head_ += bytes.substr(0, kProblemBytesMax - std::min(head_.size(), kProblemBytesMax));
        bool good = reader_.feed(bytes, [this](const StreamEvent& event) {
            if (!finished_ && !request_.on_event(event, reader_.last_id())) {
                end(std::nullopt);
            }
        });
        // A problem document is no stream.
        if (!head_.starts_with('{')) {
            connected_ = true;
            wait_ = kFirstWait;
        }
        if (!reader_.last_id().empty()) {
            last_id_ = reader_.last_id();
        }
        if (!good) {
            end(HubFailure{
                .code = ExitCode::failure,
                .sentence = fmt::format("an event is larger than {} bytes", kEventBytesMax),
                .next_step = {}
            });
        }
    }

    void ended(Result<HttpReply> reply) {
        stream_ = 0;
        if (!reply && !connected_) {
            end(hub_.unreachable(reply.error()));
            return;
        }
        if (!reply) {
            connect_later(reply.error().detail);
            return;
        }
        if (reply->status == 200) {
            connected_ = true;
            connect_later("the hub closed the stream");
            return;
        }
        HubFailure failure = failure_of(reply->status, reply->body.empty() ? head_ : reply->body);
        if (reply->status >= 500 && connected_) {
            connect_later(failure.sentence);
            return;
        }
        end(std::move(failure));
    }

    void connect_later(std::string_view reason) {
        // Without jitter all followers of a restarted hub would come back at once.
        auto wait = std::chrono::duration_cast<Duration>(wait_ * (0.8 + 0.4 * system_rng().unit()));
        request_.on_wait(reason, wait);
        wait_ = std::min(wait_ * 2, kLastWait);
        ++connection_;
        timer_ = hub_.loop_.call_after(wait, [this] { connect(); });
    }

    void watch_for_silence() {
        silence_timer_ = hub_.loop_.call_after(kSilenceMax / 3, [this] {
            if (stream_ != 0 && hub_.loop_.now() - heard_at_ > kSilenceMax) {
                hub_.client_.cancel(std::exchange(stream_, 0));
                connect_later("the hub is silent");
            }
            watch_for_silence();
        });
    }

    void end(std::optional<HubFailure> failure) {
        if (std::exchange(finished_, true)) {
            return;
        }
        failure_ = std::move(failure);
        ++connection_;
        // Not from within the stream's own call.
        hub_.loop_.post([this] {
            if (stream_ != 0) {
                hub_.client_.cancel(stream_);
            }
            hub_.loop_.stop();
        });
    }

    HubClient& hub_;
    StreamRequest request_;
    EventStreamReader reader_;
    std::string last_id_;
    std::string head_;  // what an answer other than a stream begins with
    bool connected_ = false;
    bool finished_ = false;
    std::uint64_t connection_ = 0;  // the current one; others are not listened to
    std::uint64_t stream_ = 0;
    MonoTime heard_at_;
    Duration wait_ = kFirstWait;
    TimerId timer_;
    TimerId silence_timer_;
    std::optional<HubFailure> failure_;
};

HubResult<void> HubClient::follow(StreamRequest request) {
    return Follower(*this, std::move(request)).run();
}

}  // namespace belfry
