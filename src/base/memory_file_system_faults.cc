// What a test does to the disk, and what it asks of it: see memory_file_system.h.
#include "base/assert.h"
#include "base/memory_file_system.h"

#include <algorithm>
#include <random>

namespace belfry {

void MemoryFileSystem::plan(FaultPlan plan) {
    std::lock_guard guard(mutex_);
    plan_ = plan;
}

void MemoryFileSystem::clear_faults() {
    std::lock_guard guard(mutex_);
    plan_.reset();
    bad_reads_.clear();
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
    std::lock_guard guard(mutex_);
    capacity_ = bytes;
}

void MemoryFileSystem::set_sync_lies(bool lies) {
    std::lock_guard guard(mutex_);
    sync_lies_ = lies;
}

void MemoryFileSystem::fail_reads(const std::string& path, std::uint64_t from, std::uint64_t to) {
    std::lock_guard guard(mutex_);
    bad_reads_.emplace(path, std::pair(from, to));
}

void MemoryFileSystem::set_cached(bool cached) {
    std::lock_guard guard(mutex_);
    cached_ = cached;
}

void MemoryFileSystem::on_sync(std::function<void()> action) {
    std::lock_guard guard(mutex_);
    on_sync_ = std::move(action);
}

void MemoryFileSystem::die_after(std::uint64_t calls) {
    std::lock_guard guard(mutex_);
    die_after_ = changes_ + calls;
}

bool MemoryFileSystem::dead() const {
    std::lock_guard guard(mutex_);
    return dead_;
}

void MemoryFileSystem::kill() {
    std::lock_guard guard(mutex_);
    release_process();
}

void MemoryFileSystem::crash(std::uint64_t seed) {
    std::lock_guard guard(mutex_);
    release_process();
    std::mt19937_64 random(seed);
    auto coin = [&random] { return (random() >> 33U) % 2 == 0; };
    for (const NameChange& name : name_changes_) {
        bool possible = name.removed.empty() || synced_names_.contains(name.removed);
        if (!possible || !coin()) {
            continue;
        }
        synced_names_.erase(name.removed);
        if (!name.added.empty()) {
            synced_names_[name.added] = name.node;
        }
    }
    name_changes_.clear();
    names_ = synced_names_;
    for (auto& [path, node] : names_) {
        std::vector<std::byte> after = node->synced;
        if (node->written.size() != after.size() && coin()) {
            after.resize(node->written.size());
        }
        for (std::size_t sector = 0; sector < node->dirty.size(); ++sector) {
            if (!node->dirty[sector] || !coin()) {
                continue;
            }
            std::size_t from = sector * kSectorBytes;
            std::size_t to = std::min({from + kSectorBytes, node->written.size(), after.size()});
            for (std::size_t at = from; at < to; ++at) {
                after[at] = node->written[at];
            }
        }
        node->written = after;
        node->synced = std::move(after);
        node->dirty.assign(node->dirty.size(), false);
    }
}

std::vector<std::byte> MemoryFileSystem::contents(const std::string& path) const {
    std::lock_guard guard(mutex_);
    auto found = names_.find(path);
    ASSERT(found != names_.end());
    return found->second->written;
}

void MemoryFileSystem::set_contents(const std::string& path, std::vector<std::byte> bytes) {
    std::lock_guard guard(mutex_);
    for (std::string at = directory_of(path); at != "." && !at.empty(); at = directory_of(at)) {
        directories_.insert(at);
    }
    auto node = std::make_shared<Node>();
    node->synced = bytes;
    node->written = std::move(bytes);
    node->dirty.assign((node->written.size() + kSectorBytes - 1) / kSectorBytes, false);
    names_[path] = node;
    synced_names_[path] = node;
}

void MemoryFileSystem::flip(const std::string& path, std::uint64_t position, std::uint8_t mask) {
    std::lock_guard guard(mutex_);
    Node& node = *names_.at(path);
    for (auto* image : {&node.written, &node.synced}) {
        if (position < image->size()) {
            (*image)[position] ^= std::byte{mask};
        }
    }
}

void MemoryFileSystem::zero(const std::string& path, std::uint64_t position, std::uint64_t count) {
    std::lock_guard guard(mutex_);
    Node& node = *names_.at(path);
    for (auto* image : {&node.written, &node.synced}) {
        std::uint64_t from = std::min<std::uint64_t>(position, image->size());
        std::uint64_t to = std::min<std::uint64_t>(position + count, image->size());
        std::fill(
            image->begin() + static_cast<std::ptrdiff_t>(from),
            image->begin() + static_cast<std::ptrdiff_t>(to),
            std::byte{0}
        );
    }
}

void MemoryFileSystem::cut(const std::string& path, std::uint64_t size) {
    std::lock_guard guard(mutex_);
    Node& node = *names_.at(path);
    node.written.resize(std::min<std::uint64_t>(size, node.written.size()));
    node.synced.resize(std::min<std::uint64_t>(size, node.synced.size()));
    node.dirty.resize((node.written.size() + kSectorBytes - 1) / kSectorBytes);
}

bool MemoryFileSystem::exists(const std::string& path) const {
    std::lock_guard guard(mutex_);
    return names_.contains(path);
}

std::uint64_t MemoryFileSystem::changes() const {
    std::lock_guard guard(mutex_);
    return changes_;
}

std::uint64_t MemoryFileSystem::calls(Call call) const {
    std::lock_guard guard(mutex_);
    auto found = counts_.find(call);
    return found == counts_.end() ? 0 : found->second;
}

void MemoryFileSystem::reset_counts() {
    std::lock_guard guard(mutex_);
    changes_ = 0;
    bytes_read_ = 0;
    counts_.clear();
}

std::uint64_t MemoryFileSystem::bytes_read() const {
    std::lock_guard guard(mutex_);
    return bytes_read_;
}

void MemoryFileSystem::release_process() {
    ++generation_;
    locks_.clear();
    die_after_.reset();
    dead_ = false;
}

}  // namespace belfry
