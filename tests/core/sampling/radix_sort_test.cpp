// Falling order, equal values as they came.
#include "core/sampling/radix_sort.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace mullama::core::sampling;

void expect_a_stable_sort(const std::vector<float> &values) {
    std::vector<Ranked> items;
    for (std::size_t i = 0; i < values.size(); ++i)
        items.push_back({values[i], static_cast<std::uint32_t>(i)});
    std::vector<Ranked> sorted(items.size());
    std::vector<Ranked> scratch(items.size());
    sort_by_radix(items, sorted, scratch);
    std::stable_sort(items.begin(), items.end(),
                     [](const auto &a, const auto &b) { return a.value > b.value; });
    for (std::size_t i = 0; i < items.size(); ++i) {
        ASSERT_EQ(sorted[i].value, items[i].value) << i << " of " << items.size();
        ASSERT_EQ(sorted[i].place, items[i].place) << i << " of " << items.size();
    }
}

TEST(RadixSort, IsAStableSort) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal;
    for (const std::size_t size : {0U, 1U, 2U, 100U, 5000U}) {
        // From one digit that differs to all four.
        for (const float scale : {0.0F, 1e-6F, 1e-3F, 1.0F, 1e30F}) {
            for (const float middle : {0.0F, 1.0F, -1.9F}) {
                std::vector<float> values(size);
                for (float &value : values)
                    value = middle + scale * normal(engine);
                expect_a_stable_sort(values);
                for (float &value : values)
                    value = std::round(value);
                expect_a_stable_sort(values);
            }
        }
    }
}

TEST(RadixSort, TakesZerosAndInfinitiesForWhatTheyAre) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float least = std::numeric_limits<float>::denorm_min();
    expect_a_stable_sort({-infinity, 0, -0.0F, infinity, -least, 0, least, -0.0F, -infinity, 1});
}

} // namespace
