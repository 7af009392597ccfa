// Falling order, whatever the values.
#include "core/sampling/radix_sort.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace mullama::core::sampling;

void expect_falling_order(std::vector<float> values) {
    std::vector<float> expected = values;
    std::sort(expected.begin(), expected.end(), std::greater<>());
    std::vector<float> scratch(values.size());
    sort_by_radix(values, scratch);
    for (std::size_t i = 0; i < values.size(); ++i)
        ASSERT_EQ(values[i], expected[i]) << i << " of " << values.size();
}

TEST(RadixSort, SortsLikeAnyOther) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal;
    for (const std::size_t size : {0U, 1U, 2U, 100U, 1499U, 1500U, 5000U}) {
        // From no digit that differs to all of them.
        for (const float scale : {0.0F, 1e-6F, 1e-3F, 1.0F, 1e30F}) {
            for (const float middle : {0.0F, 1.0F, -1.9F}) {
                std::vector<float> values(size);
                for (float &value : values)
                    value = middle + scale * normal(engine);
                expect_falling_order(values);
                for (float &value : values)
                    value = std::round(value);
                expect_falling_order(values);
            }
        }
    }
}

TEST(RadixSort, TakesZerosAndInfinitiesForWhatTheyAre) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float least = std::numeric_limits<float>::denorm_min();
    expect_falling_order({-infinity, 0, -0.0F, infinity, -least, 0, least, -0.0F, -infinity, 1});
}

} // namespace
