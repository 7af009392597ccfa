#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/gguf/vocabulary.hpp"
#include "support/gguf_models.hpp"

namespace {

using mullama::base::Error;
using mullama::core::gguf::check_vocabulary;
using mullama::core::gguf::File;
using mullama::core::gguf::Metadata;
using mullama::core::gguf::SpanSource;
using mullama::core::gguf::VocabularyKind;
using mullama::test::GgufBuilder;

using Strings = std::vector<std::string>;
using Change = std::function<void(GgufBuilder &)>;

constexpr const char *tokens_key = "tokenizer.ggml.tokens";
constexpr const char *types_key = "tokenizer.ggml.token_type";

Error::Parts check(const GgufBuilder &builder, VocabularyKind kind) {
    const auto bytes = builder.build();
    const File file = File::parse(SpanSource(bytes));
    Metadata metadata(file, {});
    metadata.set_architecture("llama");
    try {
        EXPECT_EQ(check_vocabulary(metadata).kind, kind);
    } catch (const Error &error) {
        return error.parts();
    }
    Error::Parts none;
    none.code = MULLAMA_OK;
    return none;
}

// A kind of vocabulary, good at first.
struct Kind {
    VocabularyKind kind;
    GgufBuilder &(*add)(GgufBuilder &);

    [[nodiscard]] Error::Parts error(const Change &change) const {
        GgufBuilder builder;
        change(add(builder));
        return check(builder, kind);
    }
    // The key that is refused after a change; "" for none.
    [[nodiscard]] std::string refused(const Change &change) const {
        const Error::Parts found = error(change);
        EXPECT_TRUE(found.code == MULLAMA_OK || found.code == MULLAMA_ERROR_BAD_MODEL)
            << found.message;
        return found.parameter;
    }
};

constexpr Kind spm{VocabularyKind::spm, mullama::test::add_spm};
constexpr Kind bpe{VocabularyKind::bpe, mullama::test::add_bpe};
constexpr Kind wpm{VocabularyKind::wpm, mullama::test::add_wpm};
constexpr Kind ugm{VocabularyKind::ugm, mullama::test::add_ugm};
constexpr Kind rwkv{VocabularyKind::rwkv, mullama::test::add_rwkv};
constexpr Kind plamo2{VocabularyKind::plamo2, mullama::test::add_plamo2};

TEST(GgufVocabulary, AcceptsGoodOnes) {
    for (const Kind &kind : {spm, bpe, wpm, ugm, rwkv, plamo2}) {
        const Error::Parts error = kind.error([](GgufBuilder &) {});
        EXPECT_EQ(error.code, MULLAMA_OK) << error.message;
    }
}

TEST(GgufVocabulary, AcceptsNone) {
    GgufBuilder builder;
    builder.set("tokenizer.ggml.model", "none").set<std::uint32_t>("llama.vocab_size", 7);
    EXPECT_EQ(check(builder, VocabularyKind::none).code, MULLAMA_OK);
}

TEST(GgufVocabulary, NamesUnknownTokenizers) {
    Error::Parts error = spm.error([](GgufBuilder &b) { b.set("tokenizer.ggml.model", "nosuch"); });
    EXPECT_EQ(error.code, MULLAMA_ERROR_UNKNOWN_MODEL);
    EXPECT_EQ(error.actual, "nosuch");
    error = bpe.error([](GgufBuilder &b) { b.set("tokenizer.ggml.pre", "nosuch"); });
    EXPECT_EQ(error.code, MULLAMA_ERROR_UNKNOWN_MODEL);
    EXPECT_EQ(error.parameter, "tokenizer.ggml.pre");
    // Only BPE splits a text first.
    EXPECT_EQ(spm.refused([](GgufBuilder &b) { b.set("tokenizer.ggml.pre", "nosuch"); }), "");
    EXPECT_EQ(bpe.refused([](GgufBuilder &b) { b.remove("tokenizer.ggml.pre"); }), "");
    EXPECT_EQ(spm.refused([](GgufBuilder &b) { b.remove("tokenizer.ggml.model"); }),
              "tokenizer.ggml.model");
}

TEST(GgufVocabulary, WantsTokens) {
    for (const Kind &kind : {spm, bpe, wpm, ugm, rwkv, plamo2}) {
        EXPECT_EQ(kind.refused([](GgufBuilder &b) { b.remove(tokens_key); }), tokens_key);
        EXPECT_EQ(kind.refused([](GgufBuilder &b) { b.set(tokens_key, Strings{}); }), tokens_key);
        EXPECT_EQ(
            kind.refused([](GgufBuilder &b) { b.set(tokens_key, std::vector<std::int32_t>{1}); }),
            tokens_key);
    }
}

TEST(GgufVocabulary, WantsScoresAndTypesForAllTokens) {
    EXPECT_EQ(spm.refused(
                  [](GgufBuilder &b) { b.set("tokenizer.ggml.scores", std::vector<float>(258)); }),
              "tokenizer.ggml.scores");
    EXPECT_EQ(spm.refused(
                  [](GgufBuilder &b) { b.set("tokenizer.ggml.scores", std::vector<double>(259)); }),
              "tokenizer.ggml.scores");
    EXPECT_EQ(spm.refused([](GgufBuilder &b) {
        b.set("tokenizer.ggml.scores", std::vector<std::int32_t>(300));
    }),
              "");
    EXPECT_EQ(spm.refused([](GgufBuilder &b) { b.set(types_key, std::vector<std::int32_t>(258)); }),
              types_key);
    EXPECT_EQ(
        spm.refused([](GgufBuilder &b) { b.set(types_key, std::vector<std::uint32_t>(259)); }),
        types_key);
}

TEST(GgufVocabulary, RefusesATextTwice) {
    const Error::Parts error =
        bpe.error([](GgufBuilder &b) { b.set(tokens_key, Strings{"a", "b", "a"}); });
    EXPECT_EQ(error.parameter, tokens_key);
    EXPECT_EQ(error.actual, "'a'");
    EXPECT_NE(error.message.find("0 and 2"), std::string::npos) << error.message;
    // llama.cpp ends a text at its first NUL, and makes up one where nothing is left.
    const auto with = [](const Strings &more) {
        return bpe.refused([&](GgufBuilder &b) {
            Strings tokens(12, "");
            tokens.insert(tokens.end(), more.begin(), more.end());
            b.set(tokens_key, tokens).remove(types_key);
        });
    };
    EXPECT_EQ(with({}), "");
    EXPECT_EQ(with({"x", std::string("x\0y", 3)}), tokens_key);
    EXPECT_EQ(with({"[EMPTY_3]"}), tokens_key);
    EXPECT_EQ(with({"[EMPTY_12]"}), "");
}

TEST(GgufVocabulary, RefusesTokensLongerThanAnyRealOne) {
    const auto with = [](std::size_t size) {
        return bpe.refused([&](GgufBuilder &b) {
            Strings tokens;
            for (char c = 'a'; c <= 'l'; ++c) {
                tokens.emplace_back(1, c);
            }
            tokens.emplace_back(size, 'x');
            b.set(tokens_key, tokens).remove(types_key);
        });
    };
    EXPECT_EQ(with(4096), "");
    EXPECT_EQ(with(4097), tokens_key);
}

TEST(GgufVocabulary, ChecksMerges) {
    const auto with = [](const Strings &merges) {
        return bpe.refused([&](GgufBuilder &b) { b.set("tokenizer.ggml.merges", merges); });
    };
    EXPECT_EQ(with({"a b", "  b"}), "");
    EXPECT_EQ(with({"a b", "ab"}), "tokenizer.ggml.merges");
    EXPECT_EQ(with({""}), "tokenizer.ggml.merges");
    EXPECT_EQ(with({" b"}), "tokenizer.ggml.merges");
    EXPECT_EQ(bpe.refused([](GgufBuilder &b) { b.remove("tokenizer.ggml.merges"); }),
              "tokenizer.ggml.merges");
    EXPECT_EQ(bpe.refused([](GgufBuilder &b) {
        b.remove("tokenizer.ggml.merges").set("tokenizer.ggml.pre", "kimi-k2");
    }),
              "");
}

TEST(GgufVocabulary, WantsTheSpecialTokensThatATokenizerAdds) {
    const auto id = [](const Kind &kind, const char *key, std::uint32_t value) {
        return kind.refused([&](GgufBuilder &b) { b.set<std::uint32_t>(key, value); });
    };
    constexpr const char *bos = "tokenizer.ggml.bos_token_id";
    constexpr const char *eos = "tokenizer.ggml.eos_token_id";
    EXPECT_EQ(id(spm, bos, 258), "");
    EXPECT_EQ(id(spm, bos, 259), bos);
    EXPECT_EQ(id(spm, eos, 0xfffffffe), eos);
    EXPECT_EQ(id(spm, eos, 0xffffffff), eos);
    EXPECT_EQ(id(spm, "tokenizer.ggml.seperator_token_id", 0xffffffff), "");
    // Those that only mark something are ignored, as llama.cpp does.
    EXPECT_EQ(id(spm, "tokenizer.ggml.padding_token_id", 259), "");
    // WordPiece's usual ones are 100 to 102.
    const auto small_wpm = [](const Change &change) {
        return wpm.refused([&](GgufBuilder &b) {
            b.set(tokens_key, Strings{"a", "b", "c"}).remove(types_key);
            b.set<std::uint32_t>("tokenizer.ggml.bos_token_id", 0);
            b.set<std::uint32_t>("tokenizer.ggml.seperator_token_id", 1);
            b.set<std::uint32_t>("tokenizer.ggml.unknown_token_id", 2);
            change(b);
        });
    };
    EXPECT_EQ(small_wpm([](GgufBuilder &) {}), "");
    for (const char *key : {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.seperator_token_id",
                            "tokenizer.ggml.unknown_token_id"}) {
        EXPECT_EQ(small_wpm([&](GgufBuilder &b) { b.remove(key); }), key);
        EXPECT_EQ(small_wpm([&](GgufBuilder &b) { b.set<std::uint32_t>(key, 3); }), key);
        EXPECT_EQ(small_wpm([&](GgufBuilder &b) { b.set<std::int32_t>(key, 1); }), key);
    }
    // GLM has no token to start with.
    const auto glm = [](const Change &change) {
        return bpe.refused([&](GgufBuilder &b) {
            b.set("tokenizer.ggml.pre", "glm4");
            change(b);
        });
    };
    EXPECT_EQ(glm([](GgufBuilder &) {}), "");
    EXPECT_EQ(glm([](GgufBuilder &b) { b.set("tokenizer.ggml.add_bos_token", true); }), bos);
    EXPECT_EQ(glm([&](GgufBuilder &b) {
                  b.set("tokenizer.ggml.add_bos_token", true).set<std::uint32_t>(bos, 0);
              }),
              "");
    EXPECT_EQ(ugm.refused([](GgufBuilder &b) { b.set("tokenizer.ggml.add_bos_token", true); }),
              bos);
    EXPECT_EQ(bpe.refused([](GgufBuilder &b) { b.set("tokenizer.ggml.model", "gemma4"); }), bos);
    EXPECT_EQ(ugm.refused([](GgufBuilder &b) { b.set(tokens_key, Strings{"a"}); }), eos);
    EXPECT_EQ(ugm.refused([](GgufBuilder &b) {
        b.set(tokens_key, Strings{"a"}).set("tokenizer.ggml.add_eos_token", false);
    }),
              "tokenizer.ggml.unknown_token_id");
    EXPECT_EQ(spm.refused(
                  [](GgufBuilder &b) { b.set<std::uint32_t>("tokenizer.ggml.add_bos_token", 1); }),
              "tokenizer.ggml.add_bos_token");
}

TEST(GgufVocabulary, WantsABytePerByte) {
    const auto without = [](const Kind &kind, const std::string &token, const std::string &other) {
        return kind.refused([&](GgufBuilder &b) {
            Strings tokens{"<unk>", "<s>", "</s>"};
            for (unsigned byte = 0; byte < 256; ++byte) {
                const std::string name = mullama::test::byte_token(byte);
                tokens.push_back(name == token ? other : name);
            }
            b.set(tokens_key, tokens);
        });
    };
    EXPECT_EQ(without(spm, "", ""), "");
    EXPECT_EQ(without(spm, "<0x41>", "other"), tokens_key);
    // Spelled as itself, though it is no byte token then.
    EXPECT_EQ(spm.refused([](GgufBuilder &b) {
        Strings tokens{"<unk>", "<s>", "</s>", "A"};
        for (unsigned byte = 0; byte < 256; ++byte) {
            if (byte != 'A') {
                tokens.push_back(mullama::test::byte_token(byte));
            }
        }
        b.set(tokens_key, tokens).remove(types_key);
    }),
              "");
    EXPECT_EQ(without(plamo2, "<0x41>", "other"), tokens_key);
    EXPECT_EQ(without(plamo2, "<0xAB>", "<0xab>"), "");
}

TEST(GgufVocabulary, WantsTokensMarkedAsBytesToNameOne) {
    const auto mark = [](const Kind &kind) {
        return kind.refused([](GgufBuilder &b) {
            std::vector<std::int32_t> types(104, 1);
            types[0] = 6;
            b.set(types_key, types);
        });
    };
    EXPECT_EQ(mark(bpe), types_key);
    EXPECT_EQ(mark(wpm), types_key);
    EXPECT_EQ(mark(ugm), "");
}

TEST(GgufVocabulary, WantsRwkvToEndATokenAtEveryFirstByte) {
    const auto with = [](const Change &change) { return rwkv.refused(change); };
    EXPECT_EQ(with([](GgufBuilder &b) {
                  b.set<std::uint32_t>("tokenizer.ggml.unknown_token_id", 0)
                      .set(tokens_key, Strings{"<s>", "<", "\\n"});
              }),
              "");
    // "<" starts a token, but is none: "<a" would be cut for ever.
    EXPECT_EQ(with([](GgufBuilder &b) {
                  b.set<std::uint32_t>("tokenizer.ggml.unknown_token_id", 0)
                      .set(tokens_key, Strings{"<s>", "\\n"});
              }),
              tokens_key);
    EXPECT_EQ(with([](GgufBuilder &b) { b.set(tokens_key, Strings{"a", "\\n"}); }), tokens_key);
    EXPECT_EQ(with([](GgufBuilder &b) {
                  b.set<std::uint32_t>("tokenizer.ggml.unknown_token_id", 0)
                      .set(tokens_key, Strings{"<s>", "<"});
              }),
              tokens_key);
}

TEST(GgufVocabulary, WantsPlamo2TokensToBeText) {
    const auto with = [](const std::string &token, float score) {
        return plamo2.refused([&](GgufBuilder &b) {
            Strings tokens{"<|plamo:unk|>", "<|plamo:bos|>", token};
            for (unsigned byte = 0; byte < 256; ++byte) {
                tokens.push_back(mullama::test::byte_token(byte));
            }
            std::vector<float> scores(tokens.size(), 0.0F);
            scores[2] = score;
            b.set(tokens_key, tokens).set("tokenizer.ggml.scores", scores);
        });
    };
    EXPECT_EQ(with("\xe6\xbc\xa2", -10.0F), "");
    EXPECT_EQ(with("\xe6\xbc", -10.0F), tokens_key);
    EXPECT_EQ(with("a", -1e9F), "tokenizer.ggml.scores");
}

TEST(GgufVocabulary, ChecksTheMapOfCharacters) {
    const auto with = [](const std::vector<std::uint8_t> &map) {
        return ugm.refused(
            [&](GgufBuilder &b) { b.set("tokenizer.ggml.precompiled_charsmap", map); });
    };
    constexpr const char *key = "tokenizer.ggml.precompiled_charsmap";
    EXPECT_EQ(with({0, 0, 0, 0, 'a', 0}), "");
    EXPECT_EQ(with({}), key);
    EXPECT_EQ(with({4, 0, 0}), key);
    EXPECT_EQ(with({4, 0, 0, 0}), key);
    EXPECT_EQ(with({4, 0, 0, 0, 0, 0, 0, 0}), key);
    EXPECT_EQ(with({2, 0, 0, 0, 0, 0, 'a', 0}), key);
    EXPECT_EQ(with({0xff, 0xff, 0xff, 0xff, 0, 0}), key);
    EXPECT_EQ(with({0, 0, 0, 0, 'a', 'b'}), key);
    EXPECT_EQ(ugm.refused([](GgufBuilder &b) { b.remove(key); }), "");
    EXPECT_EQ(ugm.refused([](GgufBuilder &b) { b.set<std::uint8_t>(key, 1); }), key);
}

TEST(GgufVocabulary, WantsPhi3ToHaveItsTokens) {
    EXPECT_EQ(spm.refused([](GgufBuilder &b) { b.set("general.name", "My Phi-3 tune"); }),
              tokens_key);
    EXPECT_EQ(spm.refused([](GgufBuilder &b) {
        b.set("general.name", "Phi3").set("tokenizer.ggml.pre", "jina-v2-de");
    }),
              "");
}

} // namespace
