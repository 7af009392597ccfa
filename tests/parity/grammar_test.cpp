// The grammar stage allows the tokens that llama.cpp's own grammars allow, after every token of
// random texts: grammars as people write them and random ones, over every kind of vocabulary.
//
// llama.cpp differs at the edges of UTF-8, and the test allows for that: it lets tokens through
// whose bytes can be no text, and the end in the middle of a character; a negated class that rules
// out one character rules out all that begin with the same bytes, where a token cuts them; and a
// negated token element rules out such tokens.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <llama.h>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

struct FreeModel {
    void operator()(llama_model *model) const { llama_model_free(model); }
};
struct FreeSampler {
    void operator()(llama_sampler *sampler) const { llama_sampler_free(sampler); }
};
using CandidatesHandle = std::unique_ptr<mullama_candidates_t, Deleter<mullama_candidates_free>>;

// Whether bytes are the beginning of a UTF-8 text (RFC 3629, section 4), and how many of the last
// ones are of a character that is cut off.
bool begins_text(std::string_view bytes, std::size_t &cut) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto byte = [&](std::size_t i) {
            return static_cast<unsigned>(static_cast<unsigned char>(bytes[at + i]));
        };
        const unsigned lead = byte(0);
        std::size_t size = 1;
        unsigned low = 0x80;
        unsigned high = 0xBF;
        if (lead >= 0xC2 && lead <= 0xDF) {
            size = 2;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            size = 3;
            low = lead == 0xE0 ? 0xA0 : low;
            high = lead == 0xED ? 0x9F : high;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            size = 4;
            low = lead == 0xF0 ? 0x90 : low;
            high = lead == 0xF4 ? 0x8F : high;
        } else if (lead >= 0x80) {
            return false;
        }
        for (std::size_t i = 1; i < size; ++i) {
            if (at + i == bytes.size()) {
                cut = i;
                return true;
            }
            if (byte(i) < low || byte(i) > high) {
                return false;
            }
            low = 0x80;
            high = 0xBF;
        }
        at += size;
    }
    cut = 0;
    return true;
}

// Whether a token does not begin and end where characters do.
bool is_cut(const std::string &piece) {
    std::size_t cut = 0;
    return !begins_text(piece, cut) || cut > 0;
}

bool negates_tokens(std::string_view grammar) {
    return grammar.find("!<") != std::string_view::npos;
}

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_()) % bound; }
    std::string one_of(std::initializer_list<const char *> texts) {
        return texts.begin()[below(texts.size())];
    }

private:
    std::mt19937 engine_;
};

// One vocabulary, seen by both.
class Both {
public:
    explicit Both(const std::string &path) {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_model_params params = llama_model_default_params();
        params.vocab_only = true;
        theirs_.reset(llama_model_load_from_file(path.c_str(), params));
        mullama_model_options_t options;
        mullama_model_options_init(&options, sizeof options);
        options.vocab_only = true;
        ours_ = load_model(path, &options);
        vocab_ = llama_model_get_vocab(theirs_.get());
        for (llama_token token = 0; token < llama_vocab_n_tokens(vocab_); ++token) {
            std::string piece(4096, '\0');
            const std::int32_t size = llama_token_to_piece(
                vocab_, token, piece.data(), static_cast<std::int32_t>(piece.size()), 0, true);
            piece.resize(static_cast<std::size_t>(std::max(size, 0)));
            pieces_.push_back(std::move(piece));
        }
    }

    [[nodiscard]] const mullama_model_t *ours() const { return ours_.get(); }
    [[nodiscard]] const llama_vocab *vocab() const { return vocab_; }
    [[nodiscard]] const std::string &piece(mullama_token_t token) const {
        return pieces_[static_cast<std::size_t>(token)];
    }
    [[nodiscard]] std::size_t size() const { return pieces_.size(); }

private:
    ModelHandle ours_;
    std::unique_ptr<llama_model, FreeModel> theirs_;
    const llama_vocab *vocab_ = nullptr;
    std::vector<std::string> pieces_;
};

// A grammar for both; an unset handle where one of them refuses it.
struct Pair {
    Pair(const Both &vocabulary, const std::string &grammar) {
        ours = new_sampler();
        const std::size_t stage = add_stage(ours.get(), "grammar");
        ErrorHandle error(mullama_sampler_set_model(ours.get(), vocabulary.ours()));
        if (error == nullptr) {
            error.reset(mullama_sampler_set_text(ours.get(), stage, "grammar", 7, grammar.data(),
                                                 grammar.size()));
        }
        if (error != nullptr) {
            ours.reset();
            message = message_of(error.get());
            return;
        }
        theirs.reset(llama_sampler_init_grammar(vocabulary.vocab(), grammar.c_str(), "root"));
    }

    SamplerHandle ours;
    std::string message;
    std::unique_ptr<llama_sampler, FreeSampler> theirs;
};

std::vector<bool> allowed_by_ours(mullama_sampler_t *sampler, std::size_t size) {
    const std::vector<float> logits(size, 0);
    mullama_candidates_t *made = nullptr;
    EXPECT_OK(mullama_candidates_new(&made));
    const CandidatesHandle candidates(made);
    EXPECT_OK(mullama_candidates_set_logits(made, logits.data(), logits.size()));
    std::vector<bool> result(size);
    const ErrorHandle error(mullama_sampler_apply(sampler, made));
    if (error != nullptr) {
        // That nothing is left is an answer, too.
        EXPECT_NE(message_of(error.get()).find("allows none"), std::string::npos)
            << message_of(error.get());
        return result;
    }
    const mullama_candidate_t *list = nullptr;
    std::size_t count = 0;
    EXPECT_OK(mullama_candidates_list(made, &list, &count));
    for (std::size_t i = 0; i < count; ++i) {
        result[static_cast<std::size_t>(list[i].id)] = true;
    }
    return result;
}

std::vector<bool> allowed_by_theirs(llama_sampler *sampler, std::size_t size) {
    std::vector<llama_token_data> list(size);
    for (std::size_t i = 0; i < size; ++i) {
        list[i] = {static_cast<llama_token>(i), 0, 0};
    }
    llama_token_data_array array{list.data(), size, -1, false};
    llama_sampler_apply(sampler, &array);
    std::vector<bool> result(size);
    for (std::size_t i = 0; i < size; ++i) {
        result[static_cast<std::size_t>(list[i].id)] = list[i].logit == 0;
    }
    return result;
}

struct Counts {
    std::size_t walks = 0;
    std::size_t states = 0;
    std::size_t partial = 0;
    std::size_t ends = 0;
};

// Walks through one text at random, comparing what may come next before each token.
void walk(const Both &vocabulary, const std::string &grammar, Random &random, Counts &counts) {
    Pair pair(vocabulary, grammar);
    if (pair.ours == nullptr) {
        FAIL() << grammar << pair.message;
    }
    if (pair.theirs == nullptr) {
        // llama.cpp takes a repetition of what may be empty for left recursion.
        return;
    }
    ++counts.walks;
    std::string tail;
    for (int step = 0; step < 12; ++step) {
        const std::vector<bool> ours = allowed_by_ours(pair.ours.get(), vocabulary.size());
        const std::vector<bool> theirs = allowed_by_theirs(pair.theirs.get(), vocabulary.size());
        Tokens next;
        std::size_t ends = 0;
        for (std::size_t i = 0; i < vocabulary.size(); ++i) {
            const auto token = static_cast<mullama_token_t>(i);
            const bool end = llama_vocab_is_eog(vocabulary.vocab(), token);
            std::size_t cut = 0;
            const bool text = end ? tail.empty() : begins_text(tail + vocabulary.piece(token), cut);
            if (!end && is_cut(vocabulary.piece(token)) && negates_tokens(grammar)) {
                continue;
            }
            if (cut > 0 && ours[i] && grammar.find("[^") != std::string::npos) {
                next.push_back(token);
                continue;
            }
            ASSERT_EQ(ours[i], theirs[i] && text)
                << "token " << token << " \"" << vocabulary.piece(token) << "\" after " << step
                << " tokens (\"" << tail << "\") of:\n"
                << grammar;
            ends += ours[i] && end ? 1 : 0;
            if (ours[i] && !end) {
                next.push_back(token);
            }
        }
        ++counts.states;
        counts.partial += next.empty() || next.size() == vocabulary.size() ? 0 : 1;
        counts.ends += ends > 0 ? 1 : 0;
        if (next.empty()) {
            return;
        }
        const mullama_token_t token = next[random.below(next.size())];
        ASSERT_OK(mullama_sampler_accept(pair.ours.get(), token));
        llama_sampler_accept(pair.theirs.get(), token);
        const std::string bytes = tail + vocabulary.piece(token);
        std::size_t cut = 0;
        begins_text(bytes, cut);
        tail = bytes.substr(bytes.size() - cut);
    }
}

std::string random_alternatives(Random &random, std::size_t rule, std::size_t rules, int depth);

// Without recursion, and without repetitions of more than a character: where texts can be read in
// many ways llama.cpp takes exponential time.
std::string random_item(Random &random, std::size_t rule, std::size_t rules, int depth) {
    const std::size_t kind = random.below(5);
    if (kind == 0 && depth > 0) {
        return "(" + random_alternatives(random, rule, rules, depth - 1) + ")" +
               random.one_of({"", "?", "{2}"});
    }
    if (kind == 1 && rule + 1 < rules) {
        return "r" + std::to_string(rule + 1 + random.below(rules - rule - 1)) +
               random.one_of({"", "?"});
    }
    const std::string text =
        kind < 3 ? random.one_of({"\"a\"", "\"the\"", "\" \"", "\"\xC3\xA4\"", "\"\\n\""})
                 : random.one_of({"[a-t]", "[^a-d\\n]", ".", "[\xC3\xA4-\xE3\x81\x82]",
                                  "[^\xC3\xA4]", "[0-9A-F]", "[\\x80-\\U0010FFFF]"});
    return text + random.one_of({"", "", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,3}"});
}

std::string random_alternatives(Random &random, std::size_t rule, std::size_t rules, int depth) {
    std::string out;
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
        out += out.empty() ? "" : " | ";
        for (std::size_t k = 1 + random.below(3); k > 0; --k) {
            out += random_item(random, rule, rules, depth) + " ";
        }
    }
    return out;
}

std::string random_grammar(Random &random) {
    const std::size_t rules = 1 + random.below(3);
    std::string text;
    for (std::size_t i = 0; i < rules; ++i) {
        text += i == 0 ? "root" : "r" + std::to_string(i);
        text += " ::= " + random_alternatives(random, i, rules, 1) + "\n";
    }
    return text;
}

std::uint32_t todays_seed() {
    const char *const seed = std::getenv("MULLAMA_TEST_SEED");
    return seed == nullptr ? 1 : static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10));
}

// As llama.cpp's grammars/ and its users write them.
const char *const written[] = {
    R"(root ::= object
value ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9]+)? ws
ws ::= | " " | "\n" [ \t]{0,20})",
    "root ::= (expr \"=\" term \"\\n\")+\nexpr ::= term ([-+*/] term)*\n"
    "term ::= [0-9]+ | \"(\" expr \")\"",
    "root ::= item+\nitem ::= \"- \" [^\\r\\n\\x0b\\x0c\\x85\\u2028\\u2029]+ \"\\n\"",
    "root ::= jp-char+ ([ \\t\\n] jp-char+)*\njp-char ::= hiragana | katakana | punctuation | cjk\n"
    "hiragana ::= [\xE3\x81\x81-\xE3\x82\x9F]\nkatakana ::= [\xE3\x82\xA1-\xE3\x83\xBF]\n"
    "punctuation ::= [\xE3\x80\x81-\xE3\x80\xBE]\ncjk ::= [\xE4\xB8\x80-\xE9\xBF\xBF]",
    "root ::= ... \"the\" ...",
    "root ::= [a-z ]{3,9} (\"x\"? \"y\"? \"z\"?){1,4}",
    "root ::= .*",
    "root ::= (!<[40]> | <[41]>)* <[40]> [a-z]+ <[42]>?",
    "root ::= (\"a\" | [a-c] | .)* \"end\"",
};

TEST(GrammarParity, AllowsTheTokensThatLlamaCppAllows) {
    const bool soak = std::getenv("MULLAMA_SOAK") != nullptr;
    const std::uint32_t seed = todays_seed();
    std::cout << "seed " << seed << "\n";
    Random random(seed);
    Counts counts;
    for (const Json &row : fixtures("vocabulary")) {
        SCOPED_TRACE(name_of(row));
        const Both vocabulary(path_of(row));
        for (const char *const grammar : written) {
            for (int i = 0; i < (soak ? 50 : 4); ++i) {
                ASSERT_NO_FATAL_FAILURE(walk(vocabulary, grammar, random, counts));
            }
        }
        for (int i = 0; i < (soak ? 2000 : 60); ++i) {
            ASSERT_NO_FATAL_FAILURE(walk(vocabulary, random_grammar(random), random, counts));
        }
    }
    // Fewer would mean that little was compared.
    EXPECT_GT(counts.walks, 300U);
    EXPECT_GT(counts.states, 1500U);
    EXPECT_GT(counts.partial, 1000U);
    EXPECT_GT(counts.ends, 300U);
}

TEST(GrammarParity, SeededChainsGiveLlamaCppsTokens) {
    const Both vocabulary(path_of(fixture("vocab_bpe")));
    for (const char *const grammar : written) {
        Pair pair(vocabulary, grammar);
        ASSERT_NE(pair.ours, nullptr) << pair.message;
        ASSERT_NE(pair.theirs, nullptr);
        set_int(pair.ours.get(), add_stage(pair.ours.get(), "top_k"), "k", 30);
        set_float(pair.ours.get(), add_stage(pair.ours.get(), "temperature"), "t", 0.8);
        set_int(pair.ours.get(), add_stage(pair.ours.get(), "dist"), "seed", 42);
        const std::unique_ptr<llama_sampler, FreeSampler> chain(
            llama_sampler_chain_init(llama_sampler_chain_default_params()));
        llama_sampler_chain_add(chain.get(), pair.theirs.release());
        llama_sampler_chain_add(chain.get(), llama_sampler_init_top_k(30));
        llama_sampler_chain_add(chain.get(), llama_sampler_init_temp(0.8F));
        llama_sampler_chain_add(chain.get(), llama_sampler_init_dist(42));
        std::mt19937 engine(7);
        std::normal_distribution<float> normal(0, 4);
        std::string text;
        for (int step = 0; step < 40; ++step) {
            std::vector<float> logits(vocabulary.size());
            std::vector<llama_token_data> list;
            for (std::size_t i = 0; i < logits.size(); ++i) {
                const auto token = static_cast<llama_token>(i);
                std::size_t cut = 0;
                // Where the two differ the token must not be among the first.
                const std::string &piece = vocabulary.piece(token);
                const bool differs = !begins_text(text + piece, cut) || is_cut(piece);
                logits[i] = differs ? -1e9F : normal(engine);
                list.push_back({token, logits[i], 0});
            }
            llama_token_data_array array{list.data(), list.size(), -1, false};
            llama_sampler_apply(chain.get(), &array);
            const llama_token expected = list[static_cast<std::size_t>(array.selected)].id;
            llama_sampler_accept(chain.get(), expected);
            ASSERT_EQ(sample(pair.ours.get(), logits), expected) << grammar << " after " << text;
            if (llama_vocab_is_eog(vocabulary.vocab(), expected)) {
                break;
            }
            text += vocabulary.piece(expected);
        }
    }
}

} // namespace
