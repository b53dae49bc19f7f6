// A program being run, without a shell and without a copy of this program's memory: its own
// session and process group, its input in a sealed memory file, its output thrown away, its errors
// in a pipe; no other descriptor and no signal setting of this program reaches it. Owned by
// whoever started it; what still runs when it is destroyed is killed. Any thread, one at a time.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace belfry {

class OwnedDescriptor {
 public:
    OwnedDescriptor() = default;
    explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
    OwnedDescriptor(OwnedDescriptor&& other) noexcept;
    OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
    ~OwnedDescriptor() { close(); }

    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    void close();

 private:
    int descriptor_ = -1;
};

struct CommandSpec {
    std::string program;  // an absolute path
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // "NAME=value", all of it
    std::string input;
};

// How it ended.
struct CommandEnd {
    int exit_code = 0;
    int signal = 0;  // 0: by itself
};

class CommandProcess {
 public:
    // Waits until the program runs, as long as reading it takes: not for the I/O thread. An error
    // says why it cannot be run.
    [[nodiscard]] static Result<CommandProcess> start(const CommandSpec& spec);

    CommandProcess(CommandProcess&& other) noexcept;
    CommandProcess& operator=(CommandProcess&&) = delete;
    ~CommandProcess();

    // Readable when it has ended.
    [[nodiscard]] int end_descriptor() const { return pidfd_.get(); }
    // What it writes to its standard error; never blocks.
    [[nodiscard]] int error_descriptor() const { return errors_.get(); }
    void close_errors() { errors_.close(); }
    [[nodiscard]] pid_t pid() const { return pid_; }

    // To every process of its group. Until take_end() the number cannot be anybody else's.
    void signal_group(int signal) const;
    // Once, after end_descriptor() became readable.
    [[nodiscard]] CommandEnd take_end();

 private:
    CommandProcess(pid_t pid, OwnedDescriptor pidfd, OwnedDescriptor errors);

    pid_t pid_;  // 0: has ended
    OwnedDescriptor pidfd_;
    OwnedDescriptor errors_;
};

}  // namespace belfry
