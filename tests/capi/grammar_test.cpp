// The grammar stage through the contract: what it keeps, what it is told when, its errors, trigger
// words, and texts that were made with it, which independent checkers have to accept.
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;
using CandidatesHandle = std::unique_ptr<mullama_candidates_t, Deleter<mullama_candidates_free>>;

mullama_error_t *set_text(mullama_sampler_t *sampler, std::size_t stage, std::string_view parameter,
                          std::string_view text) {
    return mullama_sampler_set_text(sampler, stage, parameter.data(), parameter.size(), text.data(),
                                    text.size());
}

mullama_error_t *set_words(mullama_sampler_t *sampler, std::size_t stage,
                           const std::vector<const char *> &words) {
    return mullama_sampler_set_texts(sampler, stage, "trigger_words", 13, words.data(), nullptr,
                                     words.size());
}

std::size_t vocabulary_size(const mullama_model_t *model) {
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_info(model, &info));
    return static_cast<std::size_t>(info.n_vocab);
}

mullama_token_info_t token_info(const mullama_model_t *model, std::size_t token) {
    mullama_token_info_t info;
    mullama_token_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_token(model, static_cast<mullama_token_t>(token), &info));
    return info;
}

std::string piece_of(const mullama_token_info_t &info) {
    return {info.piece, info.piece_size};
}

bool ends_generation(const mullama_token_info_t &info) {
    return (info.attributes & MULLAMA_TOKEN_END_OF_GENERATION) != 0;
}

ModelHandle vocabulary(const std::string &name) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.vocab_only = true;
    return load_model(path_of(fixture(name)), &options);
}

// The engine of bytes: token i is the byte i, 257 and more are control tokens.
struct Bytes {
    explicit Bytes(std::string_view grammar) {
        EXPECT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
        EXPECT_OK(set_text(sampler.get(), stage, "grammar", grammar));
    }

    // The allowed bytes, and "$" for a token that ends the generation.
    [[nodiscard]] std::string allowed() const {
        const std::vector<float> logits(vocabulary_size(model.get()), 0);
        mullama_candidates_t *made = nullptr;
        EXPECT_OK(mullama_candidates_new(&made));
        const CandidatesHandle candidates(made);
        EXPECT_OK(mullama_candidates_set_logits(made, logits.data(), logits.size()));
        EXPECT_OK(mullama_sampler_apply(sampler.get(), made));
        const mullama_candidate_t *list = nullptr;
        std::size_t count = 0;
        EXPECT_OK(mullama_candidates_list(made, &list, &count));
        std::string text;
        for (std::size_t i = 0; i < count; ++i) {
            text += list[i].id < 256 ? static_cast<char>(list[i].id) : '$';
        }
        return text;
    }
    void accept(std::string_view text) const {
        for (const char byte : text) {
            ASSERT_OK(mullama_sampler_accept(sampler.get(), static_cast<unsigned char>(byte)));
        }
    }

    ModelHandle model = echo_model();
    SamplerHandle sampler = new_sampler();
    std::size_t stage = add_stage(sampler.get(), "grammar");
};

TEST(Grammar, KeepsWhatContinuesItsTexts) {
    const Bytes bytes("root ::= [a-c] \"x\"? | \"\xC3\xA4\"");
    EXPECT_EQ(bytes.allowed(), "abc\xC3");
    bytes.accept("a");
    // Complete: it may end.
    EXPECT_EQ(bytes.allowed().substr(0, 2), "x$");
    bytes.accept("x");
    EXPECT_EQ(bytes.allowed().find_first_not_of('$'), std::string::npos);
    EXPECT_FALSE(bytes.allowed().empty());
}

TEST(Grammar, DoesNothingWithoutOne) {
    const Bytes bytes("");
    EXPECT_EQ(bytes.allowed().size(), vocabulary_size(bytes.model.get()));
    bytes.accept("anything");
    EXPECT_EQ(bytes.allowed().size(), vocabulary_size(bytes.model.get()));
}

TEST(Grammar, NeitherCountsThePromptNorForgetsIt) {
    const Bytes bytes("root ::= \"abc\"");
    const Tokens prompt{'x', 'y'};
    ASSERT_OK(mullama_sampler_accept_prompt(bytes.sampler.get(), prompt.data(), prompt.size()));
    EXPECT_EQ(bytes.allowed(), "a");
    bytes.accept("a");
    ASSERT_OK(mullama_sampler_accept_prompt(bytes.sampler.get(), prompt.data(), prompt.size()));
    EXPECT_EQ(bytes.allowed(), "b");
}

TEST(Grammar, RefusesTokensThatItDoesNotAllow) {
    const Bytes bytes("root ::= \"abc\"");
    bytes.accept("a");
    EXPECT_REFUSED(mullama_sampler_accept(bytes.sampler.get(), 'c'), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "token", std::nullopt, "does not allow token 99");
    EXPECT_REFUSED(mullama_sampler_accept(bytes.sampler.get(), 99999),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "token");
    // Nothing was accepted.
    EXPECT_EQ(bytes.allowed(), "b");
}

TEST(Grammar, CopiesGoOnAlikeAndResetsBeginAgain) {
    const Bytes bytes("root ::= \"a\" (\"b\" | \"c\") \"d\"");
    bytes.accept("a");
    mullama_sampler_t *made = nullptr;
    ASSERT_OK(mullama_sampler_clone(bytes.sampler.get(), &made));
    const SamplerHandle copy(made);
    bytes.accept("b");
    ASSERT_OK(mullama_sampler_accept(copy.get(), 'c'));
    EXPECT_EQ(bytes.allowed(), "d");
    ASSERT_OK(mullama_sampler_accept(copy.get(), 'd'));
    EXPECT_EQ(bytes.allowed(), "d");
    ASSERT_OK(mullama_sampler_reset(bytes.sampler.get()));
    EXPECT_EQ(bytes.allowed(), "a");
}

TEST(Grammar, ANewOneBeginsAfresh) {
    const Bytes bytes("root ::= \"abc\"\nother ::= \"xyz\"");
    bytes.accept("ab");
    ASSERT_OK(set_text(bytes.sampler.get(), bytes.stage, "root", "other"));
    EXPECT_EQ(bytes.allowed(), "x");
    // What is refused changes nothing.
    bytes.accept("x");
    EXPECT_REFUSED(set_text(bytes.sampler.get(), bytes.stage, "grammar", "root ::= ("),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "grammar", 10, "line 1, column 11");
    EXPECT_EQ(bytes.allowed(), "y");
}

TEST(Grammar, ItsRootMayBeNamedAfterIt) {
    const Bytes bytes("main ::= \"abc\"");
    const std::vector<float> logits(vocabulary_size(bytes.model.get()), 0);
    mullama_token_t token = -1;
    EXPECT_REFUSED(
        mullama_sampler_sample(bytes.sampler.get(), logits.data(), logits.size(), &token),
        MULLAMA_ERROR_INVALID_ARGUMENT, "root", std::nullopt, "has no rule \"root\"");
    ASSERT_OK(set_text(bytes.sampler.get(), bytes.stage, "root", "main"));
    EXPECT_EQ(bytes.allowed(), "a");
}

TEST(Grammar, NeedsAModel) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "grammar");
    ASSERT_OK(set_text(sampler.get(), stage, "grammar", "root ::= <[300000]>"));
    const std::vector<float> logits(300, 0);
    mullama_token_t token = -1;
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), logits.data(), logits.size(), &token),
                   MULLAMA_ERROR_INVALID_STATE);
    const ModelHandle model = echo_model();
    EXPECT_REFUSED(mullama_sampler_set_model(sampler.get(), model.get()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "grammar", 9, "there is no token 300000");
}

TEST(Grammar, SaysWhenNothingIsLeft) {
    const Bytes bytes("root ::= \"abc\"");
    const mullama_candidate_t list[] = {{'x', 1, 0}, {'y', 1, 0}};
    mullama_candidates_t *made = nullptr;
    ASSERT_OK(mullama_candidates_new(&made));
    const CandidatesHandle candidates(made);
    ASSERT_OK(mullama_candidates_set_list(made, list, 2));
    EXPECT_REFUSED(mullama_sampler_apply(bytes.sampler.get(), made), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "grammar", std::nullopt, "allows none of the tokens");
    bytes.accept("abc");
    ASSERT_OK(mullama_candidates_set_list(made, list, 2));
    EXPECT_REFUSED(mullama_sampler_apply(bytes.sampler.get(), made), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "grammar", std::nullopt, "the text is complete");
}

// --- Trigger words ---

TEST(Grammar, WaitsForItsTrigger) {
    const Bytes bytes("root ::= \"<t>\" [0-9] \"!\"");
    ASSERT_OK(set_words(bytes.sampler.get(), bytes.stage, {"<t>", "<t>7"}));
    const std::size_t all = vocabulary_size(bytes.model.get());
    EXPECT_EQ(bytes.allowed().size(), all);
    bytes.accept("free <text");
    EXPECT_EQ(bytes.allowed().size(), all);
    bytes.accept(" <<t");
    EXPECT_EQ(bytes.allowed().size(), all);
    bytes.accept(">");
    EXPECT_EQ(bytes.allowed(), "0123456789");
    bytes.accept("5");
    EXPECT_EQ(bytes.allowed(), "!");
    ASSERT_OK(mullama_sampler_reset(bytes.sampler.get()));
    EXPECT_EQ(bytes.allowed().size(), all);
}

TEST(Grammar, ATokenThatCompletesItsTriggerIsHeldToTheGrammar) {
    // A vocabulary whose tokens are whole words: "the" triggers, and goes on only as it may.
    const ModelHandle model = vocabulary("vocab_bpe");
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "grammar");
    ASSERT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
    ASSERT_OK(set_text(sampler.get(), stage, "grammar", "root ::= \"e\" \"r\"*"));
    ASSERT_OK(set_words(sampler.get(), stage, {"e"}));
    const std::size_t size = vocabulary_size(model.get());
    std::size_t kept = 0;
    std::size_t refused = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const auto token = static_cast<mullama_token_t>(i);
        const mullama_token_info_t info = token_info(model.get(), i);
        const std::string piece = piece_of(info);
        const std::size_t trigger = piece.find('e');
        const bool fits = trigger == std::string::npos || ends_generation(info) ||
                          piece.find_first_not_of('r', trigger + 1) == std::string::npos;
        ASSERT_OK(mullama_sampler_reset(sampler.get()));
        if (fits) {
            EXPECT_OK(mullama_sampler_accept(sampler.get(), token)) << piece;
        } else {
            EXPECT_REFUSED(mullama_sampler_accept(sampler.get(), token),
                           MULLAMA_ERROR_INVALID_ARGUMENT, "token");
        }
        (fits ? kept : refused) += 1;
    }
    EXPECT_GT(kept, 100U);
    EXPECT_GT(refused, 20U);
    // The mask of all says the same.
    ASSERT_OK(mullama_sampler_reset(sampler.get()));
    const std::vector<float> logits(size, 0);
    mullama_candidates_t *made = nullptr;
    ASSERT_OK(mullama_candidates_new(&made));
    const CandidatesHandle candidates(made);
    ASSERT_OK(mullama_candidates_set_logits(made, logits.data(), logits.size()));
    ASSERT_OK(mullama_sampler_apply(sampler.get(), made));
    const mullama_candidate_t *list = nullptr;
    std::size_t count = 0;
    ASSERT_OK(mullama_candidates_list(made, &list, &count));
    EXPECT_EQ(count, kept);
}

TEST(Grammar, RefusesTriggersThatItDoesNotBeginWith) {
    const Bytes bytes("root ::= \"abc\"");
    EXPECT_REFUSED(set_words(bytes.sampler.get(), bytes.stage, {"ab", "x"}),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "trigger_words", 1, "\"x\"");
    EXPECT_EQ(bytes.allowed(), "a");
}

// --- Texts made with it ---

struct Language {
    std::string_view grammar;
    std::function<bool(const std::string &)> contains;
};

// expr = term (op term)*, term = digits or "(" expr ")"; from `at` on.
bool read_expression(const std::string &text, std::size_t &at);

bool read_term(const std::string &text, std::size_t &at) {
    if (at < text.size() && text[at] == '(') {
        ++at;
        return read_expression(text, at) && at < text.size() && text[at++] == ')';
    }
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
        ++at;
    }
    return at > begin && at - begin <= 3;
}

bool read_expression(const std::string &text, std::size_t &at) {
    if (!read_term(text, at)) {
        return false;
    }
    while (at < text.size() && std::string_view("+-*/").find(text[at]) != std::string_view::npos) {
        ++at;
        if (!read_term(text, at)) {
            return false;
        }
    }
    return true;
}

const Language languages[] = {
    {R"(root ::= object
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ( string ": " value ("," string ": " value)* )? "}"
array ::= "[" ( value ("," value)* )? "]"
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-c] [0-9a-fA-F]{3}) )* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,9}) ("." [0-9]{1,9})? ([eE] [-+]? [0-9]{1,2})?)",
     [](const std::string &text) {
         const Json parsed = Json::parse(text, nullptr, false);
         return !parsed.is_discarded() && parsed.is_object();
     }},
    {"root ::= expr\nexpr ::= term ([-+*/] term)*\nterm ::= [0-9]{1,3} | \"(\" expr \")\"",
     [](const std::string &text) {
         std::size_t at = 0;
         return read_expression(text, at) && at == text.size();
     }},
    {"root ::= (\"- \" [^\\n]+ \"\\n\"){1,5}",
     [](const std::string &text) {
         std::size_t lines = 0;
         for (std::size_t at = 0; at < text.size(); ++lines) {
             const std::size_t end = text.find('\n', at);
             if (end == std::string::npos || end < at + 3 || text.compare(at, 2, "- ") != 0) {
                 return false;
             }
             at = end + 1;
         }
         return lines >= 1 && lines <= 5;
     }},
    {"root ::= [\xE3\x81\x81-\xE3\x82\x9F\xF0\x9F\x98\x80]{3,20}",
     [](const std::string &text) {
         std::size_t count = 0;
         for (std::size_t at = 0; at < text.size(); ++count) {
             const std::string three = text.substr(at, 3);
             if (three >= "\xE3\x81\x81" && three <= "\xE3\x82\x9F") {
                 at += 3;
             } else if (text.compare(at, 4, "\xF0\x9F\x98\x80") == 0) {
                 at += 4;
             } else {
                 return false;
             }
         }
         return count >= 3 && count <= 20;
     }},
};

// One text: random at first, then with a leaning towards its end.
std::string write_text(mullama_sampler_t *sampler, const std::vector<std::string> &pieces,
                       const std::vector<bool> &ends, std::uint32_t seed, bool &finished) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0, 3);
    std::string text;
    finished = false;
    for (int step = 0; step < 150 && !finished; ++step) {
        std::vector<float> logits(pieces.size());
        for (std::size_t i = 0; i < logits.size(); ++i) {
            logits[i] = normal(engine);
            const char first = pieces[i].empty() ? '\0' : pieces[i].front();
            if (step > 15 &&
                (ends[i] || (first != '\0' &&
                             std::string_view("\"]})\n0").find(first) != std::string_view::npos &&
                             pieces[i].size() == 1))) {
                logits[i] += ends[i] ? 60.0F : 30.0F;
            }
        }
        const mullama_token_t token = sample(sampler, logits);
        if (token < 0) {
            return text;
        }
        finished = ends[static_cast<std::size_t>(token)];
        text += finished ? "" : pieces[static_cast<std::size_t>(token)];
    }
    return text;
}

TEST(Grammar, TextsMadeWithItAreOfItsLanguage) {
    constexpr std::uint32_t seeds = 200;
    for (const char *const name : {"vocab_spm", "vocab_bpe", "vocab_rwkv"}) {
        SCOPED_TRACE(name);
        const ModelHandle model = vocabulary(name);
        const std::size_t size = vocabulary_size(model.get());
        std::vector<std::string> pieces;
        std::vector<bool> ends;
        for (std::size_t i = 0; i < size; ++i) {
            const mullama_token_info_t info = token_info(model.get(), i);
            pieces.push_back(piece_of(info));
            ends.push_back(ends_generation(info));
        }
        for (const Language &language : languages) {
            SCOPED_TRACE(language.grammar);
            const SamplerHandle sampler = new_sampler();
            const std::size_t stage = add_stage(sampler.get(), "grammar");
            ASSERT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
            ASSERT_OK(set_text(sampler.get(), stage, "grammar", language.grammar));
            const std::size_t dist = add_stage(sampler.get(), "dist");
            std::size_t finished_texts = 0;
            for (std::uint32_t seed = 0; seed < seeds; ++seed) {
                set_int(sampler.get(), dist, "seed", seed);
                ASSERT_OK(mullama_sampler_reset(sampler.get()));
                bool finished = false;
                const std::string text = write_text(sampler.get(), pieces, ends, seed, finished);
                if (finished) {
                    ++finished_texts;
                    ASSERT_TRUE(language.contains(text)) << text;
                }
            }
            // Those that are not are too long, not wrong: most have to be.
            EXPECT_GT(finished_texts, seeds * 3 / 4);
        }
    }
}

} // namespace
