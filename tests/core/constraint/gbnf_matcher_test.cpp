// What grammars match: cases by hand, the shapes that break naive matchers, and random grammars
// against the definition (support/gbnf_reference.hpp).
#include "core/constraint/gbnf_matcher.hpp"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "core/constraint/gbnf_parser.hpp"
#include "support/gbnf_reference.hpp"

namespace {

using namespace mullama::core::constraint;
using gbnf::Grammar;
using gbnf::Matcher;
using mullama::test::GbnfReference;

Matcher matcher(std::string_view grammar, std::size_t memory = Matcher::default_memory) {
    return Matcher(Grammar::compile(grammar, "root"), nullptr, memory);
}

bool matches(Matcher &of, std::string_view text) {
    of.reset();
    return of.accept(text) && of.can_end();
}

struct Case {
    std::string_view grammar;
    std::vector<std::string_view> matched;
    std::vector<std::string_view> refused;
};

void check(const Case &one) {
    SCOPED_TRACE(one.grammar);
    Matcher of = matcher(one.grammar);
    for (const std::string_view text : one.matched) {
        EXPECT_TRUE(matches(of, text)) << '"' << text << '"';
    }
    for (const std::string_view text : one.refused) {
        EXPECT_FALSE(matches(of, text)) << '"' << text << '"';
    }
}

TEST(GbnfMatcher, MatchesWhatTheNotationSays) {
    using namespace std::string_view_literals;
    const Case cases[] = {
        {"root ::= \"abc\"", {"abc"}, {"", "ab", "abcd", "ABC"}},
        {"root ::= \"\"", {""}, {"a"}},
        {"root ::= ", {""}, {"a"}},
        {"root ::= \"a\" | \"b\" | ", {"a", "b", ""}, {"c", "ab"}},
        {"root ::= \"a\" \"b\" | \"c\"", {"ab", "c"}, {"a", "ac", "abc"}},
        {"root ::= (\"a\" | \"b\") \"c\"", {"ac", "bc"}, {"a", "c", "abc"}},
        {"root ::= \"a\"*", {"", "a", "aaaa"}, {"b", "ab"}},
        {"root ::= \"a\"+", {"a", "aaaa"}, {"", "ab"}},
        {"root ::= \"a\"?", {"", "a"}, {"aa"}},
        {"root ::= \"ab\"*", {"", "ab", "abab"}, {"a", "aba", "abb"}},
        {"root ::= \"a\"{3}", {"aaa"}, {"", "aa", "aaaa"}},
        {"root ::= \"a\"{2,}", {"aa", "aaaaaa"}, {"", "a"}},
        {"root ::= \"a\"{2,4}", {"aa", "aaa", "aaaa"}, {"a", "aaaaa"}},
        {"root ::= \"a\"{0}", {""}, {"a"}},
        {"root ::= \"a\"{0,0} \"b\"", {"b"}, {"ab"}},
        {"root ::= \"a\" { 1 , 2 }", {"a", "aa"}, {"", "aaa"}},
        {"root ::= (\"abcdef\" [0-9]){2,3}", {"abcdef1abcdef2"}, {"abcdef1", "abcdef"}},
        {"root ::= \"a\"*?", {"", "aa"}, {"b"}},
        {"root ::= (\"0x\" [A-F0-9]{2} \" \"?){3,5}",
         {"0xFF 0x12 0xAB 0x00 0x00", "0xFF0x120xAB"},
         {"0xFF 0x12", "0xfF 0x12 0xAB"}},
        {"root ::= ( [x]* )*", {"", "xxx"}, {"y"}},
        {"root ::= [a-c]", {"a", "b", "c"}, {"d", "", "-"}},
        {"root ::= [a-]", {"a", "-"}, {"b"}},
        {"root ::= [-a]", {"a", "-"}, {"b"}},
        {"root ::= [a\\-c]", {"a", "-", "c"}, {"b"}},
        {"root ::= [\\]\\[\\\\]", {"]", "[", "\\"}, {"a"}},
        {"root ::= [^a-c\\n]", {"d", " ", "\xC3\xA4"}, {"a", "\n", "", "dd"}},
        {"root ::= [a^]", {"a", "^"}, {"b"}},
        {"root ::= \"\\x41\\u00e4\\U0001F600\\n\\r\\t\\\\\\\"\\[\\]\"",
         {"A\xC3\xA4\xF0\x9F\x98\x80\n\r\t\\\"[]"},
         {"A"}},
        {"root ::= .", {"a", "\n", "\xE3\x81\x82"}, {"", "ab", "\xE3\x81", "\x80", "\xFF"}},
        {"root ::= ... \"abc\" ...",
         {"abcabcabc", "aaaabcccc",
          "\xE3\x81\x82\xE3\x81\x82\xE3\x81\x82"
          "abc\xE3\x81\x82\xE3\x81\x82\xE3\x81\x82"},
         {"aaabcccc", "aaaaaabcccc"}},
        {"root ::= [\xE3\x81\x81-\xE3\x82\x9F]+",
         {"\xE3\x81\x93\xE3\x82\x93"},
         {"", "a", "\xE3\x82\xA0"}},
        // U+0000 is what a class names and nothing else.
        {"root ::= [\\x00-\\x1F]", {"\0"sv, "\x1F"}, {" "}},
        {"root ::= .", {}, {"\0"sv}},
        {"root ::= [^a]", {}, {"\0"sv}},
        {"root ::= \"a\\x00b\"", {"a\0b"sv}, {"a"}},
        // Comments, continued lines, groups over lines, and the three ways to end a line.
        {"# one\nroot ::= a # two\n\n  a ::= \"a\" | # three\n   \"b\"", {"a", "b"}, {"", "#"}},
        {"root ::=\n\n \"a\"", {"a"}, {""}},
        {"root ::= (\n \"a\"\n | \"b\"\n)\r\na ::= \"x\"\rb ::= \"y\"", {"a", "b"}, {"x"}},
        {"root ::= \"# no comment\"", {"# no comment"}, {""}},
        {"root::=a-1\na-1::=\"x\"", {"x"}, {""}},
        {"1 ::= \"x\"\nroot ::= 1", {"x"}, {"1"}},
        {"root ::= \"a\nb\"", {"a\nb"}, {"ab"}},
        // Recursion: in the middle, at the end, through each other.
        {"root ::= \"(\" root \")\" | \"x\"", {"x", "((x))"}, {"", "(x", "(x))", "()"}},
        {"root ::= \"a\" root | \"b\"", {"b", "aaab"}, {"a", "ba"}},
        {"root ::= \"a\" other | \"\"\nother ::= \"b\" root", {"", "ab", "abab"}, {"a", "aba"}},
        // Rules that may be empty, in places where they would be entered without end.
        {"root ::= ws root | \"x\"\nws ::= \" \"?", {"x", "   x"}, {" ", "xx"}},
        {"root ::= a\na ::= \"1\"? b | \"x\"\nb ::= \"2\"? a | \"y\"",
         {"x", "y", "1y", "2x", "12x", "121212x", "1212y", "22y", "11x"},
         {"", "1", "xy"}},
        {"root ::= a b \"!\"\na ::= b\nb ::= c*\nc ::= \"\" | \"c\"", {"!", "c!", "ccc!"}, {"c"}},
    };
    for (const Case &one : cases) {
        check(one);
    }
}

TEST(GbnfMatcher, ReadsCharactersThatAreCutAnywhere) {
    Matcher of = matcher("root ::= [\xE3\x81\x81-\xE3\x82\x9F]+ \"\xF0\x9F\x98\x80\"");
    for (const std::string_view byte :
         {"\xE3", "\x81", "\x93", "\xE3", "\x82\x93\xF0", "\x9F", "\x98", "\x80"}) {
        EXPECT_FALSE(of.can_end());
        EXPECT_TRUE(of.accept(byte));
    }
    EXPECT_TRUE(of.can_end());
    EXPECT_TRUE(of.is_final());
    // What is refused changes nothing: E3 82 can still become a character, but not with A0.
    of.reset();
    EXPECT_TRUE(of.accept("\xE3\x82"));
    EXPECT_FALSE(of.accept("\xA0"));
    EXPECT_FALSE(of.accept("a"));
    EXPECT_TRUE(of.accept("\x9F"));
}

TEST(GbnfMatcher, IsFinalWhereNothingCanFollow) {
    Matcher of = matcher("root ::= \"ab\" \"c\"?");
    EXPECT_TRUE(of.accept("ab"));
    EXPECT_TRUE(of.can_end());
    EXPECT_FALSE(of.is_final());
    EXPECT_TRUE(of.accept("c"));
    EXPECT_TRUE(of.is_final());
    EXPECT_FALSE(of.accept("c"));
    EXPECT_TRUE(of.accept(""));
    EXPECT_TRUE(of.can_end());
}

TEST(GbnfMatcher, CopiesGoOnAlikeAndApart) {
    Matcher one = matcher("root ::= (\"a\" | \"b\"){4} \"!\"");
    EXPECT_TRUE(one.accept("ab"));
    Matcher other = one;
    EXPECT_TRUE(one.accept("aa!"));
    EXPECT_FALSE(other.can_end());
    EXPECT_TRUE(other.accept("bb"));
    EXPECT_FALSE(other.accept("b"));
    EXPECT_TRUE(other.accept("!"));
}

// --- Shapes that break naive matchers ---

TEST(GbnfMatcher, AmbiguityDoesNotMultiply) {
    // Each letter may belong to either of two calls: 2^n ways to have read n of them.
    Matcher of = matcher("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"x\"");
    const std::string deep(2000, 'a');
    EXPECT_TRUE(of.accept(deep + "x"));
    std::string rest;
    for (int i = 0; i < 2000; ++i) {
        rest += i % 3 == 0 ? 'c' : 'b';
    }
    EXPECT_TRUE(of.accept(rest));
    EXPECT_TRUE(of.can_end());
    EXPECT_FALSE(of.accept("b"));

    Matcher any = matcher("root ::= (a | b | c)*\na ::= \"x\"*\nb ::= \"x\"+ | a\nc ::= (a b)*");
    EXPECT_TRUE(any.accept(std::string(5000, 'x')));
    EXPECT_TRUE(any.can_end());
    EXPECT_LT(any.bytes(), 100'000U);
}

TEST(GbnfMatcher, OptionalItemsInARowAreNoTrap) {
    std::string text = "root ::= ";
    for (int i = 0; i < 1000; ++i) {
        text += "\"x\"? ";
    }
    Matcher of = matcher(text);
    EXPECT_TRUE(of.accept(std::string(1000, 'x')));
    EXPECT_TRUE(of.can_end());
    EXPECT_FALSE(of.accept("x"));
}

TEST(GbnfMatcher, CountsExactlyAndFar) {
    Matcher of = matcher("root ::= [a-z]{2500,100000} \"!\"");
    EXPECT_TRUE(of.accept(std::string(2499, 'q')));
    EXPECT_FALSE(of.accept("!"));
    EXPECT_TRUE(of.accept(std::string(97501, 'q')));
    EXPECT_FALSE(of.accept("q"));
    EXPECT_TRUE(of.accept("!"));
}

TEST(GbnfMatcher, ListsByRecursionTakeNoMoreThanThoseByRepetition) {
    Matcher of = matcher("root ::= item \",\" root | item\nitem ::= [0-9]+");
    std::string list;
    for (int i = 0; i < 20'000; ++i) {
        list += std::to_string(i) + ",";
    }
    EXPECT_TRUE(of.accept(list + "1"));
    EXPECT_TRUE(of.can_end());
    EXPECT_LT(of.bytes(), 10'000U);
}

TEST(GbnfMatcher, NestsDeeply) {
    Matcher of = matcher("root ::= \"[\" root* \"]\"");
    constexpr std::size_t depth = 300'000;
    EXPECT_TRUE(of.accept(std::string(depth, '[')));
    EXPECT_TRUE(of.accept(std::string(depth - 1, ']')));
    EXPECT_FALSE(of.can_end());
    EXPECT_TRUE(of.accept("]"));
    EXPECT_TRUE(of.is_final());
}

TEST(GbnfMatcher, ForgetsStatesWithoutLosingItsPlace) {
    // Room for a few states only: the numbers change all the time.
    Matcher small = matcher("root ::= \"[\" root* \"]\" | \"{\" root* \"}\" | [a-z]", 4096);
    Matcher large = matcher("root ::= \"[\" root* \"]\" | \"{\" root* \"}\" | [a-z]");
    std::mt19937 random(7);
    std::string open;
    ASSERT_TRUE(small.accept("["));
    ASSERT_TRUE(large.accept("["));
    open += ']';
    for (int i = 0; i < 20'000; ++i) {
        // Closed more often than not would end it early.
        const char byte = "[{]}a"[random() % (open.size() > 1 ? 5 : 2)];
        const bool fits = byte == '[' || byte == '{' || byte == 'a' || byte == open.back();
        ASSERT_EQ(small.accept(std::string_view(&byte, 1)), fits) << i;
        ASSERT_EQ(large.accept(std::string_view(&byte, 1)), fits) << i;
        if (byte == '[' || byte == '{') {
            open += byte == '[' ? ']' : '}';
        } else if (fits && byte != 'a') {
            open.pop_back();
        }
        ASSERT_FALSE(small.can_end());
    }
    while (!open.empty()) {
        ASSERT_TRUE(small.accept(std::string_view(&open.back(), 1)));
        open.pop_back();
    }
    EXPECT_TRUE(small.is_final());
    EXPECT_LT(small.bytes(), 100'000U);
}

TEST(GbnfMatcher, NestedCountsAddUp) {
    Matcher of = matcher("root ::= ((\"a\"{0,300}){0,300}){0,300} \"b\"");
    EXPECT_TRUE(of.accept(std::string(1000, 'a')));
    EXPECT_TRUE(of.accept("b"));
    EXPECT_TRUE(of.is_final());
}

TEST(GbnfMatcher, GivesUpWithAnErrorWhereItWouldTakeForever) {
    std::string text = "root ::= \"y\" | \"a\" (";
    for (std::size_t i = 0; i <= gbnf::Automaton::max_items; ++i) {
        text += "\"x\"?";
    }
    Matcher of = matcher(text + ")");
    for (int i = 0; i < 2; ++i) {
        try {
            const bool accepted = of.accept("ax");
            ADD_FAILURE() << accepted;
        } catch (const mullama::base::Error &error) {
            EXPECT_EQ(error.code(), MULLAMA_ERROR_UNSUPPORTED);
            EXPECT_EQ(error.parts().parameter, "grammar");
            EXPECT_NE(error.message().find("too ambiguous"), std::string::npos);
        }
    }
    EXPECT_TRUE(of.accept("y"));
    EXPECT_TRUE(of.is_final());
}

// --- Random grammars against the definition ---

class RandomGrammar {
public:
    explicit RandomGrammar(std::uint32_t seed) : random_(seed) {}

    std::string make() {
        rules_ = 1 + below(4);
        std::string text;
        for (std::uint32_t i = 0; i < rules_; ++i) {
            text += name(i) + " ::= " + alternatives(2) + "\n";
        }
        return text;
    }

    std::string text() {
        std::string out;
        for (std::uint32_t i = below(9); i > 0; --i) {
            out += one_of({"a", "b", "c", "\xC3\xA4", "\xC3", "\xA4", "\xE3\x81\x82", "\xE3\x81"});
        }
        return out;
    }

    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(random_()) % bound;
    }

private:
    std::string one_of(std::initializer_list<const char *> texts) {
        return texts.begin()[below(static_cast<std::uint32_t>(texts.size()))];
    }
    static std::string name(std::uint32_t rule) {
        return rule == 0 ? "root" : "r" + std::to_string(rule);
    }

    std::string alternatives(std::uint32_t depth) {
        std::string out = sequence(depth);
        for (std::uint32_t i = below(3); i > 0; --i) {
            out += " | " + sequence(depth);
        }
        return out;
    }
    std::string sequence(std::uint32_t depth) {
        std::string out;
        for (std::uint32_t i = below(4); i > 0; --i) {
            out += item(depth) +
                   one_of({"", "", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,3}", "{2,}"}) + " ";
        }
        return out.empty() ? "\"\"" : out;
    }
    std::string item(std::uint32_t depth) {
        switch (below(depth > 0 ? 6 : 4)) {
        case 0:
            return one_of({"\"a\"", "\"b\"", "\"ab\"", "\"\"", "\"\xC3\xA4\"", "\"abcab\""});
        case 1:
            return one_of({"[a-b]", "[^a]", ".", "[\xC3\xA4-\xE3\x81\x82]", "[^\xC3\xA4]"});
        case 5:
            return "(" + alternatives(depth - 1) + ")";
        default:
            return name(below(rules_));
        }
    }

    std::mt19937 random_;
    std::uint32_t rules_ = 1;
};

TEST(GbnfMatcher, AgreesWithTheDefinitionOnRandomGrammars) {
    const bool soak = std::getenv("MULLAMA_SOAK") != nullptr;
    const char *const today = std::getenv("MULLAMA_TEST_SEED");
    const auto first =
        today == nullptr ? 1U : static_cast<std::uint32_t>(std::strtoul(today, nullptr, 10));
    std::cout << "seed " << first << "\n";
    std::size_t usable = 0;
    std::size_t complete = 0;
    std::size_t prefixes = 0;
    for (std::uint32_t i = 0; i < (soak ? 100'000U : 4000U); ++i) {
        RandomGrammar random(first * 1'000'003U + i);
        const std::string text = random.make();
        std::shared_ptr<const Grammar> grammar;
        try {
            grammar = Grammar::compile(text, "root");
        } catch (const mullama::base::Error &error) {
            ASSERT_NE(error.message().find("left recursion"), std::string::npos)
                << text << error.message();
            continue;
        }
        ++usable;
        const gbnf::Syntax syntax = gbnf::parse(text);
        GbnfReference reference(syntax, syntax.rule_numbers.at("root"));
        Matcher of(grammar, nullptr, random.below(2) == 0 ? 512 : Matcher::default_memory);
        for (int k = 0; k < 12; ++k) {
            const std::string input = random.text();
            const auto verdict = reference.match(input);
            if (verdict == GbnfReference::Verdict::gave_up) {
                continue;
            }
            of.reset();
            const bool alive = of.accept(input);
            ASSERT_EQ(alive, verdict != GbnfReference::Verdict::no)
                << "grammar:\n"
                << text << "input: \"" << input << '"';
            if (!alive) {
                continue;
            }
            ASSERT_EQ(of.can_end(), verdict == GbnfReference::Verdict::complete)
                << "grammar:\n"
                << text << "input: \"" << input << '"';
            ASSERT_EQ(of.is_final(), !reference.can_continue())
                << "grammar:\n"
                << text << "input: \"" << input << '"';
            complete += of.can_end() ? 1 : 0;
            prefixes += of.can_end() ? 0 : 1;
        }
    }
    // Too few would mean that nothing was tried.
    EXPECT_GT(usable, 500U);
    EXPECT_GT(complete, 1000U);
    EXPECT_GT(prefixes, 500U);
}

} // namespace
