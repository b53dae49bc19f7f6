#include "app/child_process.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace belfry {

namespace {

// Closed when it goes.
class MemoryInput {
 public:
    MemoryInput() : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {}
    ~MemoryInput() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    MemoryInput(const MemoryInput&) = delete;
    MemoryInput& operator=(const MemoryInput&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] bool fill(std::string_view bytes) const {
        while (descriptor_ >= 0 && !bytes.empty()) {
            const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
            if (count < 0 && errno != EINTR) {
                return false;
            }
            bytes.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
        }
        return descriptor_ >= 0 && ::lseek(descriptor_, 0, SEEK_SET) == 0;
    }

 private:
    int descriptor_;
};

// How a program begins: its own group, our input, no signal held back.
class SpawnPlan {
 public:
    explicit SpawnPlan(int input) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        sigset_t signals;
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        ::sigaddset(&signals, SIGPIPE);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        );
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    int spawn(pid_t& pid, char** arguments, char** environment) {
        return ::posix_spawnp(&pid, arguments[0], &actions_, &attributes_, arguments, environment);
    }

 private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        return fmt::format("was killed by signal {} ({})", number, ::strsignal(number));
    }
    const int code = WEXITSTATUS(status);
    return code == 0 ? "" : fmt::format("ended with {}", code);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const Program& program) {
    const MemoryInput input;
    if (!input.fill(program.input)) {
        return fail(Errc::internal, fmt::format("its input: {}", std::strerror(errno)));
    }
    std::vector<std::string> arguments = program.arguments;
    std::vector<std::string> environment;
    for (const auto& [name, value] : program.environment) {
        environment.push_back(name + "=" + value);
    }
    SpawnPlan plan(input.descriptor());
    pid_t pid = 0;
    // The mask is the process's; nothing else makes a file meanwhile.
    const mode_t ours = ::umask(program.umask);
    const int error = plan.spawn(pid, pointers(arguments).data(), pointers(environment).data());
    ::umask(ours);
    if (error != 0) {
        return fail(
            Errc::internal, fmt::format("{}: {}", program.arguments.front(), std::strerror(error))
        );
    }
    return std::unique_ptr<ChildProcess>(new ChildProcess(pid));
}

ChildProcess::~ChildProcess() {
    if (pid_ != 0) {
        signal(SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

std::string ChildProcess::wait(Loop& loop) {
    bool has_ended = false;
    // Only looked at: until the child is reaped below, no other process can have its number.
    std::thread watcher([&, pid = pid_] {
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) < 0 &&
               errno == EINTR) {
        }
        loop.post([&] {
            has_ended = true;
            loop.stop();
        });
    });
    while (!has_ended) {
        loop.run();
    }
    watcher.join();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return how_it_ended(status);
}

void ChildProcess::signal(int number) {
    if (pid_ != 0) {
        ::kill(-pid_, number);
    }
}

}  // namespace belfry
