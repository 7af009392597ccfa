// Embeddings in one call equal llama.cpp's own, bit for bit, where both compute the same batch:
// texts as llama_tokenize() makes them, all at once, scaled as llama-embedding scales them.
#include <cmath>
#include <string>
#include <vector>

#include "support/embed.hpp"
#include "support/manifest.hpp"
#include "support/raw_llama.hpp"

namespace {

using namespace mullama::test;

const std::vector<std::string> texts{"the quick brown fox", "jumps", "over the lazy dog and again"};

struct Case {
    const char *fixture;
    mullama_pooling_t pooling;
    enum llama_pooling_type raw;
};

class Embed : public testing::TestWithParam<Case> {};

TEST_P(Embed, IsLlamas) {
    const Case &its = GetParam();
    const std::string path = fixture_path(std::string(its.fixture) + ".gguf");
    const ModelHandle model = load_model(path);
    RawLlama raw(path);
    const bool alone = (info_of(model.get()).capabilities &
                        (MULLAMA_CAPABILITY_RECURRENT | MULLAMA_CAPABILITY_HYBRID)) != 0;
    raw.make_context([&](llama_context_params &params) {
        params.n_seq_max = 4;
        params.embeddings = true;
        params.pooling_type = its.raw;
    });
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_ubatch = 256;
    options.n_seq_max = 4;
    options.pooling = its.pooling;
    const ContextHandle context = new_context(model.get(), options);
    mullama_embed_options_t plain = embed_options();
    plain.normalize = false;
    const Rows rows = embedded(context.get(), texts, plain);
    const Rows scaled = embedded(context.get(), texts);
    ASSERT_EQ(rows.size(), texts.size());

    std::vector<RawLlama::Tokens> tokens;
    for (const std::string &text : texts)
        tokens.push_back(raw.tokenize(text, true, false));
    if (!alone) {
        ASSERT_EQ(raw.compute(tokens), 0);
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        SCOPED_TRACE(i);
        if (alone) {
            ASSERT_EQ(raw.compute({tokens[i]}), 0);
        }
        const float *const row =
            llama_get_embeddings_seq(raw.context(), alone ? 0 : static_cast<llama_seq_id>(i));
        ASSERT_NE(row, nullptr);
        const auto width = static_cast<std::size_t>(llama_model_n_embd_out(raw.model()));
        const Row wanted(row, row + width);
        EXPECT_EQ(rows[i], wanted);
        double squares = 0;
        for (const float number : wanted)
            squares += static_cast<double>(number * number);
        Row unit = wanted;
        for (float &number : unit)
            number = static_cast<float>(static_cast<double>(number) / std::sqrt(squares));
        EXPECT_TRUE(alike(scaled[i], unit, 1e-6F));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Embed,
    testing::Values(Case{"bert_mean", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"bert_cls", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"bert_last", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"bert_none", MULLAMA_POOLING_MEAN, LLAMA_POOLING_TYPE_MEAN},
                    Case{"embedding_last", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"llama", MULLAMA_POOLING_LAST, LLAMA_POOLING_TYPE_LAST},
                    Case{"llama", MULLAMA_POOLING_MEAN, LLAMA_POOLING_TYPE_MEAN},
                    Case{"swa", MULLAMA_POOLING_CLS, LLAMA_POOLING_TYPE_CLS},
                    Case{"recurrent", MULLAMA_POOLING_MEAN, LLAMA_POOLING_TYPE_MEAN},
                    Case{"hybrid", MULLAMA_POOLING_LAST, LLAMA_POOLING_TYPE_LAST}),
    [](const testing::TestParamInfo<Case> &its) {
        return std::string(its.param.fixture) + "_" + std::to_string(its.param.pooling);
    });

class EmbedEachToken : public testing::TestWithParam<const char *> {};

TEST_P(EmbedEachToken, IsLlamas) {
    const std::string path = fixture_path(std::string(GetParam()) + ".gguf");
    const ModelHandle model = load_model(path);
    RawLlama raw(path);
    raw.make_context([](llama_context_params &params) {
        params.n_seq_max = 4;
        params.embeddings = true;
        params.pooling_type = LLAMA_POOLING_TYPE_NONE;
    });
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_ubatch = 256;
    options.n_seq_max = 4;
    options.pooling = MULLAMA_POOLING_NONE;
    const ContextHandle context = new_context(model.get(), options);
    std::vector<RawLlama::Tokens> tokens;
    std::size_t n_tokens = 0;
    for (const std::string &text : texts) {
        tokens.push_back(raw.tokenize(text, true, false));
        n_tokens += tokens.back().size();
    }
    const bool encodes = llama_model_has_encoder(raw.model());
    ASSERT_EQ(raw.compute(tokens, encodes), 0);
    const List<RawLlama::Tokens> list(tokens);
    const auto width = static_cast<std::size_t>(llama_model_n_embd_out(raw.model()));
    std::vector<float> numbers(n_tokens * width);
    mullama_embed_options_t plain = embed_options();
    plain.normalize = false;
    ASSERT_OK(mullama_context_embed_each_token(context.get(), list.data.data(), list.sizes.data(),
                                               tokens.size(), &plain, numbers.data(),
                                               numbers.size()));
    const Rows rows = rows_of(numbers, width);
    ASSERT_EQ(rows.size(), n_tokens);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const float *const row =
            llama_get_embeddings_ith(raw.context(), static_cast<std::int32_t>(i));
        EXPECT_EQ(rows[i], Row(row, row + width)) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Models, EmbedEachToken,
                         testing::Values("bert_none", "bert_mean", "llama", "t5"));

} // namespace
