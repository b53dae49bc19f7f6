#include "doors/consul/event_filter.h"

#include "base/utf8.h"

#include <re2/re2.h>

#include <algorithm>
#include <string>

namespace belfry {

namespace {

using re2::RE2;

// Of one compiled pattern, and of what a search keeps of it.
constexpr std::int64_t kPatternMemoryBytes = 1 << 20;
// The same for a first try, which ends at some 2,000 instructions, while those of a pattern that is
// too large would be made up to 20,000 before they are counted.
constexpr std::int64_t kTrialMemoryBytes = 96 << 10;
// Instructions of a compiled pattern; a pattern of plain text has fewer. A search takes up to 50 ns
// for each of them and each byte of text, and the loop waits.
constexpr int kProgramMax = 1280;
// Classes such as `\pL` in a pattern. Reading one takes up to 0.2 ms: it is some hundred ranges,
// and each of them is folded where case does not count.
constexpr std::size_t kUnicodeClassesMax = 4;
// All repetitions of a pattern, `{2,10}` as 10: each is an instruction at least.
constexpr std::size_t kRepetitionsMax = kProgramMax;
constexpr std::size_t kRepetitionMax = 1000;  // of one; RE2 refuses more
constexpr std::size_t kRepetitionBytesMax = sizeof("1000,1000") - 1;

struct Term {
    std::string_view name;
    std::string_view pattern;
    std::unique_ptr<RE2>& compiled;
};

// What Go's regexp/syntax says for the same mistake; clients print it and people look for it.
std::string_view words_of_go(RE2::ErrorCode code) {
    switch (code) {
        case RE2::NoError:
        case RE2::ErrorInternal:
            return "regexp/syntax: internal error";
        case RE2::ErrorBadEscape:
            return "invalid escape sequence";
        case RE2::ErrorBadCharClass:
            return "invalid character class";
        case RE2::ErrorBadCharRange:
            return "invalid character class range";
        case RE2::ErrorMissingBracket:
            return "missing closing ]";
        case RE2::ErrorMissingParen:
            return "missing closing )";
        case RE2::ErrorUnexpectedParen:
            return "unexpected )";
        case RE2::ErrorTrailingBackslash:
            return "trailing backslash at end of expression";
        case RE2::ErrorRepeatArgument:
            return "missing argument to repetition operator";
        case RE2::ErrorRepeatSize:
            return "invalid repeat count";
        case RE2::ErrorRepeatOp:
            return "invalid nested repetition operator";
        case RE2::ErrorBadPerlOp:
            return "invalid or unsupported Perl syntax";
        case RE2::ErrorBadUTF8:
            return "invalid UTF-8";
        case RE2::ErrorBadNamedCapture:
            return "invalid named capture";
        case RE2::ErrorPatternTooLarge:
            return "expression too large";
    }
    return "regexp/syntax: internal error";
}

// `2,10}` is 10; 0 for what repeats nothing, and for what RE2 refuses by itself.
std::size_t repetitions_of(std::string_view braces) {
    const std::size_t end = braces.find('}');
    const std::string_view inside = braces.substr(0, std::min(end, kRepetitionBytesMax));
    if (end > kRepetitionBytesMax ||
        inside.find_first_not_of("0123456789,") != std::string_view::npos) {
        return 0;
    }
    std::size_t most = 0;
    std::size_t number = 0;
    for (const char digit : inside) {
        number = digit == ',' ? 0 : 10 * number + static_cast<std::size_t>(digit - '0');
        most = std::max(most, number);
    }
    return most <= kRepetitionMax ? most : 0;
}

// What tells, before RE2 takes the pattern apart, that this would take long or must not be.
struct Traits {
    bool any_byte = false;  // `\C`, which RE2 takes and Go does not
    std::size_t unicode_classes = 0;
    std::size_t repetitions = 0;
};

Traits traits_of(std::string_view pattern) {
    Traits traits;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] == '{') {
            traits.repetitions += repetitions_of(pattern.substr(at + 1));
        }
        if (pattern[at] != '\\') {
            continue;
        }
        if (++at == pattern.size()) {
            break;
        }
        const char escaped = pattern[at];
        traits.any_byte = traits.any_byte || escaped == 'C';
        traits.unicode_classes += escaped == 'p' || escaped == 'P' ? 1 : 0;
        if (escaped == 'x' && pattern.substr(at + 1).starts_with('{')) {
            ++at;  // a character, not a repetition
        }
    }
    return traits;
}

// Go refuses what is large, and halves of surrogate pairs, which RE2 takes for characters.
RE2::ErrorCode error_of(const RE2& compiled) {
    if (!compiled.ok()) {
        return compiled.error_code();
    }
    if (!is_utf8(compiled.pattern())) {
        return RE2::ErrorBadUTF8;
    }
    return compiled.ProgramSize() > kProgramMax ? RE2::ErrorPatternTooLarge : RE2::NoError;
}

// Where the text ceases to be UTF-8.
std::size_t first_bad_byte(std::string_view text) {
    constexpr std::size_t kCharacterBytesMax = 4;
    std::size_t bytes = 1;
    for (std::size_t at = 0; at < text.size(); at += bytes) {
        for (bytes = 1; !is_utf8(text.substr(at, bytes)); ++bytes) {
            if (bytes == kCharacterBytesMax) {
                return at;
            }
        }
    }
    return text.size();
}

// What Go quotes of an expression. Where RE2 has nothing, Go has the whole, or the rest from the
// first byte that begins no character.
std::string fragment_of_go(const RE2& compiled, RE2::ErrorCode code) {
    if (code == RE2::ErrorPatternTooLarge) {
        return compiled.pattern();
    }
    if (code == RE2::ErrorBadUTF8) {
        return compiled.pattern().substr(first_bad_byte(compiled.pattern()));
    }
    return compiled.error_arg();
}

Error refused(const Term& term, const std::string& why) {
    return Error{
        .code = Errc::invalid_filter,
        .detail = "Invalid " + std::string(term.name) + " filter: " + why,
        .field = std::string(term.name)
    };
}

Error unparsable(const Term& term, RE2::ErrorCode code, const std::string& fragment) {
    return refused(
        term, "error parsing regexp: " + std::string(words_of_go(code)) + ": `" + fragment + "`"
    );
}

Result<void> compile(const Term& term, const Limits& limits) {
    if (term.pattern.empty()) {
        return {};
    }
    if (term.pattern.size() > limits.filter_value_bytes) {
        Error error = refused(
            term,
            "it has " + std::to_string(term.pattern.size()) + " bytes, at most " +
                std::to_string(limits.filter_value_bytes) + " are allowed"
        );
        error.limit = limits.filter_value_bytes;
        return std::unexpected(std::move(error));
    }
    const Traits traits = traits_of(term.pattern);
    if (traits.any_byte) {
        return std::unexpected(unparsable(term, RE2::ErrorBadEscape, "\\C"));
    }
    if (traits.unicode_classes > kUnicodeClassesMax || traits.repetitions > kRepetitionsMax) {
        return std::unexpected(
            unparsable(term, RE2::ErrorPatternTooLarge, std::string(term.pattern))
        );
    }
    for (const std::int64_t memory : {kTrialMemoryBytes, kPatternMemoryBytes}) {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(memory);
        options.set_never_capture(true);
        term.compiled = std::make_unique<RE2>(term.pattern, options);
        if (const RE2::ErrorCode code = error_of(*term.compiled); code != RE2::NoError) {
            return std::unexpected(unparsable(term, code, fragment_of_go(*term.compiled, code)));
        }
    }
    return {};
}

bool found_in(const std::unique_ptr<RE2>& pattern, std::string_view text) {
    return pattern == nullptr || RE2::PartialMatch(text, *pattern);
}

std::uint64_t steps_of(const std::unique_ptr<RE2>& pattern, std::string_view text) {
    constexpr std::uint64_t kBegin = 8;
    return pattern == nullptr
               ? 0
               : kBegin + static_cast<std::uint64_t>(pattern->ProgramSize()) * text.size();
}

bool admitted(const std::unique_ptr<RE2>& pattern, std::string_view stored) {
    return stored.empty() || found_in(pattern, stored);
}

}  // namespace

EventFilter::EventFilter() = default;
EventFilter::EventFilter(EventFilter&&) noexcept = default;
EventFilter& EventFilter::operator=(EventFilter&&) noexcept = default;
EventFilter::~EventFilter() = default;

Result<EventFilter> EventFilter::parse(EventFilterTexts texts, const Limits& limits) {
    if (!texts.tag.empty() && texts.service.empty()) {
        return std::unexpected(Error{
            .code = Errc::invalid_filter,
            .detail = "Cannot provide tag filter without service filter",
            .field = "tag"
        });
    }
    return parse_search(texts, limits);
}

Result<EventFilter> EventFilter::parse_search(EventFilterTexts texts, const Limits& limits) {
    EventFilter filter;
    for (const Term& term :
         {Term{"node", texts.node, filter.node_},
          Term{"service", texts.service, filter.service_},
          Term{"tag", texts.tag, filter.tag_}}) {
        if (Result<void> compiled = compile(term, limits); !compiled) {
            return std::unexpected(std::move(compiled.error()));
        }
    }
    return filter;
}

bool EventFilter::accepts(const NodeIdentity& node, const Services& services) const {
    if (!found_in(node_, node.name)) {
        return false;
    }
    if (service_ == nullptr) {
        return true;
    }
    return std::ranges::any_of(services.all(), [this](const auto& entry) {
        const Service& service = entry.second;
        return found_in(service_, service.name) &&
               (tag_ == nullptr || std::ranges::any_of(service.tags, [this](const auto& tag) {
                    return found_in(tag_, tag);
                }));
    });
}

std::uint64_t EventFilter::steps(const NodeIdentity& node, const Services& services) const {
    std::uint64_t steps = steps_of(node_, node.name);
    if (service_ == nullptr) {
        return steps;
    }
    steps *= 2;  // once here
    if (!found_in(node_, node.name)) {
        return steps;
    }
    for (const auto& [id, service] : services.all()) {
        steps += steps_of(service_, service.name);
        for (const std::string& tag : service.tags) {
            steps += steps_of(tag_, tag);
        }
    }
    return steps;
}

bool EventFilter::admits(EventFilterTexts stored) const {
    return admitted(node_, stored.node) && admitted(service_, stored.service) &&
           admitted(tag_, stored.tag);
}

std::uint64_t EventFilter::steps(EventFilterTexts stored) const {
    return steps_of(node_, stored.node) + steps_of(service_, stored.service) +
           steps_of(tag_, stored.tag);
}

}  // namespace belfry
