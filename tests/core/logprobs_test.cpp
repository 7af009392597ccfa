#include "core/logprobs.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::core::Logprobs;

TEST(Logprobs, AgreeWithTheDefinition) {
    std::mt19937 engine(8);
    std::normal_distribution<float> normal(0, 10);
    for (const std::size_t size : {1U, 10U, 1000U, 100000U}) {
        std::vector<float> row(size);
        for (float &logit : row)
            logit = normal(engine) + 300;
        long double sum = 0;
        for (const float logit : row)
            sum += std::exp(static_cast<long double>(logit));
        Logprobs logprobs;
        logprobs.read(row, 0);
        EXPECT_TRUE(logprobs.top_tokens().empty());
        for (std::size_t i = 0; i < size; i += 1 + size / 100) {
            const auto expected = static_cast<double>(row[i] - std::log(sum));
            EXPECT_NEAR(logprobs.of(static_cast<mullama_token_t>(i)), expected,
                        1e-6 * (1 + std::abs(expected)));
        }
    }
}

TEST(Logprobs, ListTheLikeliest) {
    const float ruled_out = -std::numeric_limits<float>::infinity();
    const std::vector<float> row{0, std::log(2.0F), ruled_out, std::log(5.0F)};
    Logprobs logprobs;
    logprobs.read(row, 3);
    ASSERT_EQ(logprobs.top_tokens().size(), 3U);
    EXPECT_EQ(logprobs.top_tokens()[0], 3);
    EXPECT_EQ(logprobs.top_tokens()[1], 1);
    EXPECT_EQ(logprobs.top_tokens()[2], 0);
    EXPECT_NEAR(logprobs.top_values()[0], std::log(5.0 / 8), 1e-6);
    EXPECT_NEAR(logprobs.top_values()[1], std::log(2.0 / 8), 1e-6);
    EXPECT_NEAR(logprobs.top_values()[2], std::log(1.0 / 8), 1e-6);
    EXPECT_EQ(logprobs.of(2), ruled_out);
    logprobs.read(row, 100);
    EXPECT_EQ(logprobs.top_tokens().size(), 4U);
}

} // namespace
