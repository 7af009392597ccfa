// After a fork, each function refuses the parent's objects: the child's half of "the wrong state".
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

// The code of the error that `call` brings in a forked child; -1 where that ended otherwise.
int code_in_child(const std::function<mullama_error_t *()> &call) {
    const pid_t child = fork();
    if (child == 0)
        _exit(static_cast<int>(mullama_error_code(call())));
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

TEST(Contract, RefusesObjectsOfTheParentAfterAFork) {
    World world(Engine::echo);
    std::size_t tried = 0;
    for (const auto &recipe : recipes().all()) {
        if (recipe->needs_llama())
            continue;
        SCOPED_TRACE(recipe->function().name);
        recipe->call_in_child(world, [&](const std::function<mullama_error_t *()> &call) {
            EXPECT_EQ(code_in_child(call), MULLAMA_ERROR_FORKED);
            ++tried;
        });
    }
    EXPECT_GT(tried, 30U);
}

} // namespace

} // namespace mullama::sweep
