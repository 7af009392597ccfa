#include "platform/process.hpp"

#include "platform/descriptor_posix.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __APPLE__
#include <crt_externs.h>
#elif defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 34)
#define MULLAMA_HAS_CLOSEFROM
#endif
#endif

namespace mullama::platform {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

char **environment() {
#ifdef __APPLE__
    return *::_NSGetEnviron(); // shared libraries have no `environ` there
#else
    return environ;
#endif
}

void check(int code, std::string_view what) {
    if (code != 0)
        throw system_error(code, what);
}

struct Pipe {
    Handle read;
    Handle write;
};

Pipe make_pipe(std::string_view what) {
    std::array<int, 2> ends{};
#ifdef __APPLE__
    if (::pipe(ends.data()) != 0)
        throw system_error(errno, what);
    for (const int end : ends)
        ::fcntl(end, F_SETFD, FD_CLOEXEC);
#else
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw system_error(errno, what);
#endif
    Pipe pipe{Handle(ends[0]), Handle(ends[1])};
    pipe.read = off_standard_streams(std::move(pipe.read), what);
    pipe.write = off_standard_streams(std::move(pipe.write), what);
    // Our end alone: the two ends are two open files.
    ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
    return pipe;
}

// The files that the child starts with.
class FileActions {
public:
    explicit FileActions(std::string_view what) : what_(what) {
        check(::posix_spawn_file_actions_init(&actions_), what_);
    }
    FileActions(const FileActions &) = delete;
    FileActions &operator=(const FileActions &) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

    void open(int target, const char *path, int flags) {
        check(::posix_spawn_file_actions_addopen(&actions_, target, path, flags, 0), what_);
    }
    void copy(const Handle &from, int target) {
        check(::posix_spawn_file_actions_adddup2(&actions_, from.get(), target), what_);
    }
    // What the host has opened without close-on-exec. macOS does it by an attribute; an older C
    // library than glibc 2.34 has no way that is safe beside other threads.
    void close_all_others() {
#ifdef MULLAMA_HAS_CLOSEFROM
        check(::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1), what_);
#endif
    }
    [[nodiscard]] const posix_spawn_file_actions_t *get() const noexcept { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
    std::string_view what_;
};

// The signal handling that the child starts with: none ignored, none blocked, whatever the host
// does with its own.
class Attributes {
public:
    explicit Attributes(std::string_view what) {
        check(::posix_spawnattr_init(&attributes_), what);
        sigset_t signals;
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
        ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }
    Attributes(const Attributes &) = delete;
    Attributes &operator=(const Attributes &) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }

    [[nodiscard]] const posix_spawnattr_t *get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

// A child that never outlives its owner. Only this one is ever waited for, by its number.
class Child {
public:
    Child(const ProcessOptions &options, const Handle &output, const Handle &errors,
          std::string_view what) {
        const NativePath program = native_path(options.program);
        // posix_spawn() tells too, but not where vfork() is emulated, as by qemu's user mode.
        if (::faccessat(AT_FDCWD, program.c_str(), X_OK, AT_EACCESS) != 0)
            throw system_error(errno, what);
        std::vector<char *> argv;
        argv.push_back(const_cast<char *>(program.c_str()));
        for (const std::string &argument : options.arguments)
            argv.push_back(const_cast<char *>(argument.c_str()));
        argv.push_back(nullptr);

        FileActions actions(what);
        actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
        actions.copy(output, STDOUT_FILENO);
        actions.copy(errors, STDERR_FILENO);
        actions.close_all_others();
        const Attributes attributes(what);
        check(::posix_spawn(&pid_, program.c_str(), actions.get(), attributes.get(), argv.data(),
                            environment()),
              what);
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    ~Child() {
        kill();
        while (!ended_)
            wait_a_while();
    }

    // Asks whether the child has ended, without waiting.
    bool has_ended() noexcept {
        if (ended_)
            return true;
        int status = 0;
        const pid_t pid = ::waitpid(pid_, &status, WNOHANG);
        if (pid == pid_) {
            ended_ = true;
            end_ = WIFSIGNALED(status) ? ProcessResult::End::crashed : ProcessResult::End::exited;
            code_ = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
        } else if (pid < 0 && errno == ECHILD) {
            ended_ = true; // the system, or the host, has taken it already
        }
        return ended_;
    }

    // Waits for the end or for a little while, growing from one call to the next.
    void wait_a_while() noexcept {
        if (has_ended())
            return;
        std::this_thread::sleep_for(pause_);
        pause_ = std::min(pause_ * 2, milliseconds(16));
    }

    void kill() noexcept {
        if (!has_ended()) // else the number may be another process's by now
            ::kill(pid_, SIGKILL);
    }

    [[nodiscard]] ProcessResult::End end() const noexcept { return end_; }
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    pid_t pid_ = -1;
    bool ended_ = false;
    ProcessResult::End end_ = ProcessResult::End::unknown;
    int code_ = 0;
    milliseconds pause_{1};
};

// One output of the child.
struct Capture {
    Handle pipe;
    std::string *text;

    // Takes what is there, which is 1 MiB at the very most, however fast more comes; closes the
    // pipe at its end.
    void drain(std::size_t max_output) {
        std::array<char, 16384> buffer;
        for (int rounds = 64; pipe && rounds > 0; --rounds) {
            const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
            if (got > 0) {
                const std::size_t room = max_output - std::min(max_output, text->size());
                text->append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
            } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
                pipe = Handle();
            } else if (errno == EAGAIN) {
                return;
            }
        }
    }
};

} // namespace

ProcessResult run_process(const ProcessOptions &options) {
    const std::string what = "run " + quoted(options.program);
    for (const std::string &argument : options.arguments) {
        if (argument.find('\0') != std::string::npos) {
            throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT, "an argument for " +
                                                                  quoted(options.program) +
                                                                  " has a NUL character in it")
                .parameter("arguments");
        }
    }

    Pipe output = make_pipe(what);
    Pipe errors = make_pipe(what);
    Child child(options, output.write, errors.write, what);
    // The child has its own copies: only without ours does reading come to an end.
    output.write = Handle();
    errors.write = Handle();

    ProcessResult result;
    std::array<Capture, 2> captures = {Capture{std::move(output.read), &result.output},
                                       Capture{std::move(errors.read), &result.errors}};
    const auto deadline =
        options.time_limit ? Clock::now() + *options.time_limit : Clock::time_point::max();
    bool timed_out = false;
    while (true) {
        // Asked first, and read after: what the child wrote before its end is then in the pipes.
        const bool ended = child.has_ended();
        for (Capture &capture : captures)
            capture.drain(options.max_output);
        if (ended)
            break;
        if (!timed_out && Clock::now() >= deadline) {
            timed_out = true;
            child.kill();
        }
        if (!captures[0].pipe && !captures[1].pipe) {
            child.wait_a_while();
            continue;
        }
        // Wakes up for output and for the end of it, which is the end of the child; unless a
        // grandchild holds the pipes, or the child has closed them: hence not for long.
        std::array<pollfd, 2> wait{};
        for (std::size_t i = 0; i < wait.size(); ++i)
            wait[i] = {captures[i].pipe ? captures[i].pipe.get() : -1, POLLIN, 0};
        const auto left =
            std::chrono::duration_cast<milliseconds>(deadline - Clock::now()) + milliseconds(1);
        ::poll(wait.data(), wait.size(),
               static_cast<int>(std::clamp(left, milliseconds(1), milliseconds(50)).count()));
    }
    result.end = timed_out ? ProcessResult::End::timed_out : child.end();
    result.code = child.code();
    return result;
}

std::string crash_name(int code) {
    std::string name = "signal " + std::to_string(code);
    const char *const words = ::strsignal(code);
    return words != nullptr ? name + " (" + words + ")" : name;
}

} // namespace mullama::platform
