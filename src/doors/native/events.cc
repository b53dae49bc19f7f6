#include "doors/native/events.h"

#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/translate.h"
#include "event/cloudevents_json.h"

namespace belfry {

namespace {

constexpr std::string_view kDamaged = "the log's record at this offset is damaged";

Result<StoredEvent> only_event(const ReadResult& read, Offset offset, std::string_view tenant) {
    const auto* stored =
        read.entries.empty() ? nullptr : std::get_if<StoredEvent>(&read.entries.front());
    if (!read.entries.empty() && stored == nullptr) {
        return fail(Errc::not_found, std::string(kDamaged));
    }
    if (stored == nullptr || stored->offset != offset || stored->event.tenant != tenant) {
        return fail(Errc::not_found, "");
    }
    return *stored;
}

// What the caller is told: of an event that is not for it the same as of none.
Result<StoredEvent> as_told_to(const Caller& caller, Result<StoredEvent> found) {
    const bool hidden = found && !caller.may(Resource::event, Verb::read, found->event.type);
    const bool damaged = !found && found.error().detail == kDamaged;
    if (hidden || (!found && found.error().code == Errc::not_found && !damaged)) {
        return fail(Errc::not_found, "there is no such event");
    }
    return found;
}

void find_of_tenant(
    Log& log, std::string tenant, std::string id, std::string source, FindDone done
);

// The newer of what two searches gave; if neither found any, the second's error, which says more.
Result<StoredEvent> newer(Result<StoredEvent> first, Result<StoredEvent> second) {
    if (first && (!second || first->offset > second->offset)) {
        return first;
    }
    return second;
}

// The event at an offset, if the tenant has one there.
void read_event_at(Log& log, Offset offset, std::string tenant, FindDone done) {
    log.read(
        offset,
        ReadLimit{.events = 1},
        [offset, tenant = std::move(tenant), done = std::move(done)](auto read) mutable {
            done(
                read ? only_event(*read, offset, tenant) : std::unexpected(std::move(read).error())
            );
        }
    );
}

void answer_data(Exchange& exchange, const StoredEvent& stored) {
    if (!stored.event.data) {
        return answer_error(
            exchange, Error{.code = Errc::not_found, .detail = "the event has no data"}
        );
    }
    // A publisher's bytes must never run as a page of this origin, whatever type they claim.
    std::string headers(kApiHeaders);
    headers.append("Content-Disposition: attachment; filename=\"event-")
        .append(std::to_string(stored.offset.value))
        .append("\"\r\nContent-Security-Policy: default-src 'none'; sandbox\r\n");
    exchange.respond(
        HttpResponse{.content_type = "text/plain", .headers = headers, .body = *stored.event.data}
    );
}

}  // namespace

void find_event(Log& log, const Caller& caller, std::string id, std::string source, FindDone done) {
    find_of_tenant(
        log,
        caller.tenant,
        std::move(id),
        std::move(source),
        [caller, done = std::move(done)](Result<StoredEvent> found) mutable {
            done(as_told_to(caller, std::move(found)));
        }
    );
}

namespace {

void find_of_tenant(
    Log& log, std::string tenant, std::string id, std::string source, FindDone done
) {
    Result<std::uint64_t> number = parse_number(id, "id");
    if (!number || !source.empty()) {
        return log.find(std::move(tenant), std::move(id), std::move(source), std::move(done));
    }
    // Digits are an offset, but a publisher may have used them as an id.
    log.find(
        tenant,
        std::move(id),
        std::move(source),
        [&log, offset = Offset{*number}, tenant, done = std::move(done)](auto by_id) mutable {
            if (!by_id && by_id.error().code != Errc::not_found) {
                return done(std::move(by_id));
            }
            read_event_at(
                log,
                offset,
                std::move(tenant),
                [by_id = std::move(by_id), done = std::move(done)](auto by_offset) mutable {
                    done(newer(std::move(by_id), std::move(by_offset)));
                }
            );
        }
    );
}

}  // namespace

void EventReads::list(RequestContext& context) {
    Result<ListQuery> query =
        list_query(context.query, context.caller.tenant, limits_, clock_.wall());
    if (!query) {
        return answer_error(context.exchange, query.error());
    }
    // A reader that goes through the log page by page must hear that it lost some.
    Offset first = log_.first_offset();
    if (query->after && query->after->next() < first) {
        Error expired{
            .code = Errc::offset_expired,
            .detail = "the log starts behind this offset now",
            .field = "after"
        };
        expired.first_offset = first.value;
        return answer_error(context.exchange, expired);
    }
    log_.list(
        std::move(*query),
        [exchange = std::move(context.exchange),
         caller = context.caller](Result<ListResult> page) mutable {
            if (!page) {
                return answer_error(exchange, page.error());
            }
            std::erase_if(page->events, [&](const StoredEvent& stored) {
                return !caller.may(Resource::event, Verb::read, stored.event.type);
            });
            answer_json(exchange, 200, event_page_json(*page));
        }
    );
}

void EventReads::find(const RequestContext& context, FindDone done) {
    find_event(
        log_,
        context.caller,
        std::string(context.path.get("id")),
        std::string(context.query.get("source").value_or("")),
        std::move(done)
    );
}

void EventReads::get(RequestContext& context) {
    find(context, [exchange = std::move(context.exchange)](Result<StoredEvent> found) mutable {
        if (!found) {
            return answer_error(exchange, found.error());
        }
        std::string json;
        append_event_json(*found, LogMembers::add, json);
        answer_json(exchange, 200, json);
    });
}

void EventReads::get_data(RequestContext& context) {
    find(context, [exchange = std::move(context.exchange)](Result<StoredEvent> found) mutable {
        if (!found) {
            return answer_error(exchange, found.error());
        }
        answer_data(exchange, *found);
    });
}

}  // namespace belfry
