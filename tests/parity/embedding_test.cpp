// Embeddings and scores equal llama.cpp's own, bit for bit: by token, by sequence with each
// pooling, several sequences in a batch, encoders and decoders.
#include <algorithm>
#include <string>
#include <vector>

#include "parity/raw_llama.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

struct Case {
    const char *fixture;
    mullama_pooling_t pooling;
    enum llama_pooling_type raw;
};

std::string name_of_case(const testing::TestParamInfo<Case> &its) {
    return std::string(its.param.fixture) + "_" + std::to_string(its.param.pooling);
}

class Embeddings : public testing::TestWithParam<Case> {};

TEST_P(Embeddings, AreLlamas) {
    const Case &its = GetParam();
    const std::string path = fixture_path(std::string(its.fixture) + ".gguf");
    const ModelHandle model = load_model(path);
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 3;
    options.n_ubatch = 256;
    options.embeddings = MULLAMA_SWITCH_ON;
    options.pooling = its.pooling;
    const ContextHandle context = new_context(model.get(), options);
    ASSERT_NE(context, nullptr);

    const RawModel raw_model = load_raw(path);
    llama_context_params params = raw_params(256);
    params.n_seq_max = 3;
    // A multiple of n_seq_max: with 256, llama.cpp asserts where it pools.
    params.n_ubatch = 255;
    params.swa_full = true;
    params.embeddings = true;
    params.pooling_type = its.raw;
    const RawContext raw(llama_init_from_model(raw_model.get(), params));

    const BatchHandle batch = new_batch();
    RawBatch raw_batch(64);
    const std::int32_t n_vocab = n_vocab_of(raw_model.get());
    for (mullama_seq_id_t sequence = 0; sequence < 3; ++sequence) {
        for (mullama_pos_t position = 0; position < 5 + 3 * sequence; ++position) {
            const mullama_token_t token = (7 + 13 * position + 5 * sequence) % n_vocab;
            ASSERT_OK(add(batch.get(), token, position, {sequence}, true));
            raw_batch.add(token, position, sequence);
        }
    }
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    ASSERT_EQ(llama_decode(raw.get(), raw_batch.get()), 0);

    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    ASSERT_OK(mullama_context_get_info(context.get(), &info));
    mullama_model_info_t facts;
    mullama_model_info_init(&facts, sizeof facts);
    ASSERT_OK(mullama_model_get_info(model.get(), &facts));
    const float *row = nullptr;
    std::size_t count = 0;
    if (info.pooling == MULLAMA_POOLING_NONE) {
        for (std::int32_t i = 0; i < raw_batch.size(); ++i) {
            ASSERT_OK(mullama_context_embedding(context.get(), i, &row, &count));
            ASSERT_EQ(count, static_cast<std::size_t>(facts.n_embd_out));
            EXPECT_TRUE(std::equal(row, row + count, llama_get_embeddings_ith(raw.get(), i))) << i;
        }
        EXPECT_REFUSED(mullama_context_sequence_embedding(context.get(), 0, &row, &count),
                       MULLAMA_ERROR_INVALID_STATE, "sequence");
    } else {
        for (mullama_seq_id_t sequence = 0; sequence < 3; ++sequence) {
            ASSERT_OK(mullama_context_sequence_embedding(context.get(), sequence, &row, &count));
            ASSERT_EQ(count, static_cast<std::size_t>(info.n_embd_sequence));
            EXPECT_TRUE(std::equal(row, row + count, llama_get_embeddings_seq(raw.get(), sequence)))
                << sequence;
        }
        EXPECT_REFUSED(mullama_context_embedding(context.get(), 0, &row, &count),
                       MULLAMA_ERROR_INVALID_STATE, "index");
    }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Embeddings,
    testing::Values(Case{"bert_none", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"bert_mean", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"bert_mean", MULLAMA_POOLING_CLS, LLAMA_POOLING_TYPE_CLS},
                    Case{"bert_rank", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"llama", MULLAMA_POOLING_DEFAULT, LLAMA_POOLING_TYPE_UNSPECIFIED},
                    Case{"llama", MULLAMA_POOLING_LAST, LLAMA_POOLING_TYPE_LAST},
                    Case{"llama", MULLAMA_POOLING_MEAN, LLAMA_POOLING_TYPE_MEAN},
                    Case{"swa", MULLAMA_POOLING_MEAN, LLAMA_POOLING_TYPE_MEAN},
                    Case{"recurrent", MULLAMA_POOLING_LAST, LLAMA_POOLING_TYPE_LAST},
                    Case{"hybrid", MULLAMA_POOLING_MEAN, LLAMA_POOLING_TYPE_MEAN}),
    name_of_case);

} // namespace
