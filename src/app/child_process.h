// A program that a command runs and waits for: bytes on its standard input, our standard output and
// error, a process group of its own. Owned by whoever started it; one thread, which runs the loop
// inside wait(). Not waited for, it is killed with its group by the destructor.
#pragma once

#include "base/error.h"
#include "net/loop.h"

#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace belfry {

struct Program {
    std::vector<std::string> arguments;  // the first is found in PATH unless it has a slash
    std::vector<std::pair<std::string, std::string>> environment;
    std::string input;  // a file in memory: it may be read late, in part, or not at all
    mode_t umask = 022;
};

class ChildProcess {
 public:
    [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(const Program& program);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // Runs the loop until it has ended; once. Empty: it ended with 0; else how it ended, "ended
    // with 3".
    [[nodiscard]] std::string wait(Loop& loop);
    // To the whole group, from within wait() or before.
    void signal(int number);

 private:
    explicit ChildProcess(pid_t pid) : pid_(pid) {}

    pid_t pid_;  // and its group's; 0: it is gone
};

}  // namespace belfry
