#include "sinks/command_process.h"

#include "base/assert.h"
#include "net/socket.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace belfry {

namespace {

std::unexpected<Error> cannot(std::string_view what, int error) {
    return fail(Errc::unavailable, std::string(what) + ": " + system_error_text(error));
}

// A file action must not overwrite what a later one copies from: 0, 1 and 2 may be free here.
OwnedDescriptor above_standard(OwnedDescriptor descriptor) {
    if (descriptor.get() > STDERR_FILENO || !descriptor.is_open()) {
        return descriptor;
    }
    return OwnedDescriptor(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

// A memory file that nobody can change: whatever its reader does, nobody waits for it.
Result<OwnedDescriptor> input_file(std::string_view input) {
    OwnedDescriptor file(::memfd_create("belfry-event", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    file = above_standard(std::move(file));
    if (!file.is_open()) {
        return cannot("no memory for its input", errno);
    }
    while (!input.empty()) {
        const ssize_t written = ::write(file.get(), input.data(), input.size());
        if (written < 0 && errno != EINTR) {
            return cannot("no memory for its input", errno);
        }
        input.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (::lseek(file.get(), 0, SEEK_SET) != 0 || ::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
        return cannot("its input cannot be sealed", errno);
    }
    return file;
}

// (glibc 2.36 declares pidfd_open() for C only.)
OwnedDescriptor open_pidfd(pid_t pid) {
    return OwnedDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
}

// What posix_spawn() is told, and its release.
class SpawnPlan {
 public:
    SpawnPlan(int input, int errors) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
        note(::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO));
        note(::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        );
        note(::posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO));
        note(::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1));
        note(::posix_spawn_file_actions_addchdir_np(&actions_, "/"));
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        note(::posix_spawnattr_setsigmask(&attributes_, &none));
        note(::posix_spawnattr_setsigdefault(&attributes_, &all));
        constexpr short kFlags =
            POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
        note(::posix_spawnattr_setflags(&attributes_, kFlags));
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    // 0, or why not.
    [[nodiscard]] int run(const CommandSpec& spec, pid_t& pid) const {
        if (error_ != 0) {
            return error_;
        }
        return ::posix_spawn(
            &pid,
            spec.program.c_str(),
            &actions_,
            &attributes_,
            pointers(spec.argv).data(),
            pointers(spec.environment).data()
        );
    }

 private:
    void note(int error) { error_ = error_ == 0 ? error : error_; }

    static std::vector<char*> pointers(const std::vector<std::string>& texts) {
        std::vector<char*> result;
        for (const std::string& text : texts) {
            result.push_back(const_cast<char*>(text.c_str()));  // the interface; nothing is written
        }
        result.push_back(nullptr);
        return result;
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    int error_ = 0;
};

}  // namespace

OwnedDescriptor::OwnedDescriptor(OwnedDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

void OwnedDescriptor::close() {
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

Result<CommandProcess> CommandProcess::start(const CommandSpec& spec) {
    Result<OwnedDescriptor> input = input_file(spec.input);
    if (!input) {
        return std::unexpected(std::move(input.error()));
    }
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return cannot("no pipe for its errors", errno);
    }
    OwnedDescriptor errors(ends[0]);
    OwnedDescriptor errors_end = above_standard(OwnedDescriptor(ends[1]));
    // Only our end: the program's must behave as a program expects.
    if (!errors_end.is_open() || ::fcntl(errors.get(), F_SETFL, O_NONBLOCK) != 0) {
        return cannot("no pipe for its errors", errno);
    }
    pid_t pid = 0;
    if (int error = SpawnPlan(input->get(), errors_end.get()).run(spec, pid); error != 0) {
        return cannot("cannot be started", error);
    }
    CommandProcess child(pid, open_pidfd(pid), std::move(errors));
    if (!child.pidfd_.is_open()) {
        return cannot("cannot be watched", errno);
    }
    return child;
}

CommandProcess::CommandProcess(pid_t pid, OwnedDescriptor pidfd, OwnedDescriptor errors)
    : pid_(pid), pidfd_(std::move(pidfd)), errors_(std::move(errors)) {}

CommandProcess::CommandProcess(CommandProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      errors_(std::move(other.errors_)) {}

CommandProcess::~CommandProcess() {
    if (pid_ > 0) {
        signal_group(SIGKILL);
        // Whoever hangs in the kernel must not hang us; what is left is init's.
        ::waitpid(pid_, nullptr, WNOHANG);
    }
}

void CommandProcess::signal_group(int signal) const {
    ASSERT(pid_ > 0);
    ::kill(-pid_, signal);
}

CommandEnd CommandProcess::take_end() {
    ASSERT(pid_ > 0);
    siginfo_t info{};
    int result = 0;
    do {
        result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED);
    } while (result != 0 && errno == EINTR);
    pid_ = 0;
    if (result != 0) {
        return CommandEnd{.exit_code = -1};  // somebody else took it: nothing is known
    }
    if (info.si_code == CLD_EXITED) {
        return CommandEnd{.exit_code = info.si_status};
    }
    return CommandEnd{.signal = info.si_status};
}

}  // namespace belfry
