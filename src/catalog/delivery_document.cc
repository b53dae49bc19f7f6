#include "catalog/delivery_document.h"

#include "base/ascii.h"
#include "base/duration.h"
#include "base/json_text.h"
#include "base/rfc3339.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace belfry {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::uint32_t kMaxInFlight = 1'000;
constexpr std::uint32_t kMaxUnsettled = 10'000;
constexpr std::size_t kRetries = 50;
constexpr milliseconds kTimeoutMin = std::chrono::seconds(1);
constexpr milliseconds kTimeoutMax = std::chrono::seconds(30);
constexpr milliseconds kWaitMin{1};
constexpr milliseconds kWaitMax = std::chrono::hours(30 * 24);
constexpr std::size_t kAttributeNameBytes = 64;
// Offsets are kept as signed numbers.
constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

struct OrderName {
    DeliveryPolicy::Order order;
    std::string_view name;
};
constexpr std::array kOrders{
    OrderName{DeliveryPolicy::Order::none, "none"},
    OrderName{DeliveryPolicy::Order::key, "key"},
    OrderName{DeliveryPolicy::Order::all, "all"},
};

Result<milliseconds> read_wait(std::string_view text, milliseconds least, milliseconds most) {
    Result<Duration> duration = parse_duration(text);
    if (!duration) {
        return std::unexpected(std::move(duration.error()));
    }
    auto wait = std::chrono::duration_cast<milliseconds>(*duration);
    if (wait != *duration || wait < least || wait > most) {
        return fail(
            Errc::bad_request,
            "must be whole milliseconds from " + duration_text(least) + " to " + duration_text(most)
        );
    }
    return wait;
}

void read_count(
    JsonObjectReader& reader, std::string_view name, std::uint32_t most, std::uint32_t& count
) {
    std::optional<std::uint64_t> number = reader.number(name);
    if (!number) {
        return;
    }
    if (*number < 1 || *number > most) {
        reader.refuse(name, Errc::bad_request, "must be from 1 to " + std::to_string(most));
        return;
    }
    count = static_cast<std::uint32_t>(*number);
}

void read_order(JsonObjectReader& reader, DeliveryPolicy& delivery) {
    if (std::optional<std::string> name = reader.text("order")) {
        const auto* found = std::ranges::find(kOrders, *name, &OrderName::name);
        if (found == kOrders.end()) {
            reader.refuse("order", Errc::bad_request, "`order` is one of none, key, all");
        } else {
            delivery.order = found->order;
        }
    }
    if (std::optional<std::string> key = reader.text("key")) {
        bool good =
            !key->empty() && key->size() <= kAttributeNameBytes &&
            std::ranges::all_of(*key, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); });
        if (!good) {
            reader.refuse("key", Errc::bad_request, "`key` is an attribute's name: a-z and 0-9");
        }
        delivery.key = std::move(*key);
    }
}

void read_retry(JsonObjectReader& reader, DeliveryPolicy& delivery) {
    if (!reader.has("retry")) {
        return;
    }
    std::vector<std::string> texts = reader.texts("retry");
    if (!reader.ok()) {
        return;
    }
    if (texts.empty() || texts.size() > kRetries) {
        reader.refuse("retry", Errc::bad_request, "must have from 1 to 50 waits");
        return;
    }
    delivery.retry.clear();
    for (const std::string& text : texts) {
        Result<milliseconds> wait = read_wait(text, kWaitMin, kWaitMax);
        if (!wait) {
            reader.refuse("retry", Errc::bad_request, wait.error().detail);
            return;
        }
        delivery.retry.push_back(*wait);
    }
}

void read_pace(JsonObjectReader& reader, DeliveryPolicy& delivery) {
    const json::value* value = reader.optional("pace");
    if (value == nullptr) {
        return;
    }
    JsonObjectReader inner(*value, reader.path("pace"));
    Pace pace;
    if (inner.required("events") != nullptr) {
        read_count(inner, "events", std::numeric_limits<std::uint32_t>::max(), pace.events);
    }
    if (std::string text = inner.required_text("every"); inner.ok()) {
        Result<milliseconds> every = read_wait(text, kWaitMin, kWaitMax);
        if (every) {
            pace.every = *every;
        } else {
            inner.refuse("every", Errc::bad_request, every.error().detail);
        }
    }
    delivery.pace = pace;
    reader.check(inner.finish());
}

void append_duration(std::string& out, milliseconds duration) {
    append_json_string(out, duration_text(duration));
}

}  // namespace

std::vector<milliseconds> DeliveryPolicy::default_retry() {
    using std::chrono::hours;
    using std::chrono::minutes;
    using std::chrono::seconds;
    return {
        seconds(5),
        minutes(5),
        minutes(30),
        hours(2),
        hours(5),
        hours(10),
        hours(14),
        hours(20),
        hours(24)
    };
}

Result<DeliveryPolicy> read_delivery(
    const json::value& value, const std::string& path, DeliveryPolicy defaults
) {
    JsonObjectReader reader(value, path);
    DeliveryPolicy delivery = std::move(defaults);
    read_order(reader, delivery);
    if (std::optional<std::string> text = reader.text("timeout")) {
        Result<milliseconds> timeout = read_wait(*text, kTimeoutMin, kTimeoutMax);
        if (timeout) {
            delivery.timeout = *timeout;
        } else {
            reader.refuse("timeout", Errc::bad_request, timeout.error().detail);
        }
    }
    read_count(reader, "max_in_flight", kMaxInFlight, delivery.max_in_flight);
    read_retry(reader, delivery);
    read_pace(reader, delivery);
    read_count(reader, "max_unsettled", kMaxUnsettled, delivery.max_unsettled);
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return delivery;
}

void append_delivery(std::string& out, const DeliveryPolicy& delivery) {
    out += "{\"order\":";
    append_json_string(out, std::ranges::find(kOrders, delivery.order, &OrderName::order)->name);
    if (!delivery.key.empty()) {
        out += ",\"key\":";
        append_json_string(out, delivery.key);
    }
    out += ",\"timeout\":";
    append_duration(out, delivery.timeout);
    out += ",\"max_in_flight\":";
    append_json_number(out, delivery.max_in_flight);
    out += ",\"retry\":[";
    for (std::size_t i = 0; i < delivery.retry.size(); ++i) {
        out += i == 0 ? "" : ",";
        append_duration(out, delivery.retry[i]);
    }
    out += ']';
    if (delivery.pace) {
        out += ",\"pace\":{\"events\":";
        append_json_number(out, delivery.pace->events);
        out += ",\"every\":";
        append_duration(out, delivery.pace->every);
        out += '}';
    }
    out += ",\"max_unsettled\":";
    append_json_number(out, delivery.max_unsettled);
    out += '}';
}

Result<Start> read_start(const json::value& value, const std::string& path) {
    std::unexpected<Error> unknown(Error{
        .code = Errc::bad_request,
        .detail = R"(`start` is "new", "earliest", {"offset":n} or {"time":"<RFC 3339>"})",
        .field = path
    });
    if (const json::string* word = value.if_string()) {
        if (*word == "new") {
            return StartNew{};
        }
        if (*word == "earliest") {
            return StartEarliest{};
        }
        return unknown;
    }
    if (!value.is_object()) {
        return unknown;
    }
    JsonObjectReader reader(value, path);
    std::optional<std::uint64_t> offset = reader.number("offset");
    std::optional<std::string> text = reader.text("time");
    std::optional<WallTime> time = text ? parse_rfc3339(*text) : std::nullopt;
    if (offset && *offset > kOffsetMax) {
        reader.refuse("offset", Errc::bad_request, "must be below 2^63");
    }
    if (text && !time) {
        reader.refuse("time", Errc::bad_request, "not an RFC 3339 time");
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    if (offset.has_value() == time.has_value()) {
        return unknown;
    }
    return offset ? Start(Offset{*offset}) : Start(*time);
}

void append_start(std::string& out, const Start& start) {
    if (std::holds_alternative<StartNew>(start)) {
        out += "\"new\"";
    } else if (std::holds_alternative<StartEarliest>(start)) {
        out += "\"earliest\"";
    } else if (const Offset* offset = std::get_if<Offset>(&start)) {
        out += "{\"offset\":";
        append_json_number(out, offset->value);
        out += '}';
    } else {
        out += "{\"time\":";
        append_json_string(out, rfc3339(std::get<WallTime>(start)));
        out += '}';
    }
}

}  // namespace belfry
