#include "platform/process.hpp"

#include "base/error.hpp"
#include "platform/clock.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

using End = ProcessResult::End;
using std::chrono::milliseconds;

ProcessOptions shell(std::string script, std::vector<std::string> arguments = {}) {
    ProcessOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", std::move(script), "sh"};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    return options;
}

double seconds_since(std::uint64_t start) {
    return static_cast<double>(monotonic_nanoseconds() - start) / 1e9;
}

// Puts a signal's handling back as it was.
class Disposition {
public:
    Disposition(int signal, void (*handler)(int)) : signal_(signal) {
        struct sigaction action{};
        action.sa_handler = handler;
        ::sigaction(signal, &action, &before_);
    }
    Disposition(const Disposition &) = delete;
    Disposition &operator=(const Disposition &) = delete;
    ~Disposition() { ::sigaction(signal_, &before_, nullptr); }

private:
    int signal_;
    struct sigaction before_{};
};

TEST(Process, CapturesBothOutputsAndTheExitCode) {
    const ProcessResult result = run_process(shell("echo out; echo err >&2; exit 3"));
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.code, 3);
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.errors, "err\n");
    EXPECT_FALSE(result.succeeded());
    EXPECT_EQ(result.describe(), "exited with code 3");
    EXPECT_TRUE(run_process(shell("exit 0")).succeeded());
}

TEST(Process, PassesArgumentsAsTheyAre) {
    const std::vector<std::string> arguments = {"a b", "", "\"'$HOME`\\*", "-x",
                                                "\xC3\xA4\xE2\x82\xAC\n"};
    std::string expected;
    for (const std::string &argument : arguments)
        expected += argument + "|";
    EXPECT_EQ(run_process(shell("printf '%s|' \"$@\"", arguments)).output, expected);
}

TEST(Process, SaysWhichSignalEndedIt) {
    const ProcessResult result = run_process(shell("echo first; kill -SEGV $$"));
    EXPECT_EQ(result.end, End::crashed);
    EXPECT_EQ(result.code, SIGSEGV);
    EXPECT_EQ(result.output, "first\n");
    EXPECT_EQ(result.describe(),
              "was killed by signal 11 (" + std::string(::strsignal(SIGSEGV)) + ")");
}

TEST(Process, ReadsNothing) {
    EXPECT_EQ(run_process(shell("cat; echo end")).output, "end\n");
}

TEST(Process, KeepsAllOutputAndCutsAtTheLimit) {
    ProcessOptions options = shell("head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2");
    ProcessResult result = run_process(options);
    EXPECT_EQ(result.output.size(), 300000u);
    EXPECT_EQ(result.errors.size(), 200000u);
    options.max_output = 1000;
    result = run_process(options);
    EXPECT_TRUE(result.succeeded()) << "the child must not see the limit";
    EXPECT_EQ(result.output.size(), 1000u);
    EXPECT_EQ(result.errors.size(), 1000u);
}

TEST(Process, IsKilledWhenItTakesTooLong) {
    for (const char *script :
         {"exec sleep 60", "exec sleep 60 >&- 2>&-", "while :; do :; done", "exec cat /dev/zero"}) {
        ProcessOptions options = shell(script);
        options.time_limit = milliseconds(100);
        options.max_output = 10;
        const std::uint64_t start = monotonic_nanoseconds();
        const ProcessResult result = run_process(options);
        EXPECT_EQ(result.end, End::timed_out) << script;
        EXPECT_GE(seconds_since(start), 0.1);
        EXPECT_LT(seconds_since(start), 20) << script;
        EXPECT_EQ(result.describe(), "took too long and was killed");
    }
}

TEST(Process, DoesNotWaitForGrandchildrenThatHoldItsOutput) {
    const std::uint64_t start = monotonic_nanoseconds();
    const ProcessResult result = run_process(shell("sleep 30 & echo $!"));
    EXPECT_TRUE(result.succeeded());
    EXPECT_LT(seconds_since(start), 15);
    ::kill(std::stoi(result.output), SIGKILL);
}

TEST(Process, MayCloseItsOutputsEarly) {
    const ProcessResult result = run_process(shell("exec >&- 2>&-; sleep 0.1; exit 4"));
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.code, 4);
}

TEST(Process, SaysWhyItCannotStart) {
    ProcessOptions options;
    options.program = "/nonexistent/program";
    try {
        static_cast<void>(run_process(options));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_NOT_FOUND);
        EXPECT_EQ(error.message(), "cannot run '/nonexistent/program': No such file or directory");
    }
    options.program = "/etc/passwd";
    try {
        static_cast<void>(run_process(options));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_PERMISSION);
    }
    options.program = "/bin/sh";
    options.arguments = {std::string("a\0b", 3)};
    try {
        static_cast<void>(run_process(options));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(error.parts().parameter, "arguments");
    }
}

TEST(Process, LeavesTheHostsSignalHandlingAlone) {
    static volatile std::sig_atomic_t children = 0;
    const Disposition child(SIGCHLD, [](int) { children = children + 1; });
    const Disposition pipe(SIGPIPE, SIG_IGN);
    struct sigaction before{};
    ::sigaction(SIGCHLD, nullptr, &before);
    sigset_t mask_before;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);

    EXPECT_TRUE(run_process(shell("exit 0")).succeeded());

    struct sigaction after{};
    ::sigaction(SIGCHLD, nullptr, &after);
    EXPECT_EQ(after.sa_handler, before.sa_handler);
    ::sigaction(SIGPIPE, nullptr, &after);
    EXPECT_EQ(after.sa_handler, SIG_IGN);
    sigset_t mask_after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
    EXPECT_EQ(::sigismember(&mask_after, SIGCHLD), ::sigismember(&mask_before, SIGCHLD));
    EXPECT_EQ(children, 1) << "the host still hears of its children";
}

TEST(Process, StartsWithTheSystemsOwnSignalHandling) {
    const Disposition term(SIGTERM, SIG_IGN);
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const ProcessResult result = run_process(shell("kill -TERM $$; echo survived"));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(result.end, End::crashed);
    EXPECT_EQ(result.code, SIGTERM);
    EXPECT_EQ(result.output, "");
}

TEST(Process, LeavesOtherChildrenToTheHost) {
    const pid_t other = ::fork();
    ASSERT_GE(other, 0);
    if (other == 0)
        ::_exit(42);
    EXPECT_TRUE(run_process(shell("sleep 0.05")).succeeded());
    int status = 0;
    ASSERT_EQ(::waitpid(other, &status, 0), other);
    EXPECT_EQ(WEXITSTATUS(status), 42);
    EXPECT_EQ(::waitpid(-1, &status, WNOHANG), -1) << "ours is left behind";
}

TEST(Process, CopesWithAHostThatIgnoresSigchld) {
    const Disposition ignored(SIGCHLD, SIG_IGN);
    const ProcessResult result = run_process(shell("echo out; exit 3"));
    EXPECT_EQ(result.end, End::unknown);
    EXPECT_EQ(result.output, "out\n");
    EXPECT_FALSE(result.succeeded());
    EXPECT_NE(result.describe().find("SIGCHLD"), std::string::npos);
}

TEST(Process, IsHandedNoFileOfTheHost) {
#ifdef __linux__
    const int leaky = ::open("/dev/null", O_RDONLY); // without close-on-exec
    ASSERT_GE(leaky, 0);
    // The shell lists its own: the glob is expanded in it, and its descriptor for that is one more.
    const ProcessResult result =
        run_process(shell("for f in /proc/self/fd/*; do readlink /proc/$$/fd/${f##*/}; done"));
    ::close(leaky);
    int pipes = 0;
    int nulls = 0;
    std::size_t lines = 0;
    for (std::size_t at = 0; at < result.output.size(); at = result.output.find('\n', at) + 1) {
        ++lines;
        pipes += result.output.compare(at, 5, "pipe:") == 0;
        nulls += result.output.compare(at, 10, "/dev/null\n") == 0;
    }
    EXPECT_EQ(pipes, 2) << result.output;
    EXPECT_EQ(nulls, 1) << result.output;
    EXPECT_EQ(lines, 3u) << result.output;
#else
    GTEST_SKIP() << "only Linux lists a process's files in /proc";
#endif
}

TEST(Process, LeaksNoDescriptorAndManyRunAtOnce) {
    const auto next_descriptor = [] {
        const int descriptor = ::dup(STDERR_FILENO);
        ::close(descriptor);
        return descriptor;
    };
    const int before = next_descriptor();
    std::vector<std::thread> threads;
    std::vector<std::string> outputs(8);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        threads.emplace_back(
            [&outputs, i] { outputs[i] = run_process(shell("echo " + std::to_string(i))).output; });
    }
    for (std::thread &thread : threads)
        thread.join();
    for (std::size_t i = 0; i < outputs.size(); ++i)
        EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
    EXPECT_EQ(next_descriptor(), before);
}

} // namespace
} // namespace mullama::platform
