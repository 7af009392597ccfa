// A guest in its host (design.md, section 2): each check runs host.cpp as a process of its own and
// wants silence on both streams, no complaint, and a normal exit.
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace {

struct Outcome {
    int status = -1;
    std::string output;
    std::string errors;
    std::string complaints;
};

Outcome run_host(const std::string &check) {
    std::array<std::array<int, 2>, 3> pipes{};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (size_t i = 0; i < pipes.size(); ++i) {
        // Above the descriptors that the child gets, so that no dup2 overwrites a pipe.
        EXPECT_EQ(pipe(pipes[i].data()), 0);
        for (int &end : pipes[i]) {
            const int high = fcntl(end, F_DUPFD_CLOEXEC, 64);
            close(end);
            end = high;
        }
        posix_spawn_file_actions_adddup2(&actions, pipes[i][1], static_cast<int>(i) + 1);
    }
    const std::string host = GUEST_HOST;
    const std::string library = GUEST_LIBRARY;
    const std::string model = std::string(MULLAMA_TEST_FIXTURES) + "/llama.gguf";
    std::array<char *, 5> argv = {
        const_cast<char *>(host.c_str()), const_cast<char *>(check.c_str()),
        const_cast<char *>(library.c_str()), const_cast<char *>(model.c_str()), nullptr};
    pid_t child = -1;
    EXPECT_EQ(posix_spawn(&child, host.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);

    Outcome outcome;
    const std::array<std::string *, 3> sinks = {&outcome.output, &outcome.errors,
                                                &outcome.complaints};
    for (auto &ends : pipes) {
        close(ends[1]);
    }
    std::array<pollfd, 3> polled = {pollfd{pipes[0][0], POLLIN, 0}, pollfd{pipes[1][0], POLLIN, 0},
                                    pollfd{pipes[2][0], POLLIN, 0}};
    for (size_t open = polled.size(); open > 0;) {
        poll(polled.data(), polled.size(), -1);
        for (size_t i = 0; i < polled.size(); ++i) {
            if (polled[i].fd < 0 || polled[i].revents == 0) {
                continue;
            }
            std::array<char, 4096> buffer{};
            const ssize_t got = read(polled[i].fd, buffer.data(), buffer.size());
            if (got > 0) {
                sinks[i]->append(buffer.data(), static_cast<size_t>(got));
            } else {
                close(polled[i].fd);
                polled[i].fd = -1;
                --open;
            }
        }
    }
    waitpid(child, &outcome.status, 0);
    return outcome;
}

class Guest : public testing::TestWithParam<const char *> {};

TEST_P(Guest, LeavesTheHostAlone) {
    const Outcome outcome = run_host(GetParam());
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(outcome.errors, "");
    EXPECT_EQ(outcome.complaints, "");
    EXPECT_TRUE(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0)
        << "wait status " << outcome.status;
}

INSTANTIATE_TEST_SUITE_P(Checks, Guest,
                         testing::Values("surroundings", "threads", "descriptors", "fork",
                                         "fork_afresh", "rounding", "comma_locale"),
                         [](const auto &check) { return std::string(check.param); });

} // namespace
