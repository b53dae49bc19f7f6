#include "doors/native/dead_letters.h"

#include "doors/json_writer.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/translate.h"

namespace belfry {

void DeadLetters::list(RequestContext& context) {
    Result<DeadLetterQuery> query =
        dead_letter_query(context.query, context.caller.tenant, limits_, clock_.wall());
    if (!query) {
        return answer_error(context.exchange, query.error());
    }
    hub_.list_dead_letters(
        context.caller,
        std::move(*query),
        [exchange = std::move(context.exchange)](auto page) mutable {
            if (!page) {
                return answer_error(exchange, page.error());
            }
            answer_json(exchange, 200, dead_letter_page_json(*page));
        }
    );
}

void DeadLetters::replay_one(RequestContext& context) {
    hub_.replay_dead_letter(
        context.caller,
        std::string(context.path.get("id")),
        [exchange = std::move(context.exchange)](Result<std::string> replay) mutable {
            if (!replay) {
                return answer_error(exchange, replay.error());
            }
            std::string out;
            JsonWriter(out).begin_object().member("replay", *replay).end_object();
            answer_json(exchange, 202, out);
        }
    );
}

void DeadLetters::replay_matching(RequestContext& context) {
    Result<DeadLetterQuery> query =
        dead_letter_query(context.request.body, context.caller.tenant, limits_, clock_.wall());
    if (!query) {
        return answer_error(context.exchange, query.error());
    }
    hub_.replay_dead_letters(
        context.caller,
        std::move(*query),
        [exchange = std::move(context.exchange)](auto replay) mutable {
            if (!replay) {
                return answer_error(exchange, replay.error());
            }
            std::string out;
            JsonWriter json(out);
            json.begin_object().member("replay", replay->first);
            json.member("queued", replay->second).end_object();
            answer_json(exchange, 202, out);
        }
    );
}

void DeadLetters::purge(RequestContext& context) {
    hub_.purge_dead_letter(
        context.caller,
        std::string(context.path.get("id")),
        [exchange = std::move(context.exchange)](Result<void> purged) mutable {
            purged ? answer_nothing(exchange) : answer_error(exchange, purged.error());
        }
    );
}

}  // namespace belfry
