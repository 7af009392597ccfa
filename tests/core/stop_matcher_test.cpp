// The automaton against the definition: at each byte, look for every string at the end of the text.
#include "core/stop_matcher.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::core::StopMatcher;

struct Found {
    std::int32_t index = -1;
    std::string text;

    bool operator==(const Found &) const = default;
};

Found by_definition(const std::vector<std::string> &strings, const std::string &text) {
    for (std::size_t end = 1; end <= text.size(); ++end) {
        Found found;
        std::size_t longest = 0;
        for (std::size_t i = 0; i < strings.size(); ++i) {
            const std::string &string = strings[i];
            if (string.size() <= end && string.size() > longest &&
                text.compare(end - string.size(), string.size(), string) == 0) {
                longest = string.size();
                found = {static_cast<std::int32_t>(i), text.substr(0, end - longest)};
            }
        }
        if (found.index >= 0)
            return found;
    }
    return {-1, text};
}

// The longest ending of the text that begins one of the strings.
std::size_t held_by_definition(const std::vector<std::string> &strings, const std::string &text) {
    std::size_t longest = 0;
    for (const std::string &string : strings) {
        for (std::size_t size = 1; size < string.size() && size <= text.size(); ++size) {
            if (text.compare(text.size() - size, size, string, 0, size) == 0)
                longest = std::max(longest, size);
        }
    }
    return longest;
}

std::vector<std::string_view> views(const std::vector<std::string> &strings) {
    return {strings.begin(), strings.end()};
}

TEST(StopMatcher, AgreesWithTheDefinition) {
    const char *const today = std::getenv("MULLAMA_TEST_SEED");
    const auto seed =
        static_cast<std::uint32_t>(today == nullptr ? 1 : std::strtoul(today, nullptr, 10));
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t bound) {
        return static_cast<std::uint32_t>(random()) % bound;
    };
    const auto word = [&](std::uint32_t longest, std::uint32_t letters) {
        std::string text(1 + below(longest), ' ');
        for (char &letter : text)
            letter = static_cast<char>('a' + below(letters));
        return text;
    };
    for (int trial = 0; trial < 20000; ++trial) {
        const std::uint32_t letters = 1 + below(3);
        std::vector<std::string> strings(below(5));
        for (std::string &string : strings)
            string = word(6, letters);
        const std::string text = word(40, letters);
        StopMatcher matcher(views(strings));
        Found found;
        std::string fed;
        for (std::size_t begin = 0; begin < text.size() && found.index < 0;) {
            const std::size_t size = std::min<std::size_t>(below(5), text.size() - begin);
            fed = text.substr(0, begin + size);
            found.index = matcher.push(std::string_view(text).substr(begin, size), found.text);
            begin += size;
            if (found.index < 0) {
                ASSERT_EQ(matcher.held().size(), held_by_definition(strings, fed))
                    << "seed " << seed << ", trial " << trial;
                ASSERT_EQ(found.text + std::string(matcher.held()), fed);
            }
        }
        if (found.index < 0)
            matcher.finish(found.text);
        ASSERT_EQ(found, by_definition(strings, text)) << "seed " << seed << ", trial " << trial;
    }
}

TEST(StopMatcher, WithoutStringsAllGoesThrough) {
    StopMatcher matcher({});
    std::string out;
    EXPECT_EQ(matcher.push("anything", out), -1);
    EXPECT_EQ(out, "anything");
    EXPECT_EQ(matcher.held(), "");
}

TEST(StopMatcher, OfEqualStringsTheFirstCounts) {
    const std::vector<std::string_view> strings{"x", "ab", "ab"};
    StopMatcher matcher(strings);
    std::string out;
    EXPECT_EQ(matcher.push("ab", out), 1);
}

TEST(StopMatcher, StartsAfresh) {
    const std::vector<std::string_view> strings{"abc"};
    StopMatcher matcher(strings);
    std::string out;
    EXPECT_EQ(matcher.push("ab", out), -1);
    EXPECT_EQ(out, "");
    matcher.reset();
    EXPECT_EQ(matcher.push("c", out), -1);
    EXPECT_EQ(out, "c");
}

// Time is linear in the text, however the strings repeat themselves.
TEST(StopMatcher, LongRepetitions) {
    const std::string string = std::string(2000, 'a') + "b";
    const std::vector<std::string_view> strings{string};
    StopMatcher matcher(strings);
    std::string out;
    const std::string text(1000, 'a');
    for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(matcher.push(text, out), -1);
    EXPECT_EQ(matcher.held().size(), 2000U);
    EXPECT_EQ(matcher.push("b", out), 0);
    EXPECT_EQ(out.size(), 2000000U - 2000U);
}

} // namespace
