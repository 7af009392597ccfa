// Grammars that are refused: what each error says, and where.
#include "core/constraint/gbnf_parser.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/constraint/gbnf_grammar.hpp"

namespace {

using namespace mullama::core::constraint::gbnf;
using mullama::base::Error;

struct Refusal {
    std::string_view grammar;
    std::int64_t line;
    std::int64_t column;
    std::string_view message; // a part of it
    std::string_view expected;
    std::string_view actual;
};

void expect_refusal(const Refusal &refusal) {
    SCOPED_TRACE(refusal.grammar);
    try {
        static_cast<void>(Grammar::compile(refusal.grammar, "root"));
        ADD_FAILURE() << "it was accepted";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(error.parts().parameter, "grammar");
        EXPECT_EQ(error.parts().line, refusal.line);
        EXPECT_EQ(error.parts().column, refusal.column);
        EXPECT_EQ(error.parts().expected, refusal.expected);
        EXPECT_EQ(error.parts().actual, refusal.actual);
        EXPECT_NE(error.message().find(refusal.message), std::string::npos) << error.message();
        EXPECT_TRUE(error.message().starts_with("grammar, line " + std::to_string(refusal.line) +
                                                ", column " + std::to_string(refusal.column)));
    }
}

TEST(GbnfParser, SaysWhatIsWrongAndWhere) {
    const Refusal refusals[] = {
        {"root ::= \"a", 1, 10, "a literal that does not end", "'\"'", "the end of the grammar"},
        {"root ::= [a", 1, 10, "a class that does not end", "\"]\"", "the end of the grammar"},
        {"root ::= <think", 1, 10, "a token that does not end", "\">\"", "the end of the grammar"},
        {"root = \"a\"", 1, 6, "expected \"::=\"", "\"::=\" after the rule's name", "\"=\""},
        {"my_rule ::= \"a\"", 1, 3, "letters, digits and \"-\"", "\"::=\" after the rule's name",
         "\"_\""},
        {"root ::= my_rule", 1, 12, "letters, digits and \"-\"",
         "an item of the rule, or the end of the line", "\"_\""},
        {"root ::= \"a\"\n| \"b\"", 2, 1, "a rule ends with its line", "the name of a rule",
         "\"|\""},
        {"root ::= ( \"a\"\nb ::= \"c\"", 2, 3, "opened in line 1, column 10", "\")\"", "\":\""},
        {"root ::= \"a\" )", 1, 14, "expected an item",
         "an item of the rule, or the end of the line", "\")\""},
        {"root ::= * \"a\"", 1, 10, "in front of what repeats it",
         "an item in front of what repeats it", "\"*\""},
        {"root ::= \"a\" | ?", 1, 16, "in front of what repeats it",
         "an item in front of what repeats it", "\"?\""},
        {"root ::= \"a\"{}", 1, 14, "a number of repetitions", "a number of repetitions", "\"}\""},
        {"root ::= \"a\"{,3}", 1, 14, "a number of repetitions", "a number of repetitions",
         "\",\""},
        {"root ::= \"a\"{2;3}", 1, 15, "expected", "\",\" or \"}\"", "\";\""},
        {"root ::= \"a\"{2,x}", 1, 16, "expected", "\"}\"", "\"x\""},
        {"root ::= \"a\"{3,2}", 1, 16, "at least 3 and at most 2", "at least 3", "2"},
        {"root ::= \"a\"{100001}", 1, 14, "too many repetitions", "at most 100000", "100001"},
        {"root ::= \"a\"{1,99999999999999999999}", 1, 16, "too many repetitions", "at most 100000",
         "99999999999999999999"},
        {"root ::= \"\\q\"", 1, 12, "after the backslash",
         "\\n, \\r, \\t, \\xXX, \\uXXXX, \\UXXXXXXXX, or one of \\ \" [ ] - after the backslash",
         "\"q\""},
        {"root ::= \"\\", 1, 12, "after the backslash",
         "\\n, \\r, \\t, \\xXX, \\uXXXX, \\UXXXXXXXX, or one of \\ \" [ ] - after the backslash",
         "the end of the grammar"},
        {"root ::= \"\\xa\"", 1, 14, "2 hexadecimal digits", "2 hexadecimal digits", "'\"'"},
        {"root ::= \"\\u12G4\"", 1, 15, "4 hexadecimal digits", "4 hexadecimal digits", "\"G\""},
        {"root ::= \"\\U00110000\"", 1, 11, "beyond the last one", "at most \\U0010FFFF",
         "\\U00110000"},
        {"root ::= \"\\uD83D\\uDE00\"", 1, 11, "a surrogate",
         "one escape for the whole character, \\UXXXXXXXX", "\\uD83D"},
        {"root ::= [\\uD800-\\uDFFF]", 1, 10, "matches no character",
         "a class that matches at least one character", "[\\uD800-\\uDFFF]"},
        {"root ::= [^\\x01-\\U0010FFFF]", 1, 10, "matches no character",
         "a class that matches at least one character", "[^\\x01-\\U0010FFFF]"},
        {"root ::= []", 1, 10, "a class without characters",
         "characters; \\] for a bracket, \".\" for any character", "[]"},
        {"root ::= [^]", 1, 10, "a class without characters",
         "characters; \\] for a bracket, \".\" for any character", "[^]"},
        {"root ::= [z-a]", 1, 11, "wrong order", "the lower character first", "z-a"},
        {"root ::= !\"a\"", 1, 11, "expected a token", "a token, <[number]> or <text>, after \"!\"",
         "'\"'"},
        {"root ::= <[x]>", 1, 12, "the number of a token", "the number of a token", "\"x\""},
        {"root ::= <[7>", 1, 13, "expected", "\"]>\" after the token's number", "\">\""},
        {"root ::= <[2147483648]>", 1, 12, "too large", "at most 2147483647", "2147483648"},
        {"root ::= \xC3\xA4", 1, 10, "expected an item",
         "an item of the rule, or the end of the line", "\"\xC3\xA4\""},
        {"root ::= \"\xC3\xA4\" \x01", 1, 14, "control character U+0001",
         "an item of the rule, or the end of the line", "the control character U+0001"},
        {"root ::= a\nb ::= \"b\"", 1, 10, "rule \"a\" is not defined",
         "a definition, \"a ::= ...\"", "none"},
        {"root ::= \"a\"\n# comment\nroot ::= \"b\"", 3, 1,
         "rule \"root\" is defined twice, first in line 1", "one definition of each rule",
         "a second definition of \"root\""},
    };
    for (const Refusal &refusal : refusals) {
        expect_refusal(refusal);
    }
}

TEST(GbnfParser, NamesTheCycleOfLeftRecursion) {
    const std::string_view expected =
        "rules that read something before they come back to themselves";
    const Refusal refusals[] = {
        {"root ::= \"a\" | root \"a\"", 1, 1, "left recursion", expected, "root -> root"},
        {"root ::= e\ne ::= t | e \"+\" t\nt ::= [0-9]", 2, 1, "left recursion", expected,
         "e -> e"},
        {"root ::= ba\nba ::= a \"x\" | \"y\"\na ::= \"z\" | ba \"w\"", 2, 1, "left recursion",
         expected, "ba -> a -> ba"},
        // Through rules that may be empty, one after another and one through the other.
        {"root ::= foo \"b\"\nfoo ::= \"c\" | empty none root \"d\"\nempty ::= \"x\" | none\n"
         "none ::= ws*\nws ::= [ ]?",
         1, 1, "left recursion", expected, "root -> foo -> root"},
        // Through repetitions, which are rules of their own.
        {"root ::= (\"a\"? root \"x\"){2,3}", 1, 1, "left recursion", expected, "root -> root"},
        {"root ::= (a \"x\"){2}\na ::= \"y\"{0,3} root", 1, 1, "left recursion", expected,
         "root -> a -> root"},
        // In rules that nothing uses, too.
        {"root ::= \"a\"\nb ::= b \"c\"", 2, 1, "left recursion", expected, "b -> b"},
    };
    for (const Refusal &refusal : refusals) {
        expect_refusal(refusal);
    }
}

TEST(GbnfParser, SaysWhichRulesThereAreToStartWith) {
    try {
        static_cast<void>(Grammar::compile("rot ::= expr\nexpr ::= [0-9]+", "root"));
        ADD_FAILURE() << "it was accepted";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(error.parts().parameter, "root");
        EXPECT_EQ(error.parts().expected, "rot, expr");
        EXPECT_EQ(error.parts().actual, "root");
    }
    EXPECT_THROW(static_cast<void>(Grammar::compile("", "root")), Error);
    EXPECT_THROW(static_cast<void>(Grammar::compile(" # nothing\n", "root")), Error);
}

TEST(GbnfParser, RefusesWhatIsNotUtf8) {
    try {
        static_cast<void>(parse("root ::= \"\xC3(\""));
        ADD_FAILURE() << "it was accepted";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_UTF8);
        EXPECT_EQ(error.parts().parameter, "grammar");
        EXPECT_EQ(error.parts().offset, 10);
    }
}

TEST(GbnfParser, NamesTheLimitThatWasMet) {
    expect_refusal({"root ::= a a a a a a a a a a a\na ::= [a-z]{100000}\n"
                    "b ::= [a-z]{100000} [a-z]{100000} [a-z]{100000} [a-z]{100000} [a-z]{100000}\n"
                    "c ::= [a-z]{100000} [a-z]{100000} [a-z]{100000} [a-z]{100000} [a-z]{100000}",
                    4, 1, "with rule \"c\" the grammar becomes too large",
                    "at most 1000000 characters and references, repetitions counted as often as "
                    "they may occur",
                    "more"});
    const std::string long_text(max_text_size + 1, ' ');
    EXPECT_THROW(static_cast<void>(parse(long_text)), Error);
}

TEST(GbnfParser, NestingTakesNoStack) {
    constexpr std::size_t depth = 300'000;
    const std::string open(depth, '(');
    const std::string closed(depth, ')');
    EXPECT_NO_THROW(
        static_cast<void>(Grammar::compile("root ::= " + open + "\"a\"" + closed, "root")));
    std::string repeated;
    std::string alternatives;
    for (std::size_t i = 0; i < depth; ++i) {
        repeated += ")?";
        alternatives += "| \"c\" )";
    }
    EXPECT_NO_THROW(
        static_cast<void>(Grammar::compile("root ::= " + open + "\"a\"" + repeated, "root")));
    std::string sequences;
    for (std::size_t i = 0; i < depth; ++i) {
        sequences += "(\"b\" ";
    }
    EXPECT_NO_THROW(static_cast<void>(
        Grammar::compile("root ::= " + sequences + "\"a\"" + alternatives, "root")));
    expect_refusal(
        {"root ::= " + open, 1, 10 + depth, "expected", "\")\"", "the end of the grammar"});
}

TEST(GbnfParser, NestedRepetitionsAddUpInsteadOfMultiplying) {
    // llama.cpp refuses it: written out it is 10^12 characters.
    const auto grammar =
        Grammar::compile("root ::= (((((([^x]*){0,99}){0,99}){0,99}){0,99}){0,99}){0,99}", "root");
    EXPECT_LT(grammar->nodes().size(), 2000U);
}

TEST(GbnfParser, LongChainsOfRulesTakeNoStack) {
    std::string text = "root ::= r0\n";
    constexpr int count = 100'000;
    for (int i = 0; i < count; ++i) {
        text += "r" + std::to_string(i) + " ::= e r" + std::to_string(i + 1) + "\n";
    }
    text += "r" + std::to_string(count) + " ::= \"x\"\ne ::= \"\"\n";
    EXPECT_EQ(Grammar::compile(text, "root")->rules().size(), count + 3U);
    // Closed to a cycle it is left recursion, of that many rules.
    text.replace(text.find("\"x\""), 3, "r0 \"x\"");
    EXPECT_THROW(static_cast<void>(Grammar::compile(text, "root")), Error);
}

} // namespace
