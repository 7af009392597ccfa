// To the last bit what std::exp gives, one by one and many at once.
#include "core/sampling/exponential.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace mullama::core::sampling;

constexpr float infinity = std::numeric_limits<float>::infinity();

void expect_std_exp(const std::vector<float> &logits, float max) {
    const Exponential exponential(max);
    std::vector<float> weights(logits.size());
    exponential(logits, weights.data());
    for (std::size_t i = 0; i < logits.size(); ++i) {
        ASSERT_EQ(weights[i], std::exp(logits[i] - max)) << logits[i] << " - " << max;
        ASSERT_EQ(exponential(logits[i]), weights[i]) << logits[i] << " - " << max;
    }
}

// Every float from -0 to -infinity in steps too small to miss a kind of them.
TEST(Exponential, IsThatOfTheStandardLibrary) {
    constexpr std::uint32_t step = 1009;
    std::vector<float> numbers;
    for (std::uint32_t bits = 0x80000000U; bits <= 0xff800000U; bits += step) {
        float number = 0;
        std::memcpy(&number, &bits, sizeof number);
        numbers.push_back(number);
    }
    expect_std_exp(numbers, 0);
}

TEST(Exponential, IsThatOfTheStandardLibraryAtTheEdges) {
    constexpr float least = std::numeric_limits<float>::denorm_min();
    // The last is the one number whose result shows how the processor multiplies and adds.
    const std::vector<float> edges{0,           -0.0F,       -least,      -infinity,
                                   -87.33654F,  -87.336555F, -103.97207F, -103.97208F,
                                   -103.27893F, -104,        -1e30F,      -0x1.f8cbb2p+5F};
    for (std::size_t size = 0; size <= edges.size(); ++size)
        expect_std_exp({edges.begin(), edges.begin() + static_cast<std::ptrdiff_t>(size)}, 0);
    std::mt19937 engine(1);
    std::normal_distribution<float> normal(0, 30);
    for (const float max : {100.0F, 1e6F, 1e38F}) {
        std::vector<float> logits(1001);
        for (float &logit : logits)
            logit = std::fmin(normal(engine), max);
        expect_std_exp(logits, max);
    }
}

TEST(Exponential, FallingLogitsMayBeAlike) {
    std::vector<float> logits(300, 2);
    for (std::size_t i = 100; i < logits.size(); ++i)
        logits[i] = i < 250 ? 1 : -static_cast<float>(i);
    std::vector<float> weights(logits.size());
    Exponential(2).falling(logits, weights.data());
    for (std::size_t i = 0; i < logits.size(); ++i)
        ASSERT_EQ(weights[i], std::exp(logits[i] - 2)) << i;
}

// Penalties at their limits make such logits.
TEST(Exponential, OnlyAnInfiniteMaximumItselfHasWeight) {
    const std::vector<float> logits{infinity, 3, infinity, -infinity};
    std::vector<float> weights(logits.size());
    Exponential{infinity}(logits, weights.data());
    EXPECT_EQ(weights, (std::vector<float>{1, 0, 1, 0}));
}

} // namespace
