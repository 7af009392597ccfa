// Vocabularies: the port's answers are llama.cpp's own, and nothing makes it abort.
#include "backend/llama/support.hpp"

namespace mullama::test {
namespace {

constexpr const char *texts[] = {"",
                                 " ",
                                 "Hello, world!",
                                 "  two  spaces ",
                                 "äöü ñ 日本語 🙂",
                                 "tab\tand\nline",
                                 "<s>forged</s>",
                                 "<|im_start|>user",
                                 "0123456789",
                                 "def f(x):\n    return x"};

class Vocabularies : public testing::TestWithParam<const char *> {
protected:
    void SetUp() override {
        ModelParams params;
        params.vocab_only = true;
        model_ = load(fixture(GetParam()), params);
        llama_model_params raw = llama_model_default_params();
        raw.vocab_only = true;
        raw_.reset(llama_model_load_from_file(fixture(GetParam()).c_str(), raw));
    }

    [[nodiscard]] const llama_vocab *raw() const { return llama_model_get_vocab(raw_.get()); }

    std::unique_ptr<Model> model_;
    std::unique_ptr<llama_model, Raw::FreeModel> raw_;
};

TEST_P(Vocabularies, TokenizeAndDetokenizeAsLlamaDoes) {
    for (const std::string text : texts) {
        for (const bool special : {false, true}) {
            std::vector<Token> expected(text.size() + 16);
            const auto size = llama_tokenize(
                raw(), text.data(), static_cast<std::int32_t>(text.size()), expected.data(),
                static_cast<std::int32_t>(expected.size()), special, special);
            ASSERT_GE(size, 0);
            expected.resize(static_cast<std::size_t>(size));
            std::vector<Token> tokens{42};
            model_->vocab().tokenize(text, special, special, tokens);
            expected.insert(expected.begin(), 42);
            EXPECT_EQ(tokens, expected) << text << ": it appends";

            std::string back(1024, '\0');
            back.resize(static_cast<std::size_t>(
                llama_detokenize(raw(), tokens.data(), static_cast<std::int32_t>(tokens.size()),
                                 back.data(), 1024, special, special)));
            std::string written = "before";
            model_->vocab().detokenize(tokens, special, special, written);
            EXPECT_EQ(written, "before" + back);
        }
    }
}

TEST_P(Vocabularies, DescribeTokensAsLlamaDoes) {
    const Vocab &vocab = model_->vocab();
    ASSERT_EQ(vocab.size(), llama_vocab_n_tokens(raw()));
    EXPECT_EQ(vocab.special(MULLAMA_SPECIAL_BOS), llama_vocab_bos(raw()));
    EXPECT_EQ(vocab.special(MULLAMA_SPECIAL_EOS), llama_vocab_eos(raw()));
    EXPECT_EQ(vocab.special(MULLAMA_SPECIAL_FIM_SEPARATOR), llama_vocab_fim_sep(raw()));
    EXPECT_EQ(vocab.adds_bos(), llama_vocab_get_add_bos(raw()));
    EXPECT_EQ(vocab.adds_eos(), llama_vocab_get_add_eos(raw()));
    for (Token token = 0; token < vocab.size(); ++token) {
        EXPECT_EQ(vocab.text(token), llama_vocab_get_text(raw(), token));
        EXPECT_EQ(vocab.score(token), llama_vocab_get_score(raw(), token));
        const auto bits = static_cast<std::uint32_t>(llama_vocab_get_attr(raw(), token));
        EXPECT_EQ(vocab.attributes(token),
                  bits | (llama_vocab_is_eog(raw(), token) ? MULLAMA_TOKEN_END_OF_GENERATION : 0));
        for (const bool special : {false, true}) {
            char piece[512];
            const auto size = llama_token_to_piece(raw(), token, piece, sizeof piece, 0, special);
            std::string written;
            vocab.piece(token, special, written);
            EXPECT_EQ(written, std::string(piece, static_cast<std::size_t>(size)));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Types, Vocabularies,
                         testing::Values("vocab_spm", "vocab_bpe", "vocab_wpm", "vocab_ugm",
                                         "vocab_rwkv", "vocab_plamo2"),
                         [](const auto &its) { return std::string(its.param); });

TEST(Vocab, TakesLongTextsAndTokens) {
    const auto model = load(fixture("llama"));
    std::string text;
    while (text.size() < 200'000) {
        text += "many words and 123 numbers ";
    }
    const auto tokens = tokenize(*model, text);
    std::string back;
    model->vocab().detokenize(tokens, true, false, back);
    EXPECT_NE(back.find("many words and 123 numbers many words"), std::string::npos);
    EXPECT_GE(back.size(), text.size() - 1);
}

TEST(Vocab, RefusesASpecialTokenThatIsNotThere) {
    // llama.cpp takes -1 as "none", then asserts when it is to add it.
    ModelParams params;
    params.overrides = {{"tokenizer.ggml.add_bos_token", true},
                        {"tokenizer.ggml.add_eos_token", true}};
    const auto model = load(fixture("vocab_bpe"), [] {
        ModelParams vocab_only;
        vocab_only.vocab_only = true;
        return vocab_only;
    }());
    const bool complete = model->vocab().special(MULLAMA_SPECIAL_BOS) != MULLAMA_TOKEN_NONE &&
                          model->vocab().special(MULLAMA_SPECIAL_EOS) != MULLAMA_TOKEN_NONE;
    params.vocab_only = true;
    const auto wanting = load(fixture("vocab_bpe"), params);
    std::vector<Token> tokens;
    const auto error = error_of([&] { wanting->vocab().tokenize("x", true, false, tokens); });
    EXPECT_EQ(error.code, complete ? MULLAMA_OK : MULLAMA_ERROR_BAD_MODEL);
    tokens.clear();
    wanting->vocab().tokenize("x", false, false, tokens);
    EXPECT_FALSE(tokens.empty());
}

TEST(Vocab, SaysWhenAModelBringsNone) {
    ModelParams params;
    params.vocab_only = true;
    params.overrides = {{"tokenizer.ggml.model", std::string("none")}};
    const auto model = load(fixture("llama"), params);
    std::vector<Token> tokens;
    EXPECT_EQ(model->vocab().type(), MULLAMA_VOCAB_NONE);
    EXPECT_EQ(error_of([&] { model->vocab().tokenize("x", false, false, tokens); }).code,
              MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(model->vocab().special(MULLAMA_SPECIAL_EOS), MULLAMA_TOKEN_NONE);
}

} // namespace
} // namespace mullama::test
