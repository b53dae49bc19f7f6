#include "base/memory_file_system.h"

#include <algorithm>

namespace belfry {

namespace {

std::unexpected<Error> io_error(std::string_view call, const std::string& path) {
    return fail(Errc::internal, std::string(call) + " " + path + ": Input/output error");
}

std::unexpected<Error> no_space(std::string_view call, const std::string& path) {
    return fail(Errc::disk_full, std::string(call) + " " + path + ": No space left on device");
}

}  // namespace

class MemoryFileSystem::MemoryLock final : public FileLock {
 public:
    MemoryLock(MemoryFileSystem& system, std::string path, std::uint64_t generation)
        : system_(system), path_(std::move(path)), generation_(generation) {}
    ~MemoryLock() override {
        std::lock_guard guard(system_.mutex_);
        if (generation_ == system_.generation_) {
            system_.locks_.erase(path_);
        }
    }

 private:
    MemoryFileSystem& system_;
    std::string path_;
    std::uint64_t generation_;
};

class MemoryFileSystem::MemoryFile final : public File {
 public:
    MemoryFile(
        MemoryFileSystem& system,
        std::shared_ptr<Node> node,
        std::string path,
        std::uint64_t generation
    )
        : system_(system),
          node_(std::move(node)),
          path_(std::move(path)),
          generation_(generation) {}

    Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> buffer) override {
        std::lock_guard guard(system_.mutex_);
        return read_locked(position, buffer);
    }

    Result<std::optional<std::size_t>> read_cached(
        std::uint64_t position, std::span<std::byte> buffer
    ) override {
        std::lock_guard guard(system_.mutex_);
        if (!system_.cached_) {
            return std::optional<std::size_t>();
        }
        auto count = read_locked(position, buffer);
        if (!count) {
            return std::unexpected(count.error());
        }
        return std::optional(*count);
    }

    Result<void> write_at(std::uint64_t position, Bytes bytes) override {
        std::lock_guard guard(system_.mutex_);
        if (auto alive = system_.alive(generation_, path_); !alive) {
            return alive;
        }
        return system_.write_node(*node_, Call::write, path_, position, bytes);
    }

    Result<void> write_durable(std::uint64_t position, Bytes bytes) override {
        std::function<void()> action;
        {
            std::lock_guard guard(system_.mutex_);
            if (auto alive = system_.alive(generation_, path_); !alive) {
                return alive;
            }
            auto written = system_.write_node(*node_, Call::write_durable, path_, position, bytes);
            if (!written) {
                return written;
            }
            system_.sync_node(*node_, position, position + bytes.size());
            action = system_.on_sync_;
        }
        if (action) {
            action();
        }
        return {};
    }

    Result<void> sync() override {
        std::function<void()> action;
        {
            std::lock_guard guard(system_.mutex_);
            if (auto alive = system_.alive(generation_, path_); !alive) {
                return alive;
            }
            if (auto changed = system_.change(Call::sync, "sync", path_); !changed) {
                return changed;
            }
            system_.sync_node(*node_, 0, node_->written.size());
            action = system_.on_sync_;
        }
        if (action) {
            action();
        }
        return {};
    }

    Result<std::uint64_t> size() override {
        std::lock_guard guard(system_.mutex_);
        if (auto alive = system_.alive(generation_, path_); !alive) {
            return std::unexpected(alive.error());
        }
        return node_->written.size();
    }

    Result<void> truncate(std::uint64_t size) override {
        std::lock_guard guard(system_.mutex_);
        if (auto alive = system_.alive(generation_, path_); !alive) {
            return alive;
        }
        if (auto changed = system_.change(Call::truncate, "truncate", path_); !changed) {
            return changed;
        }
        std::uint64_t from = std::min<std::uint64_t>(size, node_->written.size());
        node_->written.resize(size);
        node_->dirty.resize((size + kSectorBytes - 1) / kSectorBytes, true);
        if (from / kSectorBytes < node_->dirty.size()) {
            node_->dirty[from / kSectorBytes] = true;
        }
        return {};
    }

 private:
    Result<std::size_t> read_locked(std::uint64_t position, std::span<std::byte> buffer) {
        if (auto alive = system_.alive(generation_, path_); !alive) {
            return std::unexpected(alive.error());
        }
        auto [bad, end] = system_.bad_reads_.equal_range(path_);
        for (; bad != end; ++bad) {
            if (position < bad->second.second && bad->second.first < position + buffer.size()) {
                return io_error("read", path_);
            }
        }
        if (position >= node_->written.size()) {
            return 0;
        }
        std::size_t count = std::min<std::size_t>(buffer.size(), node_->written.size() - position);
        system_.bytes_read_ += count;
        std::copy_n(
            node_->written.begin() + static_cast<std::ptrdiff_t>(position), count, buffer.begin()
        );
        return count;
    }

    MemoryFileSystem& system_;
    std::shared_ptr<Node> node_;
    std::string path_;
    std::uint64_t generation_;
};

std::string MemoryFileSystem::directory_of(const std::string& path) {
    auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
    std::lock_guard guard(mutex_);
    if (auto here = alive(generation_, path); !here) {
        return std::unexpected(here.error());
    }
    auto found = names_.find(path);
    if (found == names_.end()) {
        if (mode != OpenMode::create) {
            return fail(Errc::not_found, "open " + path + ": No such file or directory");
        }
        if (!directories_.contains(directory_of(path))) {
            return fail(Errc::not_found, "open " + path + ": No such file or directory");
        }
        if (auto changed = change(Call::create, "open", path); !changed) {
            return std::unexpected(changed.error());
        }
        found = names_.emplace(path, std::make_shared<Node>()).first;
        name_changes_.push_back({.removed = {}, .added = path, .node = found->second});
    }
    return std::make_unique<MemoryFile>(*this, found->second, path, generation_);
}

Result<void> MemoryFileSystem::remove(const std::string& path) {
    std::lock_guard guard(mutex_);
    auto found = find(path);
    if (!found) {
        return std::unexpected(found.error());
    }
    if (auto changed = change(Call::remove, "remove", path); !changed) {
        return changed;
    }
    names_.erase(path);
    name_changes_.push_back({.removed = path, .added = {}, .node = nullptr});
    return {};
}

Result<void> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
    std::lock_guard guard(mutex_);
    auto found = find(from);
    if (!found) {
        return std::unexpected(found.error());
    }
    if (auto changed = change(Call::rename, "rename", from); !changed) {
        return changed;
    }
    names_.erase(from);
    names_[to] = *found;
    name_changes_.push_back({.removed = from, .added = to, .node = *found});
    return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& directory) {
    std::lock_guard guard(mutex_);
    if (auto here = alive(generation_, directory); !here) {
        return std::unexpected(here.error());
    }
    if (!directories_.contains(directory)) {
        return fail(Errc::not_found, "list " + directory + ": No such file or directory");
    }
    std::vector<std::string> names;
    for (const auto& [path, node] : names_) {
        if (directory_of(path) == directory) {
            names.push_back(path.substr(directory.size() + 1));
        }
    }
    return names;
}

Result<void> MemoryFileSystem::make_directory(const std::string& directory) {
    std::lock_guard guard(mutex_);
    if (auto here = alive(generation_, directory); !here) {
        return here;
    }
    if (directories_.contains(directory)) {
        return {};
    }
    if (auto changed = change(Call::make_directory, "mkdir", directory); !changed) {
        return changed;
    }
    for (std::string at = directory; at != "." && !at.empty(); at = directory_of(at)) {
        directories_.insert(at);
    }
    return {};
}

Result<void> MemoryFileSystem::sync_directory(const std::string& directory) {
    std::lock_guard guard(mutex_);
    if (auto changed = change(Call::sync_directory, "sync", directory); !changed) {
        return changed;
    }
    if (sync_lies_) {
        return {};
    }
    auto covered = [&](const NameChange& name) {
        return directory_of(name.added.empty() ? name.removed : name.added) == directory;
    };
    for (const NameChange& name : name_changes_) {
        if (!covered(name)) {
            continue;
        }
        synced_names_.erase(name.removed);
        if (!name.added.empty()) {
            synced_names_[name.added] = name.node;
        }
    }
    std::erase_if(name_changes_, covered);
    return {};
}

Result<FileSystem::Space> MemoryFileSystem::space(const std::string& path) {
    std::lock_guard guard(mutex_);
    if (auto here = alive(generation_, path); !here) {
        return std::unexpected(here.error());
    }
    std::uint64_t taken = used();
    return Space{.free_bytes = capacity_ > taken ? capacity_ - taken : 0, .total_bytes = capacity_};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
    std::lock_guard guard(mutex_);
    if (auto here = alive(generation_, path); !here) {
        return std::unexpected(here.error());
    }
    if (!locks_.insert(path).second) {
        return fail(Errc::conflict, "lock " + path + ": it is held");
    }
    return std::make_unique<MemoryLock>(*this, path, generation_);
}

std::optional<MemoryFileSystem::Fault> MemoryFileSystem::next_fault(Call call) {
    ++changes_;
    ++counts_[call];
    if (plan_ && (changes_ == plan_->call || (plan_->sticky && changes_ > plan_->call))) {
        return plan_->fault;
    }
    return std::nullopt;
}

Result<void> MemoryFileSystem::change(Call call, const char* name, const std::string& path) {
    if (auto here = alive(generation_, path); !here) {
        return here;
    }
    if (die_after_ && changes_ >= *die_after_) {
        dead_ = true;
        return alive(generation_, path);
    }
    switch (next_fault(call).value_or(Fault::interrupted)) {
        case Fault::io_error:
        case Fault::torn_error:
            return io_error(name, path);
        case Fault::no_space:
            return no_space(name, path);
        case Fault::short_write:
        case Fault::interrupted:
            break;
    }
    return {};
}

Result<void> MemoryFileSystem::write_node(
    Node& node, Call call, const std::string& path, std::uint64_t position, Bytes bytes
) {
    bool torn = plan_ && plan_->fault == Fault::torn_error;
    auto changed = change(call, "write", path);
    if (!changed) {
        if (!torn || dead_) {
            return changed;
        }
        bytes = call == Call::write ? bytes.first(bytes.size() / 2) : bytes;
    }
    std::uint64_t end = position + bytes.size();
    if (end > node.written.size()) {
        if (used() + (end - node.written.size()) > capacity_) {
            return no_space("write", path);
        }
        node.written.resize(end);
    }
    std::copy(
        bytes.begin(), bytes.end(), node.written.begin() + static_cast<std::ptrdiff_t>(position)
    );
    node.dirty.resize((node.written.size() + kSectorBytes - 1) / kSectorBytes, true);
    for (std::uint64_t at = position / kSectorBytes; at * kSectorBytes < end; ++at) {
        node.dirty[at] = true;
    }
    return changed;
}

void MemoryFileSystem::sync_node(Node& node, std::uint64_t from, std::uint64_t to) {
    if (sync_lies_) {
        return;
    }
    // A sync makes the size durable as far as its range needs it.
    if (to > node.synced.size()) {
        node.synced.resize(to);
    } else if (node.synced.size() > node.written.size()) {
        node.synced.resize(node.written.size());
    }
    for (std::uint64_t sector = from / kSectorBytes; sector * kSectorBytes < to; ++sector) {
        if (!node.dirty[sector]) {
            continue;
        }
        std::uint64_t begin = sector * kSectorBytes;
        std::uint64_t end = std::min<std::uint64_t>(begin + kSectorBytes, node.written.size());
        node.synced.resize(std::max<std::uint64_t>(node.synced.size(), end));
        std::copy_n(
            node.written.begin() + static_cast<std::ptrdiff_t>(begin),
            end - begin,
            node.synced.begin() + static_cast<std::ptrdiff_t>(begin)
        );
        node.dirty[sector] = false;
    }
}

std::uint64_t MemoryFileSystem::used() const {
    std::uint64_t bytes = 0;
    for (const auto& [path, node] : names_) {
        bytes += node->written.size();
    }
    return bytes;
}

Result<void> MemoryFileSystem::alive(std::uint64_t generation, const std::string& path) const {
    if (dead_ || generation != generation_) {
        return fail(Errc::internal, path + ": the process is gone");
    }
    return {};
}

Result<std::shared_ptr<MemoryFileSystem::Node>> MemoryFileSystem::find(const std::string& path
) const {
    if (auto here = alive(generation_, path); !here) {
        return std::unexpected(here.error());
    }
    auto found = names_.find(path);
    if (found == names_.end()) {
        return fail(Errc::not_found, path + ": No such file or directory");
    }
    return found->second;
}

}  // namespace belfry
