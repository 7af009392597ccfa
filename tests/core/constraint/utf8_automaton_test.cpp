// Automata over bytes against the characters themselves: every character of Unicode, encoded by
// base's own decoder's rules, and every short string of bytes that is none.
#include "core/constraint/utf8_automaton.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace {

using namespace mullama::core::constraint;

std::string encode(std::uint32_t c) {
    std::string out;
    if (c < 0x80) {
        out = {static_cast<char>(c)};
    } else if (c < 0x800) {
        out = {static_cast<char>(0xC0 + c / 64), static_cast<char>(0x80 + c % 64)};
    } else if (c < 0x10000) {
        out = {static_cast<char>(0xE0 + c / 4096), static_cast<char>(0x80 + c / 64 % 64),
               static_cast<char>(0x80 + c % 64)};
    } else {
        out = {static_cast<char>(0xF0 + c / 262144), static_cast<char>(0x80 + c / 4096 % 64),
               static_cast<char>(0x80 + c / 64 % 64), static_cast<char>(0x80 + c % 64)};
    }
    return out;
}

Utf8Automaton::State walk(const Utf8Automaton &automaton, Utf8Automaton::State state,
                          const std::string &bytes) {
    for (const char byte : bytes) {
        if (state == Utf8Automaton::none || state == Utf8Automaton::complete) {
            return Utf8Automaton::none;
        }
        state = automaton.step(state, static_cast<std::uint8_t>(byte));
    }
    return state;
}

bool contains(const std::vector<CodePointRange> &ranges, std::uint32_t c) {
    for (const CodePointRange range : ranges) {
        if (range.first <= c && c <= range.last) {
            return true;
        }
    }
    return false;
}

void expect_same_characters(const std::vector<CodePointRange> &ranges, bool complement) {
    CodePointSet set;
    for (const CodePointRange range : ranges) {
        set.add(range.first, range.last);
    }
    if (complement) {
        set.complement();
    } else {
        set.normalize();
    }
    Utf8Automaton automaton;
    const Utf8Automaton::State start = automaton.add(set);
    std::size_t wrong = 0;
    for (std::uint32_t c = 0; c <= max_code_point; ++c) {
        const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        const bool expected =
            !surrogate && (complement ? c != 0 && !contains(ranges, c) : contains(ranges, c));
        const bool found = walk(automaton, start, encode(c)) == Utf8Automaton::complete;
        if (expected != found && ++wrong < 10) {
            ADD_FAILURE() << "U+" << std::hex << c << ": expected " << expected;
        }
    }
    EXPECT_EQ(wrong, 0U);
}

TEST(Utf8Automaton, MatchesTheCharactersOfItsSet) {
    expect_same_characters({{'a', 'z'}}, false);
    expect_same_characters({{'"', '"'}, {'\\', '\\'}, {0, 0x1F}, {0x7F, 0x7F}}, true);
    expect_same_characters({{0x7F, 0x80}, {0x7FF, 0x800}, {0xFFFF, 0x10000}}, false);
    expect_same_characters({{0xD7FF, 0xE000}, {0x10FFFF, 0x10FFFF}}, false);
    expect_same_characters({{0x3041, 0x309F}, {0x30A1, 0x30FF}}, true);
    expect_same_characters({}, true);
}

TEST(Utf8Automaton, MatchesTheCharactersOfRandomSets) {
    std::mt19937 engine(11);
    const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
    for (int round = 0; round < 6; ++round) {
        std::vector<CodePointRange> ranges;
        const int count = 1 + static_cast<int>(random() % 30);
        for (int i = 0; i < count; ++i) {
            const std::uint32_t first = random() % (max_code_point >> (random() % 16));
            ranges.push_back(
                {first, std::min(max_code_point, first + random() % (1U << (random() % 18)))});
        }
        expect_same_characters(ranges, round % 2 == 0);
    }
}

TEST(Utf8Automaton, LetsNothingThroughThatIsNoCharacter) {
    CodePointSet set;
    set.add(0, max_code_point);
    set.normalize();
    Utf8Automaton automaton;
    const Utf8Automaton::State start = automaton.add(set);
    std::size_t wrong = 0;
    const auto check = [&](const std::string &bytes) {
        const Utf8Automaton::State end = walk(automaton, start, bytes);
        const bool whole = mullama::base::find_invalid_utf8(bytes) == std::string::npos;
        const bool partial = !whole && mullama::base::complete_utf8_prefix(bytes) == 0;
        wrong += (end == Utf8Automaton::complete) != whole ? 1 : 0;
        wrong += (end != Utf8Automaton::none) != (whole || partial) ? 1 : 0;
    };
    for (unsigned a = 0; a < 256; ++a) {
        check({static_cast<char>(a)});
        for (unsigned b = 0x70; b < 256 && a >= 0x80; ++b) {
            check({static_cast<char>(a), static_cast<char>(b)});
            for (unsigned c = 0x70; c < 0xD0 && a >= 0xE0 && b >= 0x80 && b < 0xC0; ++c) {
                check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
            }
        }
    }
    EXPECT_EQ(wrong, 0U);
}

TEST(Utf8Automaton, SharesStates) {
    Utf8Automaton automaton;
    CodePointSet any;
    any.complement();
    const Utf8Automaton::State first = automaton.add(any);
    const std::size_t size = automaton.size();
    EXPECT_EQ(automaton.add(any), first);
    EXPECT_EQ(automaton.size(), size);
    // `complete`, three of continuations, E0's, ED's, F0's and F4's seconds, and the first.
    EXPECT_EQ(size, 9U);
}

} // namespace
