#include "core/engine/prefix_tree.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::backend::Token;
using mullama::core::engine::PrefixTree;
using Tokens = std::vector<Token>;

TEST(PrefixTree, FindsNothingInAnEmptyTree) {
    const PrefixTree tree;
    EXPECT_TRUE(tree.empty());
    EXPECT_EQ(tree.longest(Tokens{1, 2}).length, 0U);
    EXPECT_EQ(tree.longest_whole(Tokens{1, 2}).length, 0U);
}

TEST(PrefixTree, FindsTheLongestBeginning) {
    PrefixTree tree;
    tree.insert(Tokens{1, 2, 3, 4}, 10);
    tree.insert(Tokens{1, 2, 5}, 11);
    tree.insert(Tokens{1, 2}, 12);
    EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 9}).id, 10U);
    EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 9}).length, 3U);
    EXPECT_EQ(tree.longest(Tokens{1, 2, 5, 6, 7}).id, 11U);
    EXPECT_EQ(tree.longest(Tokens{1}).length, 1U);
    EXPECT_EQ(tree.longest(Tokens{2}).length, 0U);
    // Whole ones alone.
    EXPECT_EQ(tree.longest_whole(Tokens{1, 2, 3}).id, 12U);
    EXPECT_EQ(tree.longest_whole(Tokens{1, 2, 5, 6}).id, 11U);
    EXPECT_EQ(tree.longest_whole(Tokens{1, 7}).length, 0U);
}

// Against a list that is searched from end to end.
TEST(PrefixTree, AgreesWithALinearSearchWhateverComesAndGoes) {
    std::mt19937 random(7);
    PrefixTree tree;
    std::map<PrefixTree::Id, Tokens> kept;
    const auto made = [&] {
        Tokens tokens(1 + random() % 8);
        for (Token &token : tokens)
            token = static_cast<Token>(random() % 3);
        return tokens;
    };
    for (PrefixTree::Id id = 0; id < 5000; ++id) {
        if (kept.size() > 20 || (!kept.empty() && random() % 3 == 0)) {
            const auto place =
                std::next(kept.begin(), static_cast<std::ptrdiff_t>(random() % kept.size()));
            tree.erase(place->second, place->first);
            kept.erase(place);
        } else {
            kept[id] = made();
            tree.insert(kept[id], id);
        }
        EXPECT_EQ(tree.empty(), kept.empty());
        const Tokens asked = made();
        std::size_t longest = 0;
        std::size_t whole = 0;
        const auto common = [&](const Tokens &tokens) {
            const std::size_t most = std::min(tokens.size(), asked.size());
            std::size_t length = 0;
            while (length < most && tokens[length] == asked[length])
                ++length;
            return length;
        };
        for (const auto &[its, tokens] : kept) {
            longest = std::max(longest, common(tokens));
            if (common(tokens) == tokens.size())
                whole = std::max(whole, tokens.size());
        }
        const PrefixTree::Match found = tree.longest(asked);
        ASSERT_EQ(found.length, longest);
        if (longest > 0) {
            ASSERT_EQ(common(kept.at(found.id)), longest);
        }
        const PrefixTree::Match found_whole = tree.longest_whole(asked);
        ASSERT_EQ(found_whole.length, whole);
        if (whole > 0) {
            ASSERT_EQ(kept.at(found_whole.id).size(), whole);
        }
    }
}

} // namespace
