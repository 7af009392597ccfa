#include "core/sampling/token_counts.hpp"

#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::core::sampling::Token;
using mullama::core::sampling::TokenCounts;

// Against the standard library's map, with tokens that crowd the same places and that are far
// apart.
TEST(TokenCounts, AgreesWithAMap) {
    const char *const today = std::getenv("MULLAMA_TEST_SEED");
    const auto seed =
        static_cast<std::uint32_t>(today == nullptr ? 1 : std::strtoul(today, nullptr, 10));
    std::mt19937 random(seed);
    for (const std::uint32_t spread : {3U, 40U, 1000U, 2000000000U}) {
        TokenCounts counts;
        std::map<Token, std::uint32_t> expected;
        std::vector<Token> present;
        for (int step = 0; step < 20000; ++step) {
            const auto number = static_cast<std::uint32_t>(random());
            if (present.empty() || number % 100 < 51) {
                const auto token =
                    static_cast<Token>(static_cast<std::uint32_t>(random()) % spread);
                counts.add(token);
                ++expected[token];
                present.push_back(token);
            } else {
                const std::size_t place = number % present.size();
                const Token token = present[place];
                present[place] = present.back();
                present.pop_back();
                counts.remove(token);
                if (--expected[token] == 0)
                    expected.erase(token);
            }
            ASSERT_EQ(counts.size(), expected.size());
            const auto probe = static_cast<Token>(static_cast<std::uint32_t>(random()) % spread);
            const auto found = expected.find(probe);
            ASSERT_EQ(counts.count(probe), found == expected.end() ? 0 : found->second)
                << "seed " << seed << ", step " << step;
        }
        std::map<Token, std::uint32_t> visited;
        counts.for_each([&](Token token, std::uint32_t count) { visited[token] = count; });
        EXPECT_EQ(visited, expected);
        counts.clear();
        EXPECT_EQ(counts.size(), 0U);
        EXPECT_EQ(counts.count(0), 0U);
    }
}

TEST(TokenCounts, EmptyAtFirst) {
    const TokenCounts counts;
    EXPECT_EQ(counts.count(0), 0U);
    EXPECT_EQ(counts.count(std::numeric_limits<Token>::max()), 0U);
}

} // namespace
