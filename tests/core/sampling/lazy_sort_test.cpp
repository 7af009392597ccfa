// The order is std::sort's, ties included, however far it is read.
#include "core/sampling/lazy_sort.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace mullama::core::sampling;

using Values = std::vector<float>;

std::vector<Ranked> ranked(const Values &values) {
    std::vector<Ranked> items;
    for (std::size_t i = 0; i < values.size(); ++i)
        items.push_back({values[i], static_cast<std::uint32_t>(i)});
    return items;
}

void expect_the_order_of_std_sort(const Values &values, const std::string &what) {
    std::vector<Ranked> expected = ranked(values);
    std::sort(expected.begin(), expected.end(),
              [](const auto &a, const auto &b) { return a.value > b.value; });
    std::vector<Ranked> items = ranked(values);
    LazySort sort;
    sort.start(items);
    std::size_t done = 0;
    while (done < items.size()) {
        const std::size_t now = sort.next();
        ASSERT_GT(now, done) << what;
        for (; done < now; ++done) {
            ASSERT_EQ(items[done].value, expected[done].value) << what << ", at " << done;
#if defined(__GLIBCXX__)
            ASSERT_EQ(items[done].place, expected[done].place) << what << ", at " << done;
#endif
        }
    }
    EXPECT_EQ(sort.next(), items.size()) << what;
}

// One item alone is put where sorting all would have put it.
void expect_the_place_of_std_sort(const Values &values, std::size_t place) {
    std::vector<Ranked> expected = ranked(values);
    std::sort(expected.begin(), expected.end(),
              [](const auto &a, const auto &b) { return a.value > b.value; });
    std::vector<Ranked> items = ranked(values);
    LazySort sort;
    sort.start(items);
    sort.settle(place);
    ASSERT_EQ(items[place].value, expected[place].value) << place << " of " << values.size();
#if defined(__GLIBCXX__)
    ASSERT_EQ(items[place].place, expected[place].place) << place << " of " << values.size();
#endif
}

Values made(std::size_t size, auto value) {
    Values values(size);
    for (std::size_t i = 0; i < size; ++i)
        values[i] = value(static_cast<float>(i));
    return values;
}

// Sizes around a leaf, a block, two and three of them, and large ones.
const std::vector<std::size_t> sizes = {0,   1,   2,   3,   15,  16,  17,  18,   33,   63,   64,
                                        65,  127, 128, 129, 130, 160, 191, 192,  193,  194,  255,
                                        256, 257, 258, 300, 500, 700, 999, 2000, 5000, 70000};

TEST(LazySort, SortsRandomValuesAndTies) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal;
    for (const std::size_t size : sizes) {
        for (const float steps : {0.0F, 0.7F, 3.0F, 50.0F, 5000.0F}) {
            for (int trial = 0; trial < (size > 1000 ? 2 : 40); ++trial) {
                const Values values = made(size, [&](float) {
                    const float drawn = normal(engine);
                    return steps == 0 ? drawn : std::round(drawn * steps);
                });
                expect_the_order_of_std_sort(values, std::to_string(size) + " values in steps of " +
                                                         std::to_string(steps));
            }
        }
    }
}

TEST(LazySort, SortsWhatIsHardForAQuicksort) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const std::size_t size : sizes) {
        const std::string what = std::to_string(size) + " values, ";
        const auto count = static_cast<float>(size);
        expect_the_order_of_std_sort(made(size, [](float i) { return i; }), what + "rising");
        expect_the_order_of_std_sort(made(size, [](float i) { return -i; }), what + "falling");
        expect_the_order_of_std_sort(made(size, [](float) { return 1.0F; }), what + "equal");
        expect_the_order_of_std_sort(made(size, [](float i) { return i == 7 ? 1 : -infinity; }),
                                     what + "ruled out");
        expect_the_order_of_std_sort(
            made(size, [](float i) { return std::fmod(i, 2.0F) == 0 ? 0.0F : -0.0F; }),
            what + "two zeros");
        // Falling to a valley and rising again, as the distances of typical-p do: up to the place
        // where the heap takes over.
        for (const float at : {0.1F, 0.5F, 0.9F}) {
            expect_the_order_of_std_sort(
                made(size, [&](float i) { return -std::fabs(i - at * count); }), what + "a hill");
            expect_the_order_of_std_sort(
                made(size, [&](float i) { return -std::fabs(std::round((i - at * count) / 3)); }),
                what + "a hill of ties");
        }
    }
}

TEST(LazySort, SettlesOneItemAlone) {
    std::mt19937 engine(3);
    for (const std::size_t size : {1U, 16U, 17U, 500U, 5000U}) {
        const auto middle = static_cast<float>(size / 3);
        const Values ties = made(size, [&](float) { return static_cast<float>(engine() % 7); });
        // Hard for a quicksort: it ends in a heap.
        const Values valley = made(size, [&](float i) { return -std::fabs(i - middle); });
        for (int trial = 0; trial < 30; ++trial) {
            expect_the_place_of_std_sort(ties, engine() % size);
            expect_the_place_of_std_sort(valley, engine() % size);
        }
    }
}

} // namespace
