// What llama.cpp can do with adapters for which architecture: the tables name what it has.
#include "backend/llama/adapter.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace {

using namespace mullama::backend;
namespace llama = mullama::backend::llama;

TEST(LlamaAdapters, TablesNameArchitecturesThatThereAre) {
    const Backend *const engine = find_backend("llama");
    ASSERT_NE(engine, nullptr);
    for (const std::string_view name : llama::unsteered_architectures())
        EXPECT_TRUE(engine->knows_architecture(name)) << name;
    for (const std::string_view name : llama::fixed_size_architectures())
        EXPECT_TRUE(engine->knows_architecture(name)) << name;
    EXPECT_TRUE(engine->knows_architecture("hrm_text"));
}

TEST(LlamaAdapters, ControlVectorsNeedAPlaceAndALayer) {
    ModelFacts facts;
    facts.n_layer = 2;
    facts.architecture = "llama";
    EXPECT_NO_THROW(llama::require_control_vectors(facts));
    facts.n_layer = 1;
    EXPECT_THROW(llama::require_control_vectors(facts), mullama::base::Error);
    facts.n_layer = 2;
    for (const std::string_view name : llama::unsteered_architectures()) {
        facts.architecture = name;
        EXPECT_THROW(llama::require_control_vectors(facts), mullama::base::Error) << name;
    }
}

} // namespace
