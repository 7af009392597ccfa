// Which tokens may come next: the mask against each token's bytes alone, and token elements.
#include "core/constraint/gbnf_matcher.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/word_vocabulary.hpp"

namespace {

using namespace mullama::core::constraint;
using gbnf::Grammar;
using gbnf::Matcher;
using mullama::base::Error;
using mullama::test::WordVocabulary;

// A vocabulary and everything that has to outlive what is made of it.
struct Words {
    explicit Words(std::vector<WordVocabulary::Word> words)
        : engine(std::move(words)), vocab(engine),
          shared(std::make_shared<const Vocabulary>(vocab)) {}

    [[nodiscard]] Matcher matcher(std::string_view grammar,
                                  std::size_t memory = Matcher::default_memory,
                                  std::uint64_t max_work = Matcher::default_work) const {
        return Matcher(Grammar::compile(grammar, "root"), shared, memory, max_work);
    }
    [[nodiscard]] Token size() const { return engine.size(); }

    WordVocabulary engine;
    mullama::core::Vocab vocab;
    std::shared_ptr<const Vocabulary> shared;
};

Words small_words() {
    return Words({{"<unk>", MULLAMA_TOKEN_CONTROL},                                     // 0
                  {"</s>", MULLAMA_TOKEN_CONTROL | MULLAMA_TOKEN_END_OF_GENERATION},    // 1
                  {"<|end|>", MULLAMA_TOKEN_CONTROL | MULLAMA_TOKEN_END_OF_GENERATION}, // 2
                  {"<think>", MULLAMA_TOKEN_CONTROL},                                   // 3
                  {"</think>", MULLAMA_TOKEN_USER_DEFINED},                             // 4
                  {"", MULLAMA_TOKEN_UNUSED},                                           // 5
                  {std::string("\0", 1), MULLAMA_TOKEN_BYTE},                           // 6
                  {"\xE3", MULLAMA_TOKEN_BYTE},                                         // 7
                  {"\x81\x82", MULLAMA_TOKEN_BYTE},                                     // 8
                  {"\xFF", MULLAMA_TOKEN_BYTE},                                         // 9
                  {"a"},                                                                // 10
                  {"ab"},                                                               // 11
                  {"abc"},                                                              // 12
                  {"b"},                                                                // 13
                  {"c"},                                                                // 14
                  {"b"}});                                                              // 15
}

std::vector<Token> allowed(Matcher &matcher, Token size) {
    std::vector<Token> tokens;
    for (Token token = 0; token < size; ++token) {
        if (matcher.allows(token)) {
            tokens.push_back(token);
        }
    }
    const TokenMask &mask = matcher.mask();
    for (Token token = 0; token < size; ++token) {
        const bool one_by_one = std::find(tokens.begin(), tokens.end(), token) != tokens.end();
        EXPECT_EQ(mask.test(token), one_by_one) << token;
        EXPECT_EQ(matcher.allows(token), one_by_one) << token;
    }
    EXPECT_EQ(mask.count(), tokens.size());
    return tokens;
}

TEST(GbnfMask, HasTheTokensWhoseBytesFit) {
    const Words words = small_words();
    Matcher of = words.matcher("root ::= \"ab\" [b-c]* ");
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{10, 11, 12}));
    EXPECT_TRUE(of.accept(10));
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{13, 15}));
    EXPECT_FALSE(of.accept(11));
    EXPECT_FALSE(of.accept(1));
    EXPECT_TRUE(of.accept(15));
    // Complete: what ends the generation may come, and changes nothing.
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{1, 2, 13, 14, 15}));
    EXPECT_TRUE(of.accept(1));
    EXPECT_TRUE(of.accept(14));
    of.reset();
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{10, 11, 12}));
}

TEST(GbnfMask, HasOnlyTheEndWhereNothingCanFollow) {
    const Words words = small_words();
    Matcher of = words.matcher("root ::= \"a\"");
    EXPECT_TRUE(of.accept(10));
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{1, 2}));
}

TEST(GbnfMask, JoinsCharactersThatTokensCut) {
    const Words words = small_words();
    Matcher of = words.matcher("root ::= \"\xE3\x81\x82\" \"a\"");
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{7}));
    EXPECT_TRUE(of.accept(7));
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{8}));
    EXPECT_TRUE(of.accept(8));
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{10}));
}

TEST(GbnfMask, AnyCharacterIsNoByteThatNoTextHas) {
    const Words words = small_words();
    Matcher of = words.matcher("root ::= .*");
    // Control tokens count as their spelling; U+0000 has to be asked for.
    EXPECT_EQ(allowed(of, words.size()),
              (std::vector<Token>{0, 1, 2, 3, 4, 7, 10, 11, 12, 13, 14, 15}));
    Matcher zero = words.matcher("root ::= [\\x00-\\x1F]");
    EXPECT_EQ(allowed(zero, words.size()), (std::vector<Token>{6}));
}

// In a subtree that is large enough to be passed over where each of its characters is allowed.
TEST(GbnfMask, RefusesACharacterThatALetterCutsOff) {
    std::vector<WordVocabulary::Word> pieces{{"x"}, {"x\xE3s"}, {"x\xE3\x81"}, {"x\xE3\x81s"}};
    for (char first = 'a'; first <= 'z'; ++first) {
        pieces.push_back({std::string{'x', first}});
        pieces.push_back({std::string{'x', first, first}});
    }
    const Words words(std::move(pieces));
    Matcher matcher = words.matcher("root ::= [^\\x00-\\x1F]*");
    const std::vector<Token> tokens = allowed(matcher, words.size());
    EXPECT_EQ(tokens.size(), static_cast<std::size_t>(words.size()) - 2);
    EXPECT_FALSE(matcher.mask().test(1));
    EXPECT_TRUE(matcher.mask().test(2));
    EXPECT_FALSE(matcher.mask().test(3));
}

TEST(GbnfMask, TokenElementsTakeWholeTokens) {
    const Words words = small_words();
    for (const char *const grammar :
         {"root ::= <[3]> (!<[4]>)* <[4]> \"a\"+", "root ::= <think> !</think>* </think> \"a\"+"}) {
        Matcher of = words.matcher(grammar);
        EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{3}));
        EXPECT_FALSE(of.accept(10));
        EXPECT_TRUE(of.accept(3));
        // Everything that spells something other than U+0000 and does not end the generation.
        EXPECT_EQ(allowed(of, words.size()),
                  (std::vector<Token>{0, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
        EXPECT_TRUE(of.accept(12));
        EXPECT_TRUE(of.accept(9));
        EXPECT_TRUE(of.accept(4));
        EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{10}));
        EXPECT_FALSE(of.accept(11));
        EXPECT_TRUE(of.accept(10));
        EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{1, 2, 10}));
    }
}

TEST(GbnfMask, TokensAndTextsMayStandForEachOther) {
    const Words words = small_words();
    // "ab" as text, or token 11, after which it goes on otherwise.
    Matcher of = words.matcher("root ::= \"ab\" \"c\" | <[11]> \"b\" | !<[11]> \"abc\"");
    EXPECT_EQ(allowed(of, words.size()),
              (std::vector<Token>{0, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
    EXPECT_TRUE(of.accept(11));
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{13, 14, 15}));
    of.reset();
    EXPECT_TRUE(of.accept(10));
    EXPECT_EQ(allowed(of, words.size()), (std::vector<Token>{10, 11, 12, 13, 15}));
    // A token element does not begin inside of a token.
    Matcher inside = words.matcher("root ::= \"a\" !<[3]>");
    EXPECT_EQ(allowed(inside, words.size()), (std::vector<Token>{10}));
    // A token without a spelling is allowed where it is named.
    Matcher empty = words.matcher("root ::= <[5]>");
    EXPECT_EQ(allowed(empty, words.size()), (std::vector<Token>{5}));
    EXPECT_TRUE(empty.accept(5));
    EXPECT_TRUE(empty.is_final());
}

TEST(GbnfMask, RefusesTokenElementsThatNameNoUsableToken) {
    const Words words = small_words();
    struct Refusal {
        const char *grammar;
        std::int64_t line;
        std::int64_t column;
        const char *message;
        const char *expected;
        const char *actual;
    };
    const Refusal refusals[] = {
        {"root ::= \"a\" <[16]>", 1, 14, "there is no token 16", "0 to 15", "16"},
        {"root ::= \"a\" |\n !<[99]>", 2, 2, "there is no token 99", "0 to 15", "99"},
        {"root ::= <thinking>", 1, 10, "\"<thinking>\" is 0 tokens", "one token", "0 tokens"},
        {"root ::= <abcab>", 1, 10, "\"<abcab>\" is 2 tokens", "one token", "2 tokens"},
        {"root ::= <[1]>", 1, 10, "token 1 ends the generation",
         "a token that does not end the generation", "</s>"},
    };
    for (const Refusal &refusal : refusals) {
        SCOPED_TRACE(refusal.grammar);
        try {
            static_cast<void>(words.matcher(refusal.grammar));
            ADD_FAILURE() << "it was accepted";
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
            EXPECT_EQ(error.parts().parameter, "grammar");
            EXPECT_EQ(error.parts().line, refusal.line);
            EXPECT_EQ(error.parts().column, refusal.column);
            EXPECT_EQ(error.parts().expected, refusal.expected);
            EXPECT_EQ(error.parts().actual, refusal.actual);
            EXPECT_NE(error.message().find(refusal.message), std::string::npos) << error.message();
        }
    }
    EXPECT_NO_THROW(static_cast<void>(words.matcher("root ::= !<[1]>*")));
}

// Grammars whose masks differ in kind: nearly everything, nearly nothing, counted, nested.
constexpr std::string_view grammars[] = {
    "root ::= \"\\\"\" ([^\"\\\\\\x00-\\x1F\\x7F] | \"\\\\\" [\"\\\\nrt])* \"\\\"\"",
    "root ::= [a-c]{3,9} (\",\" [a-c]{3,9})*",
    "root ::= \"(\" root \")\" root | [a-z\xC3\xA4-\xE3\x82\x9F]*",
    "root ::= (\"abc\" | \"abd\" | \"b\" root \"c\")+",
    "root ::= .* \"stop\" [^a]",
    // All characters beyond ASCII lead back to where they were, all but one, or those of a length.
    "root ::= ([\\x80-\\U0010FFFF] | \"ab\")*",
    "root ::= ([\\x80-\\uFFFC\\uFFFE-\\U0010FFFF] | \"ab\")*",
    "root ::= ([\\x80-\\u07FF\\U00010000-\\U0010FFFF] | [a-z] | [\\u0800-\\uFFFF]{2})*",
    "root ::= (<[300]> | !<[301]> \"a\" | [a-z]+ <[302]>)*",
};

// Letters from many ranges, each of which may end anywhere: after every letter the grammar stands
// in thousands of places.
std::string ambiguous_grammar() {
    std::string text = "root ::= \"!\" |";
    for (char first = 'a'; first <= 'z'; ++first) {
        text += std::string(" [") + first + "-z]{0,200}";
    }
    return text;
}

TEST(GbnfMask, GivesUpWithAnErrorWhereItWouldTakeForever) {
    std::mt19937 random(1);
    std::vector<WordVocabulary::Word> pieces{{"!"}, {"a"}};
    for (int i = 0; i < 3000; ++i) {
        std::string piece;
        for (std::size_t size = 1 + random() % 12; size > 0; --size) {
            piece += static_cast<char>('a' + random() % 26);
        }
        pieces.push_back({std::move(piece)});
    }
    const Words words(std::move(pieces));
    constexpr std::uint64_t max_work = 200000;
    Matcher hostile = words.matcher(ambiguous_grammar(), Matcher::default_memory, max_work);
    try {
        static_cast<void>(hostile.mask());
        ADD_FAILURE() << hostile.work() << " steps";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_UNSUPPORTED);
        EXPECT_EQ(error.parts().parameter, "grammar");
        EXPECT_NE(error.message().find("200000 steps"), std::string::npos) << error.message();
    }
    // It stands where it stood, and what takes little work can still be asked.
    EXPECT_TRUE(hostile.allows(0));
    EXPECT_TRUE(hostile.allows(1));
    EXPECT_TRUE(hostile.accept(0));
    EXPECT_TRUE(hostile.is_final());

    // A thousand questions together may not take more than one.
    Matcher again = words.matcher(ambiguous_grammar(), Matcher::default_memory, max_work);
    const auto ask_all = [&] {
        const Matcher::Work work(again);
        for (Token token = 0; token < words.size(); ++token) {
            static_cast<void>(again.allows(token));
        }
    };
    EXPECT_THROW(ask_all(), Error);

    Matcher usual = words.matcher("root ::= ([a-z]+ \"!\")*", Matcher::default_memory, max_work);
    EXPECT_TRUE(usual.mask().test(1));
    EXPECT_LT(usual.work(), max_work / 100);
}

TEST(GbnfMask, EqualsEachTokenAloneOnRandomVocabularies) {
    const char *const today = std::getenv("MULLAMA_TEST_SEED");
    const auto seed =
        today == nullptr ? 1U : static_cast<std::uint32_t>(std::strtoul(today, nullptr, 10));
    std::cout << "seed " << seed << "\n";
    std::mt19937 random(seed);
    const auto below = [&](std::size_t bound) {
        return static_cast<std::size_t>(random()) % bound;
    };
    constexpr std::string_view parts[] = {"a",
                                          "b",
                                          "c",
                                          "abc",
                                          "(",
                                          ")",
                                          "\"",
                                          "\\",
                                          ",",
                                          "0",
                                          "\xC3\xA4",
                                          "\xE3",
                                          "\x81\x82",
                                          "\xEF\xBF\xBD",
                                          "\xF0\x9F\x98\x80",
                                          "\xC3\xA4\xC3\xB6"};
    std::size_t partial = 0;
    for (int round = 0; round < 6; ++round) {
        std::vector<WordVocabulary::Word> pieces;
        for (int i = 0; i < 1500; ++i) {
            std::string piece;
            for (std::size_t size = below(7); size > 0; --size) {
                // Runs of letters, so that there are subtrees to pass over.
                piece += below(3) > 0 ? std::string(1, static_cast<char>('a' + below(26)))
                                      : std::string(parts[below(std::size(parts))]);
            }
            pieces.push_back({std::move(piece)});
        }
        for (int i = 0; i < 256; ++i) {
            pieces.push_back({std::string(1, static_cast<char>(i)), MULLAMA_TOKEN_BYTE});
        }
        pieces.push_back({"</s>", MULLAMA_TOKEN_CONTROL | MULLAMA_TOKEN_END_OF_GENERATION});
        const Words words(std::move(pieces));
        for (const std::string_view grammar : grammars) {
            Matcher of = words.matcher(grammar);
            // Has to forget all the time, in the middle of masks too.
            Matcher small = words.matcher(grammar, 2048);
            for (int step = 0; step < 12; ++step) {
                const TokenMask mask = of.mask();
                ASSERT_EQ(mask, small.mask());
                std::vector<Token> tokens;
                for (Token token = 0; token < words.size(); ++token) {
                    ASSERT_EQ(mask.test(token), small.allows(token)) << grammar << token;
                    if (mask.test(token)) {
                        tokens.push_back(token);
                    }
                }
                for (int i = 0; i < 100; ++i) {
                    const auto token = static_cast<Token>(below(words.shared->size()));
                    Matcher copy = of;
                    ASSERT_EQ(mask.test(token), copy.accept(token)) << grammar << token;
                }
                if (tokens.empty()) {
                    break;
                }
                partial += tokens.size() < static_cast<std::size_t>(words.size()) ? 1 : 0;
                const Token next = tokens[below(tokens.size())];
                ASSERT_TRUE(of.accept(next));
                ASSERT_TRUE(small.accept(next));
                ASSERT_EQ(of.can_end(), small.can_end());
            }
        }
    }
    EXPECT_GT(partial, 100U);
}

} // namespace
