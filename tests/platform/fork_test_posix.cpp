#include "platform/fork.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

TEST(Fork, IsCountedInTheChildAlone) {
    const auto before = fork_count();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const bool first = fork_count() == before + 1;
        const pid_t grandchild = ::fork();
        if (grandchild == 0)
            ::_exit(fork_count() == before + 2 ? 0 : 1);
        int status = 1;
        ::waitpid(grandchild, &status, 0);
        ::_exit(first && status == 0 && fork_count() == before + 1 ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(fork_count(), before);
}

} // namespace
} // namespace mullama::platform
