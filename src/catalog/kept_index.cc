#include "catalog/kept_index.h"

#include "base/json.h"
#include "base/json_text.h"
#include "base/logging.h"
#include "base/utf8.h"

#include <boost/json.hpp>

#include <utility>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::string_view kIndexes = "extension-indexes/";

void append_member_and_comma(std::string& out, std::string_view name, std::string_view text) {
    append_json_name(out, name);
    append_json_string(out, text);
    out += ',';
}

// An array whose elements `append` writes.
template <typename Elements, typename Append>
void append_array(
    std::string& out, std::string_view name, const Elements& elements, Append append
) {
    append_json_name(out, name);
    out += '[';
    for (const auto& element : elements) {
        append(element);
        out += ',';
    }
    if (!elements.empty()) {
        out.pop_back();
    }
    out += ']';
}

void append_names(std::string& out, const std::vector<std::string>& names) {
    append_array(out, "listenTo", names, [&out](const std::string& name) {
        append_json_string(out, name);
    });
}

KeptFinding read_finding(const json::value& value, const std::string& path, JsonObjectReader& in) {
    JsonObjectReader reader(value, path);
    KeptFinding finding{
        .from = Offset{reader.number("from").value_or(0)},
        .refused = reader.text("refused").value_or(""),
    };
    in.check(reader.finish());
    return finding;
}

SteadybitRefusal read_refusal(
    const json::value& value, const std::string& path, JsonObjectReader& in
) {
    JsonObjectReader reader(value, path);
    SteadybitRefusal refusal{
        .method = reader.required_text("method"),
        .path = reader.required_text("path"),
        .listen_to = reader.texts("listenTo"),
        .reason = reader.required_text("reason"),
    };
    in.check(reader.finish());
    return refusal;
}

template <typename T, typename Read>
std::vector<T> read_array(JsonObjectReader& reader, std::string_view name, Read read) {
    std::vector<T> found;
    if (const json::array* elements = reader.array(name)) {
        for (const json::value& element : *elements) {
            found.push_back(read(element, reader.path(name, found.size()), reader));
        }
    }
    return found;
}

}  // namespace

// The listeners stand as in an index, and are read as one.
std::string kept_index_json(const KeptIndex& kept) {
    std::string out = "{";
    append_member_and_comma(out, "identity", kept.identity);
    // An odd one cannot stand in a document, and is not sent back after a restart.
    append_member_and_comma(out, "etag", is_utf8(kept.etag) ? kept.etag : "");
    append_array(
        out,
        "eventListeners",
        kept.index.listeners,
        [&out](const SteadybitListener& listener) {
            out += '{';
            append_member_and_comma(out, "path", listener.path);
            append_member_and_comma(out, "method", listener.method);
            append_member_and_comma(out, "restrictTo", restrict_name(listener.restrict_to));
            append_names(out, listener.listen_to);
            out += '}';
        }
    );
    out += ',';
    append_array(out, "findings", kept.findings, [&out](const KeptFinding& finding) {
        out += '{';
        append_json_name(out, "from");
        append_json_number(out, finding.from.value);
        if (!finding.refused.empty()) {
            out += ',';
            append_json_name(out, "refused");
            append_json_string(out, finding.refused);
        }
        out += '}';
    });
    out += ',';
    append_array(out, "refusals", kept.index.refusals, [&out](const SteadybitRefusal& refusal) {
        out += '{';
        append_member_and_comma(out, "method", refusal.method);
        append_member_and_comma(out, "path", refusal.path);
        append_member_and_comma(out, "reason", refusal.reason);
        append_names(out, refusal.listen_to);
        out += '}';
    });
    out += ',';
    append_json_name(out, "refusalsBeyond");
    append_json_number(out, kept.index.refusals_beyond);
    out += '}';
    return out;
}

Result<KeptIndex> parse_kept_index(std::string_view text, const Limits& limits) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    JsonObjectReader reader(*document);
    KeptIndex kept{
        .identity = reader.required_text("identity"),
        .etag = reader.required_text("etag"),
        .index = {},
        .findings = read_array<KeptFinding>(reader, "findings", read_finding),
    };
    reader.required("eventListeners");
    const auto refusals = read_array<SteadybitRefusal>(reader, "refusals", read_refusal);
    const std::uint64_t beyond = reader.number("refusalsBeyond").value_or(0);
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    Result<SteadybitIndex> index = parse_steadybit_index(text, limits);
    if (!index) {
        return std::unexpected(std::move(index.error()));
    }
    if (!index->refusals.empty() || index->listeners.size() != kept.findings.size()) {
        return fail(Errc::bad_request, "its listeners and what was found of them do not match");
    }
    kept.index = *std::move(index);
    kept.index.refusals = refusals;
    kept.index.refusals_beyond = beyond;
    return kept;
}

void KeptIndexes::load(std::move_only_function<void(ByKey)> done) {
    kv_.list(
        std::string(kIndexes),
        [this, done = std::move(done)](Result<std::vector<KvEntry>> entries) mutable {
            ByKey found;
            if (!entries) {
                log_error(
                    "the indexes of extensions that were kept cannot be read; they are asked for",
                    {{"error", entries.error().detail}}
                );
                return done(std::move(found));
            }
            for (const KvEntry& entry : *entries) {
                const Key key = entry.key.substr(kIndexes.size());
                if (Result<KeptIndex> kept = parse_kept_index(entry.value, limits_)) {
                    found.emplace(key, *std::move(kept));
                } else {
                    log_error(
                        "the index that was kept of an extension cannot be read; it is asked for",
                        {{"extension", key}, {"error", kept.error().detail}}
                    );
                }
            }
            done(std::move(found));
        }
    );
}

void KeptIndexes::put(const Key& key, const KeptIndex& kept, Done done) {
    std::string document = kept_index_json(kept);
    if (document.size() > limits_.document_bytes) {
        return remove(
            key,
            [done = std::move(done),
             most = limits_.document_bytes](const Result<void>& removed) mutable {
                if (!removed) {
                    return done(removed);
                }
                done(std::unexpected(Error{
                    .code = Errc::too_large,
                    .detail =
                        "the index takes more than " + std::to_string(most) + " bytes to keep",
                    .limit = most
                }));
            }
        );
    }
    kv_.put(
        std::string(kIndexes) + key,
        std::move(document),
        Expect{},
        [done = std::move(done)](Result<Revision> written) mutable {
            done(written ? Result<void>() : std::unexpected(std::move(written.error())));
        }
    );
}

void KeptIndexes::remove(const Key& key, Done done) {
    kv_.remove(
        std::string(kIndexes) + key,
        Expect{},
        [done = std::move(done)](Result<Revision> removed) mutable {
            const bool gone = removed || removed.error().code == Errc::not_found;
            done(gone ? Result<void>() : std::unexpected(std::move(removed.error())));
        }
    );
}

}  // namespace belfry
