#include "eventkit/step_cache.h"

#include "base/crc32c.h"
#include "base/logging.h"
#include "base/rfc3339.h"
#include "event/steadybit_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>
#include <utility>

namespace belfry::eventkit {

namespace {

// A file is not replaced for less than this.
constexpr std::size_t kOutdatedBytes = 64U << 10U;
constexpr std::size_t kCrcDigits = 8;
constexpr std::size_t kLeastBytes = 1U << 20U;
constexpr std::size_t kBytesOfStep = 1U << 10U;

std::uint32_t crc_of(std::string_view text) {
    return crc32c(0, std::as_bytes(std::span(text)));
}

std::string line_of(WallTime when, std::string_view json) {
    const std::string rest = fmt::format("{} {}", rfc3339(when), json);
    return fmt::format("{:08x} {}\n", crc_of(rest), rest);
}

// The text behind `count` characters and a space, with those characters; empty ones if it is not
// so.
std::pair<std::string_view, std::string_view> cut(std::string_view text, std::size_t count) {
    if (count >= text.size() || text[count] != ' ') {
        return {};
    }
    return {text.substr(0, count), text.substr(count + 1)};
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

StepCache::Options with_bytes(StepCache::Options options) {
    if (options.bytes_max == 0) {
        options.bytes_max = std::max(kLeastBytes, options.count_max * kBytesOfStep);
    }
    return options;
}

}  // namespace

StepCache::StepCache(FileSystem& files, Options options)
    : files_(files), options_(with_bytes(std::move(options))) {}

Result<std::unique_ptr<StepCache>> StepCache::open(
    FileSystem& files, Options options, WallTime now
) {
    std::unique_ptr<StepCache> cache(new StepCache(files, std::move(options)));
    if (!cache->options_.path.empty()) {
        Result<void> loaded = cache->load(now);
        if (!loaded) {
            return std::unexpected(std::move(loaded.error()));
        }
    }
    return cache;
}

void StepCache::remember(const StepExecution& step, WallTime now) {
    const std::optional<Uuid> id = parse_steadybit_uuid(step.id);
    if (!id || options_.count_max == 0) {
        return;
    }
    Kept kept{.id = *id, .when = now, .json = to_json(step)};
    if (kept.json.size() > options_.bytes_max) {
        return;
    }
    const std::scoped_lock lock(mutex_);
    expire(now);
    keep(std::move(kept));
    if (options_.path.empty()) {
        return;
    }
    const bool replaced = !whole_ || file_bytes_ > 2 * bytes_ + kOutdatedBytes;
    const Result<void> written = replaced ? replace_file() : append(steps_.back());
    if (!written && whole_) {
        log_warn(
            "The step cache cannot be written; steps since then are in memory alone",
            {{"file", options_.path}, {"error", written.error().detail}}
        );
    } else if (written && !whole_) {
        log_info("The step cache is written again", {{"file", options_.path}});
    }
    whole_ = written.has_value();
}

std::optional<StepExecution> StepCache::find(std::string_view id, WallTime now) const {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    std::string json;
    {
        const std::scoped_lock lock(mutex_);
        const auto at = uuid ? by_id_.find(*uuid) : by_id_.end();
        if (at == by_id_.end() || now - at->second->when >= options_.age_max) {
            return std::nullopt;
        }
        json = at->second->json;
    }
    std::expected<StepExecution, EventError> step = parse_step_execution(json);
    return step ? std::optional(std::move(*step)) : std::nullopt;
}

std::size_t StepCache::size() const {
    const std::scoped_lock lock(mutex_);
    return steps_.size();
}

Result<void> StepCache::load(WallTime now) {
    Result<void> made = files_.make_directory(folder_of(options_.path));
    if (!made) {
        return made;
    }
    Result<std::string> text = contents();
    if (!text) {
        return std::unexpected(std::move(text.error()));
    }
    std::size_t dropped = 0;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        dropped += end == std::string_view::npos || !keep_line(rest.substr(0, end)) ? 1U : 0U;
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (dropped != 0 && !steps_.empty()) {
        log_warn(
            "The step cache had lines that could not be read; they were dropped",
            {{"file", options_.path}, {"lines", dropped}, {"steps", steps_.size()}}
        );
    } else if (dropped != 0) {
        put_aside();
    }
    expire(now);
    return replace_file();
}

// Somebody may want what is in it.
void StepCache::put_aside() {
    const std::string aside = options_.path + ".unreadable";
    const Result<void> renamed = files_.rename(options_.path, aside);
    log_warn(
        "The step cache is no file of this program; it begins empty",
        {{"file", options_.path}, {"kept_as", renamed ? aside : ""}}
    );
}

// Empty for a file that is not there, or far larger than this class makes them.
Result<std::string> StepCache::contents() {
    Result<std::unique_ptr<File>> file = files_.open(options_.path, OpenMode::read);
    if (!file) {
        return file.error().code == Errc::not_found ? Result<std::string>("")
                                                    : std::unexpected(std::move(file.error()));
    }
    Result<std::uint64_t> size = (*file)->size();
    if (!size) {
        return std::unexpected(std::move(size.error()));
    }
    if (*size > 16 * options_.bytes_max + 16 * kOutdatedBytes) {
        put_aside();
        return "";
    }
    std::string text(*size, '\0');
    Result<std::size_t> read = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    if (!read) {
        return std::unexpected(std::move(read.error()));
    }
    text.resize(*read);
    return text;
}

bool StepCache::keep_line(std::string_view line) {
    const auto [digits, rest] = cut(line, kCrcDigits);
    std::uint32_t crc = 0;
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    const auto read = std::from_chars(begin, end, crc, 16);
    if (digits.empty() || read.ptr != end || read.ec != std::errc{} || crc != crc_of(rest)) {
        return false;
    }
    const auto [time, json] = cut(rest, rest.find(' '));
    const std::optional<WallTime> when = parse_rfc3339(time);
    const std::expected<StepExecution, EventError> step = parse_step_execution(json);
    const std::optional<Uuid> id = step ? parse_steadybit_uuid(step->id) : std::nullopt;
    if (!when || !id) {
        return false;
    }
    keep({.id = *id, .when = *when, .json = std::string(json)});
    return true;
}

void StepCache::keep(Kept step) {
    const auto known = by_id_.find(step.id);
    if (known != by_id_.end()) {
        bytes_ -= known->second->json.size();
        steps_.erase(known->second);
        by_id_.erase(known);
    }
    bytes_ += step.json.size();
    steps_.push_back(std::move(step));
    by_id_[steps_.back().id] = std::prev(steps_.end());
    while (steps_.size() > options_.count_max || bytes_ > options_.bytes_max) {
        drop_oldest();
    }
}

void StepCache::expire(WallTime now) {
    while (!steps_.empty() && now - steps_.front().when >= options_.age_max) {
        drop_oldest();
    }
}

void StepCache::drop_oldest() {
    bytes_ -= steps_.front().json.size();
    by_id_.erase(steps_.front().id);
    steps_.pop_front();
}

Result<void> StepCache::append(const Kept& step) {
    const std::string line = line_of(step.when, step.json);
    Result<void> written = file_->write_at(file_bytes_, std::as_bytes(std::span(line)));
    if (written) {
        file_bytes_ += line.size();
    }
    return written;
}

Result<void> StepCache::replace_file() {
    std::string text;
    for (const Kept& step : steps_) {
        text += line_of(step.when, step.json);
    }
    const std::string fresh = options_.path + ".new";
    Result<std::unique_ptr<File>> file = files_.open(fresh, OpenMode::create);
    if (!file) {
        return std::unexpected(std::move(file.error()));
    }
    Result<void> done = (*file)->truncate(0);
    done = done ? (*file)->write_at(0, std::as_bytes(std::span(std::as_const(text)))) : done;
    done = done ? (*file)->sync() : done;
    done = done ? files_.rename(fresh, options_.path) : done;
    done = done ? files_.sync_directory(folder_of(options_.path)) : done;
    if (done) {
        file_ = std::move(*file);
        file_bytes_ = text.size();
    }
    return done;
}

}  // namespace belfry::eventkit
