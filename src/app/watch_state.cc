#include "app/watch_state.h"

#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <span>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kStateBytesMax = 16 * 1024;

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

struct SavedLine {
    std::string name;
    EventMark mark;
};

Result<SavedLine> parse_line(std::string_view text) {
    Result<json::value> parsed = parse_json(text, Limits{});
    if (!parsed) {
        return std::unexpected(std::move(parsed.error()));
    }
    JsonObjectReader reader(*parsed);
    if (reader.number("format").value_or(0) != kFormat) {
        reader.refuse("format", Errc::bad_request, fmt::format("is not {}", kFormat));
    }
    SavedLine line{.name = reader.required_text("name"), .mark = {}};
    const std::optional<Uuid> id = parse_uuid(reader.required_text("id"));
    line.mark.id = id.value_or(Uuid{});
    if (!id || reader.number("index") != line.mark.index()) {
        reader.refuse("index", Errc::bad_request, "index and id do not belong together");
    }
    if (Result<void> good = reader.finish(); !good) {
        return std::unexpected(std::move(good.error()));
    }
    return line;
}

}  // namespace

Result<WatchState> WatchState::open(FileSystem& files, std::string path, std::string event_name) {
    WatchState state(files, std::move(path), std::move(event_name));
    state.directory_ = directory_of(state.path_);
    if (Result<void> made = files.make_directory(state.directory_); !made) {
        return std::unexpected(std::move(made.error()));
    }
    Result<std::unique_ptr<FileLock>> lock = files.lock(state.path_ + ".lock");
    if (!lock) {
        return std::unexpected(std::move(lock.error()));
    }
    state.lock_ = *std::move(lock);
    if (Result<void> read = state.read(); !read) {
        return std::unexpected(std::move(read.error()));
    }
    return state;
}

Result<void> WatchState::read() {
    Result<std::unique_ptr<File>> file = files_->open(path_, OpenMode::read);
    if (!file) {
        return file.error().code == Errc::not_found ? Result<void>()
                                                    : std::unexpected(std::move(file.error()));
    }
    std::string text(kStateBytesMax, '\0');
    Result<std::size_t> size = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    if (!size) {
        return std::unexpected(std::move(size.error()));
    }
    Result<SavedLine> line = parse_line(std::string_view(text).substr(0, *size));
    if (!line) {
        return fail(
            Errc::bad_request,
            fmt::format("{} is not the state of a watch: {}", path_, line.error().detail)
        );
    }
    if (line->name != event_name_) {
        return fail(
            Errc::bad_request, fmt::format("{} is the state of a watch of `{}`", path_, line->name)
        );
    }
    mark_ = line->mark;
    return {};
}

Result<void> WatchState::save(const EventMark& mark) {
    const UuidText id = uuid_text(mark.id);
    const json::object document = {
        {"format", kFormat},
        {"name", event_name_},
        {"index", mark.index()},
        {"id", json::string_view(id.data(), id.size())}
    };
    const std::string line = json::serialize(document) + "\n";
    const std::string unfinished = path_ + ".new";
    Result<std::unique_ptr<File>> file = files_->open(unfinished, OpenMode::create);
    if (!file) {
        return std::unexpected(std::move(file.error()));
    }
    if (Result<void> cut = (*file)->truncate(0); !cut) {
        return cut;
    }
    const Bytes bytes = std::as_bytes(std::span(line));
    if (Result<void> written = (*file)->write_durable(0, bytes); !written) {
        return written;
    }
    if (Result<void> renamed = files_->rename(unfinished, path_); !renamed) {
        return renamed;
    }
    mark_ = mark;
    return files_->sync_directory(directory_);
}

}  // namespace belfry
