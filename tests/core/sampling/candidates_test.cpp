// The ways to the same candidates agree: a row read in blocks, a list, buckets sorted lazily.
#include "core/sampling/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/sampling/heap.hpp"

namespace {

using namespace mullama::core::sampling;

std::vector<float> random_row(std::size_t size, std::uint32_t seed, bool ties) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0, 6);
    std::vector<float> row(size);
    for (float &logit : row)
        logit = ties ? std::round(normal(engine)) : normal(engine);
    return row;
}

std::vector<Token> ids(std::span<const Candidate> candidates) {
    std::vector<Token> result;
    for (const Candidate &candidate : candidates)
        result.push_back(candidate.id);
    return result;
}

template <class Item>
bool falls(std::span<Item> items) {
    return std::is_sorted(items.begin(), items.end(),
                          [](const auto &a, const auto &b) { return rank(a) > rank(b); });
}

TEST(Candidates, TheTopOfARowIsTheTopOfItsList) {
    for (const bool ties : {false, true}) {
        for (const std::size_t size : {1U, 2U, 63U, 64U, 65U, 500U, 5000U}) {
            const std::vector<float> row = random_row(size, static_cast<std::uint32_t>(size), ties);
            for (const std::size_t count : {1U, 2U, 40U, 128U, 129U, 1000U, 9999U}) {
                Candidates from_row;
                from_row.assign(row);
                from_row.keep_top(count);
                Candidates from_list;
                from_list.assign(row);
                EXPECT_EQ(from_list.list().size(), size);
                EXPECT_TRUE(from_list.dense());
                from_list.keep_top(count);
                ASSERT_EQ(from_row.size(), std::min(count, size));
                EXPECT_TRUE(from_row.sorted());
                EXPECT_FALSE(from_row.dense());
                EXPECT_TRUE(falls(from_row.list()));
                EXPECT_EQ(ids(from_row.list()), ids(from_list.list()));
                // None that was left out is greater than the last that stayed.
                const float last = from_row.list().back().logit;
                const auto greater =
                    std::count_if(row.begin(), row.end(), [&](float x) { return x > last; });
                EXPECT_LT(static_cast<std::size_t>(greater), from_row.size());
            }
        }
    }
}

TEST(Candidates, KeepAtLeastKeepsTheOrder) {
    const std::vector<float> row = random_row(1000, 4, false);
    for (const bool as_list : {false, true}) {
        Candidates candidates;
        candidates.assign(row);
        if (as_list)
            static_cast<void>(candidates.list());
        EXPECT_FALSE(candidates.keep_at_least(2, 1001));
        EXPECT_FALSE(candidates.keep_at_least(1000, 0));
        EXPECT_EQ(candidates.size(), row.size());
        ASSERT_TRUE(candidates.keep_at_least(2, 1));
        std::vector<Token> expected;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (row[i] >= 2)
                expected.push_back(static_cast<Token>(i));
        }
        EXPECT_EQ(ids(candidates.list()), expected);
        EXPECT_FALSE(candidates.sorted());
    }
}

TEST(Candidates, AnEditedRowIsACopy) {
    const std::vector<float> row{1, 2, 3};
    Candidates candidates;
    candidates.assign(row);
    EXPECT_EQ(candidates.max_logit(), 3);
    candidates.edit_row()[2] = 0;
    EXPECT_EQ(candidates.edit_row()[2], 0);
    EXPECT_EQ(candidates.max_logit(), 2);
    EXPECT_EQ(candidates.best(), 1U);
    EXPECT_EQ(row[2], 3);
    candidates.assign(row);
    EXPECT_EQ(candidates.best(), 2U);
    EXPECT_EQ(candidates.token(), 2);
}

TEST(Candidates, KeepAndDropFollowThePlaces) {
    const std::vector<float> row{5, 1, 4, 2, 3};
    const std::vector<Ranked> chosen{{0, 4}, {0, 0}, {0, 2}};
    for (const bool as_list : {false, true}) {
        Candidates candidates;
        candidates.assign(row);
        if (as_list)
            static_cast<void>(candidates.list());
        candidates.keep(chosen);
        EXPECT_EQ(ids(candidates.list()), (std::vector<Token>{4, 0, 2}));
        EXPECT_EQ(candidates.list()[0].logit, 3);
        EXPECT_FALSE(candidates.sorted());
        EXPECT_FALSE(candidates.dense());
        candidates.keep_top(3);
        candidates.drop(1);
        EXPECT_EQ(ids(candidates.list()), (std::vector<Token>{2, 4}));
        EXPECT_TRUE(candidates.sorted());
        candidates.keep_top(1);
        EXPECT_EQ(candidates.token(), 2);
    }
}

TEST(Buckets, SortNoFurtherThanAsked) {
    const std::vector<float> row = random_row(3000, 5, true);
    Candidates all;
    all.assign(row);
    Buckets eager;
    eager.fill(all.list(), row.size(), Ties::settled);
    while (eager.sort_next() < row.size()) {
    }
    EXPECT_TRUE(falls(eager.items()));
    Buckets lazy;
    lazy.fill(row, 500, Ties::settled);
    std::size_t sorted = 0;
    while (sorted < 500) {
        const std::size_t now = lazy.sort_next();
        ASSERT_GT(now, sorted);
        sorted = now;
        EXPECT_TRUE(falls(lazy.items().first(sorted)));
        for (std::size_t i = 0; i < sorted; ++i)
            ASSERT_EQ(lazy.items()[i].value, eager.items()[i].value);
    }
    EXPECT_EQ(sorted, 500U);
    EXPECT_EQ(lazy.sort_next(), 500U);
}

// A large list is sorted without the order of equal logits, which is found out afterwards: for one
// that is asked for, or for all.
TEST(Candidates, OpenTiesAreSettledAsIfTheyNeverWere) {
    constexpr std::size_t size = 6000;
    for (const bool ties : {false, true}) {
        const std::vector<float> row = random_row(size, 11, ties);
        Buckets eager;
        eager.fill(row, size, Ties::settled);
        while (eager.sort_next() < size) {
        }
        Candidates sorted;
        sorted.assign(row);
        sorted.keep_top(size);
        for (const std::size_t place : {0U, 1U, 77U, 3000U, 5999U}) {
            sorted.select(place);
            EXPECT_EQ(sorted.token(), static_cast<Token>(eager.items()[place].place));
            EXPECT_EQ(sorted.anonymous_list()[place].logit, eager.items()[place].value);
        }
        // Whoever looks at ids gets the settled ones.
        Candidates allowed;
        allowed.assign(row);
        allowed.keep_top(size);
        std::vector<std::uint64_t> words((size + 63) / 64, 0);
        std::vector<Token> expected;
        for (const Ranked &item : eager.items()) {
            if (item.place % 3 == 0) {
                words[item.place / 64] |= std::uint64_t{1} << (item.place % 64);
                expected.push_back(static_cast<Token>(item.place));
            }
        }
        ASSERT_TRUE(allowed.keep_tokens(words));
        EXPECT_EQ(ids(allowed.list()), expected);
        sorted.drop(10);
        const std::span<const Candidate> named = sorted.list();
        ASSERT_EQ(named.size(), size - 10);
        for (std::size_t i = 0; i < named.size(); ++i) {
            ASSERT_EQ(named[i].id, static_cast<Token>(eager.items()[i + 10].place)) << i;
            ASSERT_EQ(named[i].logit, eager.items()[i + 10].value) << i;
        }
    }
}

// The order of equal logits is that of the standard library that llama.cpp is built with here.
TEST(Heap, IsAPartialSort) {
    std::mt19937 engine(6);
    for (int trial = 0; trial < 2000; ++trial) {
        const std::size_t size = 1 + engine() % 60;
        const std::size_t count = 1 + engine() % size;
        std::vector<Candidate> mine;
        for (std::size_t i = 0; i < size; ++i)
            mine.push_back({static_cast<Token>(i), static_cast<float>(engine() % 8), 0});
        std::vector<Candidate> theirs = mine;
        Heap heap(std::span<Candidate>(mine).first(count));
        for (std::size_t i = count; i < size; ++i) {
            if (mine[i].logit > heap.least())
                heap.replace_least(mine[i]);
        }
        heap.sort();
        const auto middle = theirs.begin() + static_cast<std::ptrdiff_t>(count);
        std::partial_sort(theirs.begin(), middle, theirs.end(),
                          [](const auto &a, const auto &b) { return a.logit > b.logit; });
        EXPECT_TRUE(falls(std::span(mine).first(count)));
#if defined(__GLIBCXX__)
        EXPECT_EQ(ids(std::span(mine).first(count)), ids(std::span(theirs).first(count)));
#endif
    }
}

} // namespace
