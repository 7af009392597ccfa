// Every function of the contract, with every argument out of range, NULL or another's, and in the
// wrong state: the documented error, outputs untouched, and all still works afterwards.
//
// The functions come from the headers (describe.py); a function without a recipe fails by name.
#include <gtest/gtest.h>

#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

bool is_standard(const Function &function) {
    bool found = false;
    const auto compare = [&](std::string_view name, auto) {
        found = found || name == function.name;
    };
    visit_init_functions(compare);
    visit_free_functions(compare);
    return found;
}

TEST(Contract, EachFunctionHasARecipe) {
    for (const Function &function : contract()) {
        EXPECT_NE(recipes().find(function.name) != nullptr, is_standard(function))
            << function.name << " has no recipe: add one to tests/sweep/*_recipes.cpp";
    }
    EXPECT_GT(contract().size(), 100U);
}

TEST(Contract, InitFunctionsFillWhatTheCallerKnows) {
    visit_init_functions(
        []<class Struct>(std::string_view name, void (*init)(Struct *, std::size_t)) {
            SCOPED_TRACE(name);
            init(nullptr, sizeof(Struct));
            constexpr std::size_t room = sizeof(Struct) + 64;
            const auto pattern = static_cast<std::byte>(output_pattern);
            const auto filled = [&](std::size_t size) {
                std::vector<std::byte> bytes(room, pattern);
                init(reinterpret_cast<Struct *>(bytes.data()), size);
                return bytes;
            };
            for (const std::size_t size :
                 {std::size_t{0}, sizeof(std::size_t), std::size_t{1} << 20U, SIZE_MAX})
                EXPECT_EQ(filled(size), std::vector(room, pattern)) << size;
            // An older caller's, one that knows this library, and a newer one's.
            for (const std::size_t size : {2 * sizeof(std::size_t), sizeof(Struct), room - 8}) {
                const std::vector<std::byte> bytes = filled(size);
                std::size_t set = 0;
                std::memcpy(&set, bytes.data(), sizeof set);
                EXPECT_EQ(set, size);
                for (std::size_t i = size; i < room; ++i)
                    EXPECT_EQ(bytes[i], pattern) << "a byte past " << size;
                for (std::size_t i = sizeof(Struct); i < size; ++i)
                    EXPECT_EQ(bytes[i], std::byte{0}) << "a field of a newer caller";
            }
        });
}

TEST(Contract, FreeFunctionsAcceptNull) {
    visit_free_functions([](std::string_view, auto free) { free(nullptr); });
}

struct Run {
    Engine engine;
    const AnyRecipe *recipe;
};

std::vector<Run> runs() {
    std::vector<Run> all;
    for (const auto &recipe : recipes().all()) {
        if (!recipe->needs_llama())
            all.push_back({Engine::echo, recipe.get()});
#ifdef MULLAMA_TEST_LLAMA
        all.push_back({Engine::llama, recipe.get()});
#endif
    }
    return all;
}

std::string name_of_run(const testing::TestParamInfo<Run> &info) {
    return std::string(info.param.engine == Engine::echo ? "echo_" : "llama_") +
           std::string(info.param.recipe->function().name.substr(sizeof "mullama_" - 1));
}

class Sweep : public testing::TestWithParam<Run> {
protected:
    static void TearDownTestSuite() {
        worlds().clear();
        const testing::UnitTest &all = *testing::UnitTest::GetInstance();
        if (all.test_to_run_count() != all.total_test_count())
            return;
#ifdef MULLAMA_TEST_LLAMA
        EXPECT_EQ(unused_struct_deviations(), std::vector<std::string>())
            << "are declared, and the sweep has no such value";
#endif
    }

    // Models and contexts serve many tests.
    static World &world() {
        std::unique_ptr<World> &world = worlds()[GetParam().engine];
        if (!world)
            world = std::make_unique<World>(GetParam().engine);
        return *world;
    }

private:
    static std::map<Engine, std::unique_ptr<World>> &worlds() {
        static std::map<Engine, std::unique_ptr<World>> all;
        return all;
    }
};

TEST_P(Sweep, RefusesBadArguments) {
    GetParam().recipe->sweep(world());
}

TEST_P(Sweep, RefusesWhileBusy) {
    GetParam().recipe->call_while_busy(world());
}

INSTANTIATE_TEST_SUITE_P(Contract, Sweep, testing::ValuesIn(runs()), name_of_run);

} // namespace

} // namespace mullama::sweep
