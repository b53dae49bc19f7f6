// A FileSystem in memory that misbehaves on demand: the fake beside the port. It keeps what was
// synced apart from what was only written, so a test can cut the power, and it can fail, shorten or
// count any call. Owned by the test; outlives every File it gave out. Any thread (one mutex).
//
// What a power cut keeps: synced bytes always; of unsynced 512-byte sectors each one or not
// (seeded); of creations, renames and removals that no sync_directory() covered, a seeded choice; a
// file's size counts as synced with its bytes. What a kill keeps: everything written.
#pragma once

#include "base/file_system.h"

#include <functional>
#include <map>
#include <mutex>
#include <set>

namespace belfry {

class MemoryFileSystem final : public FileSystem {
 public:
    static constexpr std::size_t kSectorBytes = 512;

    // Calls that change something; an open counts when it creates.
    enum class Call : std::uint8_t {
        create,
        write,
        write_durable,
        sync,
        truncate,
        remove,
        rename,
        sync_directory,
        make_directory,
    };
    // io_error: EIO, nothing done. torn_error: EIO after half of a write, or after all of a durable
    // write but before its sync. no_space: ENOSPC, nothing done. short_write and interrupted: the
    // kernel takes less or EINTR at first and the port goes on, as the real one does; nothing of it
    // shows.
    enum class Fault : std::uint8_t { io_error, torn_error, no_space, short_write, interrupted };
    struct FaultPlan {
        std::uint64_t call =
            0;  // which call fails, from 1, counted over all calls that change something
        Fault fault = Fault::io_error;
        bool sticky = false;  // and every later one
    };

    explicit MemoryFileSystem(std::uint64_t capacity = 1ULL << 40U) : capacity_(capacity) {}

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<void> remove(const std::string& path) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Result<void> make_directory(const std::string& directory) override;
    Result<void> sync_directory(const std::string& directory) override;
    Result<Space> space(const std::string& path) override;
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

    // Faults and limits.
    void plan(FaultPlan plan);
    void clear_faults();
    void set_capacity(std::uint64_t bytes);
    void set_sync_lies(bool lies);  // syncs succeed and do nothing: the negative control
    // Reads from [from, to) of `path` fail with EIO until clear_faults().
    void fail_reads(const std::string& path, std::uint64_t from, std::uint64_t to);
    // read_cached() answers that the bytes are not in memory.
    void set_cached(bool cached);
    // Runs inside every write_durable() and sync(): a slow disk moves its clock here.
    void on_sync(std::function<void()> action);
    // After this many further changing calls every later call of any kind fails: the process is
    // gone.
    void die_after(std::uint64_t calls);
    [[nodiscard]] bool dead() const;

    // The machine. Open files of before keep failing afterwards; locks are released.
    void kill();                     // process death: what was written stays
    void crash(std::uint64_t seed);  // power cut

    // The disk, behind the program's back. Both images change.
    [[nodiscard]] std::vector<std::byte> contents(const std::string& path) const;
    void set_contents(const std::string& path, std::vector<std::byte> bytes);
    void flip(const std::string& path, std::uint64_t position, std::uint8_t mask);
    void zero(const std::string& path, std::uint64_t position, std::uint64_t count);
    void cut(const std::string& path, std::uint64_t size);
    [[nodiscard]] bool exists(const std::string& path) const;

    // Counting. `changes` counts the calls that FaultPlan::call counts.
    [[nodiscard]] std::uint64_t changes() const;
    [[nodiscard]] std::uint64_t calls(Call call) const;
    [[nodiscard]] std::uint64_t bytes_read() const;
    void reset_counts();

 private:
    class MemoryFile;
    class MemoryLock;
    struct Node {
        std::vector<std::byte> written;
        std::vector<std::byte> synced;
        std::vector<bool> dirty;  // by sector: written since it was last synced
    };
    using Names = std::map<std::string, std::shared_ptr<Node>>;
    // A change of names that no sync_directory() covered yet; a rename is atomic, as in any
    // journal.
    struct NameChange {
        std::string removed;  // empty: none
        std::string added;    // empty: none
        std::shared_ptr<Node> node;
    };

    static std::string directory_of(const std::string& path);
    // All of these with mutex_ held.
    std::optional<Fault> next_fault(Call call);
    Result<void> change(Call call, const char* name, const std::string& path);
    Result<void> write_node(
        Node& node, Call call, const std::string& path, std::uint64_t position, Bytes bytes
    );
    void sync_node(Node& node, std::uint64_t from, std::uint64_t to);
    [[nodiscard]] std::uint64_t used() const;
    [[nodiscard]] Result<void> alive(std::uint64_t generation, const std::string& path) const;
    [[nodiscard]] Result<std::shared_ptr<Node>> find(const std::string& path) const;
    void release_process();

    mutable std::mutex mutex_;
    Names names_;
    Names synced_names_;
    std::vector<NameChange> name_changes_;
    std::set<std::string> directories_;
    std::set<std::string> locks_;
    std::uint64_t capacity_;
    std::uint64_t generation_ = 0;
    bool sync_lies_ = false;
    bool cached_ = true;
    std::optional<FaultPlan> plan_;
    std::optional<std::uint64_t> die_after_;
    bool dead_ = false;
    std::multimap<std::string, std::pair<std::uint64_t, std::uint64_t>> bad_reads_;
    std::function<void()> on_sync_;
    std::uint64_t changes_ = 0;
    std::uint64_t bytes_read_ = 0;
    std::map<Call, std::uint64_t> counts_;
};

}  // namespace belfry
